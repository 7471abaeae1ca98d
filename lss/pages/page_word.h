// A word of the mapping table: where a page is. Pure functions on 64 bits.
//
//   63        62 61       60 59           52 51     36 35              0
//   state (2)    hits (2)    size (8)        tag (16)  location (36)
//
// - empty: the whole word is 0.
// - memory: `location` is the number of a frame.
// - flash: `location` is the record's place in the log's area of the file, in units of 64 bytes, so
//   4 TiB at most; `size` says how many 4 KiB pages of the file the record touches, less one.
//
// Every change of a word is one compare-and-swap, so a word is seen whole or not at all.
#pragma once

#include <cstdint>

#include "lss/base/types.h"

namespace lss {

enum class PageState : uint8_t { kEmpty = 0, kMemory = 1, kFlash = 2 };

// Records begin at multiples of this, in bytes.
inline constexpr uint64_t kRecordAlignment = 64;
inline constexpr int kLocationBits = 36;
// Largest area of a log, in bytes.
inline constexpr uint64_t kMaxLogBytes = kRecordAlignment << kLocationBits;
inline constexpr uint8_t kMaxHits = 3;

class PageWord {
 public:
  constexpr PageWord() = default;
  constexpr explicit PageWord(uint64_t bits) : bits_(bits) {}

  static constexpr PageWord Memory(uint16_t tag, uint32_t frame) {
    return Make(PageState::kMemory, 0, 0, tag, frame);
  }
  // The record [place, place + bytes) of the log's area. REQUIRES: `place` is a multiple of
  // kRecordAlignment below kMaxLogBytes; 0 < bytes <= 1 MiB; the record lies in one MiB.
  static constexpr PageWord Flash(uint16_t tag, uint64_t place, uint32_t bytes, uint8_t hits) {
    const uint64_t pages = (PageCeil(place + bytes) - PageFloor(place)) / kPageBytes;
    return Make(PageState::kFlash, hits, static_cast<uint8_t>(pages - 1), tag,
                place / kRecordAlignment);
  }

  constexpr uint64_t bits() const { return bits_; }
  constexpr PageState state() const { return static_cast<PageState>(bits_ >> kStateShift); }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr bool in_memory() const { return state() == PageState::kMemory; }
  constexpr bool on_flash() const { return state() == PageState::kFlash; }
  constexpr uint8_t hits() const { return (bits_ >> kHitsShift) & kMaxHits; }
  constexpr uint16_t tag() const { return static_cast<uint16_t>(bits_ >> kTagShift); }
  // REQUIRES: in_memory().
  constexpr uint32_t frame() const { return static_cast<uint32_t>(bits_ & kLocationMask); }
  // REQUIRES: on_flash(). In bytes from the beginning of the log's area.
  constexpr uint64_t place() const { return (bits_ & kLocationMask) * kRecordAlignment; }
  // REQUIRES: on_flash(). What must be read to have the record: whole pages around it.
  constexpr uint64_t read_begin() const { return PageFloor(place()); }
  constexpr uint64_t read_bytes() const {
    return (((bits_ >> kSizeShift) & 0xff) + 1) * kPageBytes;
  }

  // One hit more, up to kMaxHits.
  constexpr PageWord Hit() const {
    return hits() == kMaxHits ? *this : PageWord(bits_ + (uint64_t{1} << kHitsShift));
  }
  // One hit less, down to none.
  constexpr PageWord Cooler() const {
    return hits() == 0 ? *this : PageWord(bits_ - (uint64_t{1} << kHitsShift));
  }

 private:
  static constexpr int kTagShift = kLocationBits;
  static constexpr int kSizeShift = kTagShift + 16;
  static constexpr int kHitsShift = kSizeShift + 8;
  static constexpr int kStateShift = kHitsShift + 2;
  static constexpr uint64_t kLocationMask = (uint64_t{1} << kLocationBits) - 1;
  static_assert(kStateShift + 2 == 64, "the fields fill the word");

  static constexpr PageWord Make(PageState state, uint8_t hits, uint8_t size, uint16_t tag,
                                 uint64_t location) {
    return PageWord(static_cast<uint64_t>(state) << kStateShift |
                    static_cast<uint64_t>(hits) << kHitsShift |
                    static_cast<uint64_t>(size) << kSizeShift |
                    static_cast<uint64_t>(tag) << kTagShift | location);
  }

  uint64_t bits_ = 0;
};

constexpr bool operator==(PageWord a, PageWord b) { return a.bits() == b.bits(); }
constexpr bool operator!=(PageWord a, PageWord b) { return !(a == b); }

}  // namespace lss

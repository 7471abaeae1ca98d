// Do the records of a WAL follow one another? Each data record is a WriteBatch, which begins with
// the sequence number of its first entry and the number of its entries.
//
//   payload := sequence:u64  count:u32  entries
//
// A record that is whole and has its right checksum may still be another one's: the bytes of an
// earlier or a later lap of a ring, which was written back in any order. Its number gives it away.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bloom_lfs {

// Which records are judged, and how. The default judges none.
struct WalSequenceRule {
  static constexpr uint64_t kNobody = UINT64_MAX;
  // Records that end above it must have a sequence number that does not fall.
  uint64_t judged_above = kNobody;
  // Those that end above it as well must have the very next one, unless numbers were left out
  // before (entries that were written without a log), and must have one that can be read.
  uint64_t gaps_below = kNobody;
  // Pieces without a number that begin at or above judged_above do not count if they are the same
  // as one that is a multiple of this many bytes before them; records in several pieces need a
  // witness. 0: they do.
  uint64_t lap = 0;

  // Whether a record in several pieces that ends at `end` needs a witness: its later pieces may be
  // those of a later lap. The next record is one, if it has the very next number.
  bool NeedsWitness(uint64_t end) const {
    return lap > 0 && end > judged_above && end > gaps_below;
  }
};

// Not thread safe.
class WalSequence {
 public:
  static constexpr size_t kPrefixBytes = sizeof(uint64_t) + sizeof(uint32_t);
  static constexpr uint32_t kManyEntries = 1 << 24;
  // Whether the kPrefixBytes at `payload` can be how a batch begins that has at most `entries`.
  static bool IsPlausible(const char* payload, uint64_t entries);

  explicit WalSequence(const WalSequenceRule& rule) : rule_(rule) {}

  // The payload of the next record begins, or goes on in the next fragment.
  void BeginRecord() { prefix_bytes_ = 0; }
  void AddPayload(const char* data, size_t size);
  // Whether the record that was begun last has the very next number, as far as its payload is
  // known.
  bool BeginsNext() const;
  // The record is whole and ends at offset `end` of the log. False if it does not follow.
  // `readable`: its payload is a WriteBatch and not compressed.
  bool EndRecord(uint64_t end, bool readable);

  // Of the first and the last record that follow; 0: none was readable.
  uint64_t first() const { return first_; }
  uint64_t last() const { return last_; }
  // The highest number that may follow without a gap: a record without entries may take one, too.
  uint64_t next() const { return last_ + (last_count_ > 0 ? last_count_ : 1); }
  // Whether numbers were left out between two records.
  bool left_out() const { return left_out_; }

 private:
  bool Follows(uint64_t end, uint64_t sequence) const;

  const WalSequenceRule rule_;
  char prefix_[kPrefixBytes] = {};
  size_t prefix_bytes_ = 0;
  bool any_ = false;
  bool left_out_ = false;  // numbers were
  uint64_t first_ = 0;
  uint64_t last_ = 0;
  uint32_t last_count_ = 0;
};

}  // namespace bloom_lfs

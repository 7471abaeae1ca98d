// The memory in which a process shows its figures: a header, then one slot for each stream.
//
// Read by programs that were built at another time: every change of it needs another kVersion. Who
// reads must not believe a word of it: anybody can make such memory.
#pragma once

#include <atomic>
#include <cstdint>
#include <type_traits>

#include "lss/figures/stream_figures.h"

namespace lss {

enum class StreamKind : uint32_t {
  kLog,
  kBlob,
};
inline constexpr size_t kStreamKinds = 2;
inline constexpr uint32_t kBoardSlots = 4096;

// What is of no stream.
struct ProcessFigures {
  std::array<Counter, kStreamKinds> stock_files;  // that were given to the wrapped file system
  Counter recovered_files;                        // from what others left in their rings
  Counter recovered_bytes;
};

struct BoardHeader {
  static constexpr uint64_t kMagic = 0x3173677766636c62;
  static constexpr uint32_t kVersion = 1;

  uint64_t magic;
  uint32_t version;
  uint32_t header_bytes;
  uint32_t slot_bytes;
  uint32_t slots;
  uint64_t pid;  // in its own namespace
  // Odd while streams come or go: what is read then is to be read again.
  std::atomic<uint64_t> changes;
  std::atomic<uint64_t> slots_used;  // no slot from here on is taken
  ProcessFigures process;
  std::array<StreamFigures, kStreamKinds> gone;  // of streams that have no slot any more
};

struct BoardSlot {
  static constexpr size_t kPathBytes = 256;

  std::atomic<uint32_t> taken;  // 1: by a stream
  uint32_t kind;                // StreamKind
  char path[kPathBytes];        // ends with a zero; of one that is longer, its end
  StreamFigures figures;
};

static_assert(std::is_standard_layout_v<BoardHeader> && std::is_standard_layout_v<BoardSlot>);
static_assert(sizeof(BoardHeader) % sizeof(uint64_t) == 0 &&
              sizeof(BoardSlot) % sizeof(uint64_t) == 0);

}  // namespace lss

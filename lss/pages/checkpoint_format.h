// A checkpoint of the mapping table in the file.
//
//   page 0    header: magic, version, store id, sequence, words, recovery start, log end, CRC-32C
//   page 1..  the words, in blocks of 1 MiB: each ends with 16 bytes of sequence, the block's
//             number and CRC-32C
//
// The header is written last, when the blocks are on the device. So a checkpoint that was begun and
// not finished has a header of another sequence than its blocks, and none of them counts.
#pragma once

#include <cstddef>
#include <cstdint>

#include "lss/base/types.h"

namespace lss {

struct CheckpointHead {
  uint32_t store_id = 0;
  uint64_t sequence = 0;  // 0: there is none
  uint64_t words = 0;     // of the table; 0: the table was empty, and no block follows
  // Every page below this LSN that the table knew on flash is in the words.
  uint64_t recovery_start = 0;
  // How far the log had got when the copy was begun.
  uint64_t log_end = 0;
};

inline constexpr uint64_t kCheckpointBlockBytes = 1ULL << 20;
inline constexpr uint64_t kCheckpointBlockWords = (kCheckpointBlockBytes - 16) / sizeof(uint64_t);

constexpr uint64_t CheckpointBlocks(uint64_t words) {
  return (words + kCheckpointBlockWords - 1) / kCheckpointBlockWords;
}
// In the file, header included.
constexpr uint64_t CheckpointBytes(uint64_t words) {
  return kPageBytes + CheckpointBlocks(words) * kCheckpointBlockBytes;
}
// Where block `number` begins, from the checkpoint's begin.
constexpr uint64_t CheckpointBlockAt(uint64_t number) {
  return kPageBytes + number * kCheckpointBlockBytes;
}

// One page.
void EncodeCheckpointHead(const CheckpointHead& head, char* page);
bool DecodeCheckpointHead(const char* page, CheckpointHead* head);
// Completes a block whose words are in place.
void SealCheckpointBlock(uint64_t sequence, uint32_t number, char* block);
bool CheckCheckpointBlock(uint64_t sequence, uint32_t number, const char* block);

}  // namespace lss

#include "lss/ring/buffer_state.h"

#include <gtest/gtest.h>

#include <vector>

namespace lss {
namespace {

bool operator==(const BufferState& a, const BufferState& b) {
  return a.write_offset == b.write_offset && a.writers == b.writers &&
         a.generation == b.generation && a.flushing == b.flushing && a.sealed == b.sealed;
}

TEST(BufferStateTest, EveryCombinationOfEdgeValuesSurvivesTheRoundTrip) {
  for (const uint32_t offset : {0U, 1U, 4096U, kMaxBufferBytes, UINT32_MAX}) {
    for (const uint32_t writers : {0U, 1U, 255U, static_cast<uint32_t>(kMaxWriters)}) {
      for (const uint32_t generation : {0U, 1U, 31U, kGenerations - 1}) {
        for (const bool flushing : {false, true}) {
          for (const bool sealed : {false, true}) {
            const BufferState state = {offset, writers, generation, flushing, sealed};
            ASSERT_TRUE(Decode(Encode(state)) == state)
                << offset << " " << writers << " " << generation << flushing << sealed;
          }
        }
      }
    }
  }
}

// bits 63..32 write offset | 31..8 writer count | 7..2 generation | 1 flushing | 0 sealed
TEST(BufferStateTest, LayoutIsTheDocumentedOne) {
  EXPECT_EQ(Encode({0, 0, 0, false, true}), 1ULL << 0);
  EXPECT_EQ(Encode({0, 0, 0, true, false}), 1ULL << 1);
  EXPECT_EQ(Encode({0, 0, 1, false, false}), 1ULL << 2);
  EXPECT_EQ(Encode({0, 1, 0, false, false}), 1ULL << 8);
  EXPECT_EQ(Encode({1, 0, 0, false, false}), 1ULL << 32);
}

TEST(BufferStateTest, FieldsFillTheWordWithoutOverlap) {
  const std::vector<uint64_t> fields = {
      Encode({UINT32_MAX, 0, 0, false, false}),
      Encode({0, static_cast<uint32_t>(kMaxWriters), 0, false, false}),
      Encode({0, 0, kGenerations - 1, false, false}),
      Encode({0, 0, 0, true, false}),
      Encode({0, 0, 0, false, true}),
  };
  uint64_t all = 0;
  for (const uint64_t field : fields) {
    EXPECT_EQ(all & field, 0U);
    all |= field;
  }
  EXPECT_EQ(all, UINT64_MAX);
}

// Trap 2, the worst case that the limits admit: a full buffer of the largest size, and every thread
// there can be between its addition and its undo with the largest length.
TEST(BufferStateTest, Trap02_OvershootOfEveryReserverStaysInItsField) {
  const BufferState full = {kMaxBufferBytes, 0, kGenerations - 1, false, false};
  uint64_t word = Encode(full);
  for (uint64_t i = 0; i < kMaxConcurrentReservers; ++i) {
    word += ReserveDelta(kMaxBufferBytes);
    const BufferState now = Decode(word);
    ASSERT_EQ(now.write_offset, kMaxBufferBytes * (i + 2)) << "the offset has wrapped";
    ASSERT_EQ(now.writers, i + 1);
    ASSERT_EQ(now.generation, full.generation);
    ASSERT_FALSE(now.sealed || now.flushing);
  }
  for (uint64_t i = 0; i < kMaxConcurrentReservers; ++i) {
    word -= ReserveDelta(kMaxBufferBytes);
  }
  EXPECT_TRUE(Decode(word) == full);
}

TEST(BufferStateTest, Trap02_TheLastWriterDoesNotCarryIntoTheOffset) {
  uint64_t word = Encode({7, static_cast<uint32_t>(kMaxWriters) - 1, 5, true, true});
  word += kOneWriter;
  EXPECT_TRUE(Decode(word) == (BufferState{7, static_cast<uint32_t>(kMaxWriters), 5, true, true}));
  word -= kMaxWriters * kOneWriter;
  EXPECT_TRUE(Decode(word) == (BufferState{7, 0, 5, true, true}));
}

TEST(BufferStateTest, GenerationChangesAtEveryReuse) {
  for (uint64_t lap = 0; lap < 3 * kGenerations; ++lap) {
    EXPECT_NE(GenerationOfLap(lap), GenerationOfLap(lap + 1)) << "lap " << lap;
    EXPECT_LT(GenerationOfLap(lap), kGenerations);
  }
  EXPECT_EQ(GenerationOfLap(kGenerations), GenerationOfLap(0));
}

}  // namespace
}  // namespace lss

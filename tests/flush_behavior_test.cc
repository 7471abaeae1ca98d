#include "lss/stream/flush_behavior.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <vector>

#include "tests/support/aligned_memory.h"

namespace lss {
namespace {

class FlushBehaviorTest : public testing::Test {
 protected:
  FlushBehaviorTest() : memory_(4 * 4096) {}

  // Buffer number `sequence` of a ring of four, in a stream without gaps, unless told otherwise.
  SealedBuffer Buffer(uint64_t sequence, uint32_t length = 4096) {
    return {sequence, sequence * 4096, length, memory_.data() + sequence % 4 * 4096};
  }
  std::vector<WriteOp> Select(WriteMode mode, size_t in_flight = 0, Address written = 0,
                              uint64_t bytes_max = UINT64_MAX) {
    std::vector<WriteOp> ops;
    FlushBehavior::Make(mode)->Select(&sealed_, &next_sequence_, in_flight, written, bytes_max,
                                      &ops);
    return ops;
  }
  std::vector<WriteOp> Serialized(size_t in_flight = 0, Address written = 0) {
    return Select(WriteMode::kSerializedWrites, in_flight, written);
  }
  std::vector<WriteOp> TailLocalized(size_t in_flight = 0, Address written = 0) {
    return Select(WriteMode::kTailLocalizedWrites, in_flight, written);
  }

  test::AlignedMemory memory_;
  std::deque<SealedBuffer> sealed_;
  uint64_t next_sequence_ = 0;
};

TEST_F(FlushBehaviorTest, OnlyTheSerializedModeIsInOrder) {
  EXPECT_TRUE(FlushBehavior::Make(WriteMode::kSerializedWrites)->InOrder());
  EXPECT_FALSE(FlushBehavior::Make(WriteMode::kTailLocalizedWrites)->InOrder());
}

TEST_F(FlushBehaviorTest, SerializedNeighboursBecomeOneWrite) {
  sealed_ = {Buffer(0), Buffer(1), Buffer(2)};
  const std::vector<WriteOp> ops = Serialized();
  ASSERT_EQ(ops.size(), 1U);
  EXPECT_EQ(ops[0].offset, 0U);
  EXPECT_EQ(ops[0].length, 3 * 4096U);
  EXPECT_EQ(ops[0].data, memory_.data());
  EXPECT_TRUE(sealed_.empty());
  EXPECT_EQ(next_sequence_, 3U);
}

TEST_F(FlushBehaviorTest, SerializedTurnOfTheRingIsASecondWrite) {
  next_sequence_ = 2;
  sealed_ = {Buffer(2), Buffer(3), Buffer(4), Buffer(5)};
  const std::vector<WriteOp> ops = Serialized();
  ASSERT_EQ(ops.size(), 2U);
  EXPECT_EQ(ops[0].offset, 2 * 4096U);
  EXPECT_EQ(ops[0].end(), 4 * 4096U);
  EXPECT_EQ(ops[1].offset, 4 * 4096U);
  EXPECT_EQ(ops[1].end(), 6 * 4096U);
  EXPECT_EQ(ops[1].data, memory_.data());
}

TEST_F(FlushBehaviorTest, SerializedWaitsForTheBatchUnderWay) {
  sealed_ = {Buffer(0)};
  EXPECT_TRUE(Serialized(/*in_flight=*/1).empty());
  EXPECT_EQ(sealed_.size(), 1U);
  EXPECT_EQ(Serialized(/*in_flight=*/0).size(), 1U);
}

TEST_F(FlushBehaviorTest, SerializedStopsBeforeABufferThatIsStillBeingWritten) {
  sealed_ = {Buffer(0), Buffer(2), Buffer(3)};
  const std::vector<WriteOp> ops = Serialized();
  ASSERT_EQ(ops.size(), 1U);
  EXPECT_EQ(ops[0].end(), 4096U);
  EXPECT_EQ(sealed_.size(), 2U);
  EXPECT_TRUE(Serialized().empty()) << "number 1 is missing";
  sealed_.push_front(Buffer(1));
  EXPECT_EQ(Serialized().size(), 1U);
  EXPECT_TRUE(sealed_.empty());
}

TEST_F(FlushBehaviorTest, TailLocalizedTakesEverythingWhateverIsUnderWay) {
  sealed_ = {Buffer(1), Buffer(3)};
  const std::vector<WriteOp> ops = TailLocalized(/*in_flight=*/2);
  ASSERT_EQ(ops.size(), 2U);
  EXPECT_EQ(ops[0].offset, 4096U);
  EXPECT_EQ(ops[1].offset, 3 * 4096U);
  EXPECT_TRUE(sealed_.empty());
  sealed_ = {Buffer(0)};
  EXPECT_EQ(TailLocalized(/*in_flight=*/2).size(), 1U) << "an older one may come later";
}

TEST_F(FlushBehaviorTest, ASerializedBatchStaysWithinItsLimitButTakesOneBuffer) {
  sealed_ = {Buffer(0), Buffer(1), Buffer(2)};
  ASSERT_EQ(Select(WriteMode::kSerializedWrites, 0, 0, 8191).size(), 1U);
  EXPECT_EQ(sealed_.size(), 2U);
  const std::vector<WriteOp> one = Select(WriteMode::kSerializedWrites, 0, 0, 1);
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].offset, 4096U);
  EXPECT_EQ(one[0].length, 4096U);
  sealed_ = {Buffer(2), Buffer(3)};
  EXPECT_EQ(Select(WriteMode::kSerializedWrites, 0, 0, 8192)[0].length, 8192U);
}

TEST_F(FlushBehaviorTest, APartialBufferGoesDownToTheEndOfItsPage) {
  for (const WriteMode mode : {WriteMode::kSerializedWrites, WriteMode::kTailLocalizedWrites}) {
    next_sequence_ = 0;
    sealed_ = {Buffer(0, 100)};
    const std::vector<WriteOp> ops = Select(mode);
    ASSERT_EQ(ops.size(), 1U);
    EXPECT_EQ(ops[0].length, 4096U);
  }
}

TEST_F(FlushBehaviorTest, PagesThatASyncHasWrittenAreLeftOut) {
  SealedBuffer big = {0, 0, 16384, memory_.data()};
  for (const WriteMode mode : {WriteMode::kSerializedWrites, WriteMode::kTailLocalizedWrites}) {
    next_sequence_ = 0;
    sealed_ = {big};
    std::vector<WriteOp> ops = Select(mode, 0, /*written=*/9000);
    ASSERT_EQ(ops.size(), 1U);
    EXPECT_EQ(ops[0].offset, 8192U) << "the page that was written in part is written again";
    EXPECT_EQ(ops[0].end(), 16384U);
    EXPECT_EQ(ops[0].data, memory_.data() + 8192);

    next_sequence_ = 0;
    sealed_ = {big};
    EXPECT_TRUE(Select(mode, 0, /*written=*/16384).empty());
    EXPECT_TRUE(sealed_.empty()) << "taken all the same";
    EXPECT_EQ(next_sequence_, 1U);
  }
}

}  // namespace
}  // namespace lss

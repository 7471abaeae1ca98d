#include "lss/ring/flush_buffer.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "tests/support/aligned_memory.h"

namespace lss {
namespace {

constexpr uint32_t kCapacity = 4096;

class FlushBufferTest : public testing::Test {
 protected:
  FlushBufferTest() : memory_(2 * kCapacity) {
    std::memset(memory_.data(), 'x', memory_.size());
    buffer_.Attach(memory_.data(), kCapacity, &base_);
  }

  // Reserves and leaves; for tests that do not care about the writer.
  void Fill(uint32_t length, uint32_t generation = 0) {
    ASSERT_TRUE(buffer_.Reserve(length, generation).reserved);
    ASSERT_EQ(buffer_.Leave(), FlushDuty::kNone);
  }
  // Seals lap `generation` with nobody inside.
  void SealAndClaim(uint32_t generation) {
    ASSERT_EQ(buffer_.Seal(generation), FlushDuty::kMustFlush);
  }

  test::AlignedMemory memory_;
  GuardedWord base_ = {};
  FlushBuffer buffer_;
};

TEST_F(FlushBufferTest, BornClosed) {
  for (uint32_t generation = 0; generation < kGenerations; ++generation) {
    EXPECT_FALSE(buffer_.Reserve(1, generation).reserved);
    EXPECT_EQ(buffer_.Remaining(generation), 0U);
  }
}

TEST_F(FlushBufferTest, ReservationsFollowEachOtherToTheLastByte) {
  buffer_.Reopen(0, 0);
  uint32_t expected = 0;
  for (const uint32_t length : {1U, 100U, 3000U, 995U}) {
    EXPECT_EQ(buffer_.Remaining(0), kCapacity - expected);
    const BufferReservation got = buffer_.Reserve(length, 0);
    ASSERT_TRUE(got.reserved);
    EXPECT_EQ(got.offset, expected);
    expected += length;
  }
  EXPECT_EQ(expected, kCapacity);
  EXPECT_EQ(buffer_.Remaining(0), 0U);
  EXPECT_FALSE(buffer_.IsSealed(0)) << "full is not sealed: the writers are still inside";
  EXPECT_FALSE(buffer_.Reserve(1, 0).reserved);
  EXPECT_TRUE(buffer_.IsSealed(0));
  EXPECT_EQ(buffer_.SealedLength(), kCapacity);
}

TEST_F(FlushBufferTest, TheFirstThatDoesNotFitSealsForAll) {
  buffer_.Reopen(0, 0);
  Fill(4000);
  const BufferReservation too_long = buffer_.Reserve(97, 0);
  EXPECT_FALSE(too_long.reserved);
  EXPECT_EQ(too_long.duty, FlushDuty::kMustFlush) << "nobody else is inside to do it";
  EXPECT_EQ(buffer_.SealedLength(), 4000U);
  EXPECT_FALSE(buffer_.Reserve(1, 0).reserved) << "a sealed buffer takes nothing, not even a byte";
  EXPECT_EQ(buffer_.StateForTest().write_offset, 4000U) << "failed reservations leave no trace";
  EXPECT_EQ(buffer_.StateForTest().writers, 0U);
}

TEST_F(FlushBufferTest, ALapThatIsOverTakesNothing) {
  buffer_.Reopen(0, 0);
  Fill(10);
  SealAndClaim(0);
  buffer_.Reopen(8192, 1);
  EXPECT_FALSE(buffer_.Reserve(1, 0).reserved);
  EXPECT_EQ(buffer_.Seal(0), FlushDuty::kNone);
  EXPECT_FALSE(buffer_.IsSealed(1)) << "sealing a past lap must not touch this one";
  EXPECT_EQ(buffer_.Remaining(0), 0U);
  EXPECT_EQ(buffer_.Remaining(1), kCapacity);
}

TEST_F(FlushBufferTest, ReopenedBufferStartsEmptyAtItsNewBase) {
  buffer_.Reopen(4096, 0);
  EXPECT_EQ(buffer_.base(), 4096U);
  Fill(kCapacity);
  SealAndClaim(0);
  buffer_.Reopen(65536, 1);
  EXPECT_EQ(buffer_.base(), 65536U);
  EXPECT_EQ(base_.load(std::memory_order_relaxed), 65536U)
      << "other processes read the base from the ring's header";
  const BufferReservation got = buffer_.Reserve(5, 1);
  ASSERT_TRUE(got.reserved);
  EXPECT_EQ(got.offset, 0U);
}

TEST_F(FlushBufferTest, WhatASoleAppenderTakesFollowsItselfAndLeavesNobodyInside) {
  buffer_.Reopen(0, 0);
  uint32_t expected = 0;
  for (const uint32_t length : {1U, 100U, 3000U, 995U}) {
    EXPECT_EQ(buffer_.Remaining(0), kCapacity - expected);
    EXPECT_EQ(buffer_.Take(length), expected);
    expected += length;
  }
  EXPECT_EQ(expected, kCapacity);
  EXPECT_EQ(buffer_.Remaining(0), 0U);
  EXPECT_EQ(buffer_.StateForTest().writers, 0U);
  EXPECT_FALSE(buffer_.IsSealed(0));
  SealAndClaim(0);
  EXPECT_EQ(buffer_.SealedLength(), kCapacity);
  buffer_.Reopen(kCapacity, 1);
  EXPECT_EQ(buffer_.Take(7), 0U) << "in the next lap, too";
  EXPECT_EQ(buffer_.Remaining(1), kCapacity - 7);
  EXPECT_EQ(buffer_.StateForTest().generation, 1U);
  SealAndClaim(1);
  EXPECT_EQ(buffer_.SealedLength(), 7U);
}

TEST_F(FlushBufferTest, SealingAnEmptyBufferHasNoEffect) {
  buffer_.Reopen(0, 0);
  EXPECT_EQ(buffer_.Seal(0), FlushDuty::kNone);
  EXPECT_FALSE(buffer_.IsSealed(0));
  EXPECT_TRUE(buffer_.Reserve(1, 0).reserved);
}

// Trap 1: after a successful compare-exchange `expected` is the old word, and that is the word
// whose offset counts.
TEST_F(FlushBufferTest, Trap01_SealCapturesTheLengthOfItsExchange) {
  buffer_.Reopen(0, 0);
  ASSERT_TRUE(buffer_.Reserve(100, 0).reserved);
  ASSERT_TRUE(buffer_.Reserve(23, 0).reserved);
  EXPECT_EQ(buffer_.Seal(0), FlushDuty::kNone) << "two writers are inside";
  EXPECT_EQ(buffer_.SealedLength(), 123U);
  EXPECT_EQ(buffer_.StateForTest().writers, 2U) << "the sealer's own count is given back";
}

// Trap 1: fetch_sub returns the old word, so the last of two sees one writer and not none.
TEST_F(FlushBufferTest, Trap01_OnlyTheLastOfTwoWritersGetsTheDuty) {
  buffer_.Reopen(0, 0);
  ASSERT_TRUE(buffer_.Reserve(100, 0).reserved);
  ASSERT_TRUE(buffer_.Reserve(100, 0).reserved);
  ASSERT_EQ(buffer_.Seal(0), FlushDuty::kNone);
  EXPECT_EQ(buffer_.Leave(), FlushDuty::kNone);
  EXPECT_EQ(buffer_.Leave(), FlushDuty::kMustFlush);
}

TEST_F(FlushBufferTest, Trap03_TheSealedLengthOutlivesLateReservers) {
  buffer_.Reopen(0, 0);
  ASSERT_TRUE(buffer_.Reserve(1000, 0).reserved);
  ASSERT_EQ(buffer_.Seal(0), FlushDuty::kNone);
  for (uint32_t length = 1; length <= kCapacity; length += 500) {
    const BufferReservation late = buffer_.Reserve(length, 0);
    EXPECT_FALSE(late.reserved);
    EXPECT_EQ(late.duty, FlushDuty::kNone) << "the writer inside will be the last one out";
    EXPECT_EQ(buffer_.SealedLength(), 1000U);
  }
  EXPECT_EQ(buffer_.Leave(), FlushDuty::kMustFlush);
  EXPECT_EQ(buffer_.SealedLength(), 1000U);
}

TEST_F(FlushBufferTest, Trap05_NobodyGetsInBeforeReopenIsComplete) {
  buffer_.Reopen(0, 0);
  Fill(10);
  SealAndClaim(0);
  for (uint32_t generation = 0; generation < kGenerations; ++generation) {
    EXPECT_FALSE(buffer_.Reserve(1, generation).reserved) << "generation " << generation;
  }
  buffer_.Reopen(4096, 1);
  EXPECT_TRUE(buffer_.Reserve(1, 1).reserved);
}

TEST_F(FlushBufferTest, Trap06_TheSealerOfABufferWithoutWritersGetsTheDuty) {
  buffer_.Reopen(0, 0);
  Fill(10);
  EXPECT_EQ(buffer_.Seal(0), FlushDuty::kMustFlush);
  EXPECT_EQ(buffer_.Seal(0), FlushDuty::kNone) << "once";
  EXPECT_EQ(buffer_.Reserve(10, 0).duty, FlushDuty::kNone) << "and not to a late reserver";
}

TEST_F(FlushBufferTest, Trap06_NoDutyBeforeTheSeal) {
  buffer_.Reopen(0, 0);
  ASSERT_TRUE(buffer_.Reserve(kCapacity, 0).reserved);
  EXPECT_EQ(buffer_.Leave(), FlushDuty::kNone) << "full, but nobody has sealed";
  EXPECT_EQ(buffer_.Reserve(1, 0).duty, FlushDuty::kMustFlush);
}

TEST_F(FlushBufferTest, Trap07_AnAbandonedReservationIsZerosAndBlocksNobody) {
  buffer_.Reopen(0, 0);
  Fill(16);
  const BufferReservation got = buffer_.Reserve(100, 0);
  ASSERT_TRUE(got.reserved);
  Fill(16);
  ASSERT_EQ(buffer_.Seal(0), FlushDuty::kNone);
  EXPECT_EQ(buffer_.Abandon(got.offset, 100), FlushDuty::kMustFlush);
  EXPECT_EQ(std::string(memory_.data() + 16, 100), std::string(100, '\0'));
  EXPECT_EQ(std::string(memory_.data(), 16), std::string(16, 'x'));
  EXPECT_EQ(std::string(memory_.data() + 116, 16), std::string(16, 'x'));
}

TEST_F(FlushBufferTest, AllGenerationsInTurn) {
  buffer_.Reopen(0, 0);
  for (uint64_t lap = 0; lap < 2 * kGenerations + 3; ++lap) {
    Fill(static_cast<uint32_t>(lap + 1), GenerationOfLap(lap));
    ASSERT_EQ(buffer_.Seal(GenerationOfLap(lap)), FlushDuty::kMustFlush) << "lap " << lap;
    ASSERT_EQ(buffer_.SealedLength(), lap + 1);
    buffer_.Reopen((lap + 1) * kCapacity, GenerationOfLap(lap + 1));
  }
}

}  // namespace
}  // namespace lss

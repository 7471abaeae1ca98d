#include "plugin/wal_stale_piece.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace bloom_lfs {
namespace {

constexpr uint64_t kBlock = kWalBlockBytes;
constexpr uint64_t kLap = 8 * kBlock;
constexpr char kHeader[] = "crc+len";
static_assert(sizeof(kHeader) == kWalHeaderBytes + 1);

// A file of 32 blocks with the header at these places.
class StalePiece : public testing::Test {
 protected:
  void Put(uint64_t offset) { file_.replace(offset, kWalHeaderBytes, kHeader); }
  bool IsStaleAt(uint64_t offset, uint64_t lap = kLap) const {
    const TailReadFunction read = [this](uint64_t at, size_t n, char* scratch) -> int64_t {
      if (fails_) {
        return -EIO;
      }
      const size_t got = at < file_.size() ? std::min<size_t>(n, file_.size() - at) : 0;
      std::memcpy(scratch, file_.data() + (got > 0 ? at : 0), got);
      return static_cast<int64_t>(got);
    };
    return IsStalePiece(read, lap, offset, kHeader);
  }

  std::string file_ = std::string(32 * kBlock, '.');
  bool fails_ = false;
};

TEST_F(StalePiece, WasThereAnyNumberOfLapsBefore) {
  EXPECT_FALSE(IsStaleAt(20 * kBlock));
  Put(20 * kBlock - kLap);
  EXPECT_TRUE(IsStaleAt(20 * kBlock));
  EXPECT_TRUE(IsStaleAt(28 * kBlock)) << "two laps";
  EXPECT_FALSE(IsStaleAt(21 * kBlock)) << "no multiple of the lap";
  EXPECT_FALSE(IsStaleAt(12 * kBlock)) << "itself";
}

TEST_F(StalePiece, InTheFirstLapThereIsNone) {
  Put(0);
  EXPECT_FALSE(IsStaleAt(kLap - kBlock));
  EXPECT_TRUE(IsStaleAt(kLap));
}

TEST_F(StalePiece, WhereAllIsAlikeItSaysNothing) {
  Put(12 * kBlock);
  Put(14 * kBlock);
  EXPECT_FALSE(IsStaleAt(20 * kBlock)) << "the same a few blocks behind";
  Put(9 * kBlock);
  EXPECT_FALSE(IsStaleAt(17 * kBlock)) << "and before";
}

TEST_F(StalePiece, NeighboursThatAreALapAwayAreTheSamePiece) {
  Put(0);
  Put(2 * kBlock);
  EXPECT_TRUE(IsStaleAt(4 * kBlock, 2 * kBlock));
}

TEST_F(StalePiece, WhatCannotBeReadIsNotTheSame) {
  Put(12 * kBlock);
  fails_ = true;
  EXPECT_FALSE(IsStaleAt(20 * kBlock));
}

}  // namespace
}  // namespace bloom_lfs

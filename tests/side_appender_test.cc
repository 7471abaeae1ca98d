// What brings a stream's bytes to a side log: where they are recorded, and how room is made.
#include "lss/second_place/side_appender.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/side_log_fixture.h"

namespace lss {
namespace {

using test::DeviceCall;
using test::StreamNumber;

class SideAppenderTest : public test::SideLogFixture {
 protected:
  static constexpr uint64_t kFiller = 99;
  static constexpr size_t kFilling = kGroupBytes - 200;  // most of a group

  SideAppenderTest() {
    parts_.figures = &figures_;
    OpenAgain();
  }
  void OpenAgain() {
    appender_ = nullptr;
    Format();
    OpenLog();
    parts_.log = log_.get();
    appender_ = std::make_unique<SideAppender>(StreamNumber(1), parts_);
  }
  // With records that are wanted, until not even a small one finds room.
  void FillUp() {
    for (const size_t size : {kFilling, size_t{1}}) {
      const std::string bytes(size, 'f');
      Status status;
      for (; status.ok(); filled_ += size) {
        status = Put(kFiller, filled_, bytes);
      }
      ASSERT_EQ(status.code(), Status::Code::kNoSpace) << status.ToString();
    }
  }
  // So often it says that there is more room, and only the last time it is true.
  void MakeRoomAfter(int times) {
    parts_.make_room = [this, times] {
      if (++asked_ == times) {
        log_->Forget(StreamNumber(kFiller));
      }
      return asked_ <= times;
    };
  }
  void NeverMakeRoom(int says_so) {
    parts_.make_room = [this, says_so] { return ++asked_ <= says_so; };
  }
  std::vector<Found> SyncAndScan() {
    Status status = log_->Sync(appender_->group());
    EXPECT_TRUE(status.ok()) << status.ToString();
    return Scan();
  }
  static std::string Bytes(size_t size) {
    std::string bytes(size, '\0');
    for (size_t i = 0; i < size; ++i) {
      bytes[i] = static_cast<char>(i * 2654435761U >> 13);
    }
    return bytes;
  }

  SecondFigures figures_;
  SecondParts parts_;
  int asked_ = 0;
  uint64_t filled_ = 0;
  std::unique_ptr<SideAppender> appender_;
};

TEST_F(SideAppenderTest, BytesAreRecordedByWhereTheyEnd) {
  ASSERT_TRUE(appender_->Append("abc", 103).ok());
  ASSERT_TRUE(appender_->Append("defg", 107).ok());
  const std::vector<Found> found = SyncAndScan();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].stream, StreamNumber(1));
  EXPECT_EQ(found[0].offset, 100U);
  EXPECT_EQ(found[0].bytes, "abc");
  EXPECT_EQ(found[1].offset, 103U);
  EXPECT_EQ(found[1].bytes, "defg");
  EXPECT_EQ(figures_.doubled_bytes, 7U);
}

TEST_F(SideAppenderTest, NoBytesAreNoRecord) {
  ASSERT_TRUE(appender_->Append("", 100).ok());
  EXPECT_EQ(appender_->group(), 0U) << "there is nothing to sync";
  ASSERT_TRUE(appender_->Append("abc", 103).ok());
  const uint64_t group = appender_->group();
  EXPECT_NE(group, 0U);
  ASSERT_TRUE(appender_->Append("", 103).ok());
  EXPECT_EQ(appender_->group(), group) << "the last one's";
  EXPECT_EQ(SyncAndScan().size(), 1U);
}

TEST_F(SideAppenderTest, TheGroupIsThatOfTheLastPiece) {
  const std::string bytes = Bytes(5 * kGroupBytes);
  ASSERT_TRUE(appender_->Append(bytes, 1000 + bytes.size()).ok());
  std::string together;
  for (const Found& piece : SyncAndScan()) {
    EXPECT_EQ(piece.offset, 1000 + together.size());
    together += piece.bytes;
  }
  EXPECT_TRUE(together == bytes);
}

TEST_F(SideAppenderTest, AFullLogIsGivenRoomUntilThereIsSome) {
  FillUp();
  MakeRoomAfter(3);
  ASSERT_TRUE(appender_->Append("abc", 103).ok());
  EXPECT_EQ(asked_, 3);
  const std::vector<Found> found = SyncAndScan();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].bytes, "abc");
}

TEST_F(SideAppenderTest, WhatALongOneHasLeftBeforeThereWasRoomHarmsNothing) {
  FillUp();
  log_->FileDurable(StreamNumber(kFiller), 3 * kFilling);  // room for some of the pieces
  MakeRoomAfter(1);
  const std::string bytes = Bytes(9 * kGroupBytes);
  ASSERT_TRUE(appender_->Append(bytes, bytes.size()).ok());
  EXPECT_EQ(asked_, 1);
  std::string together(bytes.size(), '\0');
  size_t recorded = 0;
  for (const Found& piece : SyncAndScan()) {
    together.replace(piece.offset, piece.bytes.size(), piece.bytes);
    recorded += piece.bytes.size();
  }
  EXPECT_TRUE(together == bytes);
  EXPECT_GT(recorded, bytes.size()) << "some pieces are there twice";
  log_->FileDurable(StreamNumber(1), bytes.size());
  StreamName oldest;
  EXPECT_FALSE(log_->Oldest(&oldest)) << "nothing of it stays wanted";
}

TEST_F(SideAppenderTest, WhereNobodyHasRoomToGiveItIsAnError) {
  FillUp();
  EXPECT_EQ(appender_->Append("abc", 103).code(), Status::Code::kNoSpace);
  NeverMakeRoom(2);
  EXPECT_EQ(appender_->Append("abc", 103).code(), Status::Code::kNoSpace);
  EXPECT_EQ(asked_, 3) << "as long as there was hope";
  log_->Forget(StreamNumber(kFiller));
  ASSERT_TRUE(appender_->Append("abc", 103).ok());
  EXPECT_EQ(SyncAndScan().size(), 1U);
}

TEST_F(SideAppenderTest, AFailedLogIsAskedForNoRoom) {
  for (const int error : {EIO, ENOSPC}) {
    SCOPED_TRACE(error);
    OpenAgain();
    MakeRoomAfter(1);
    device_.Fail({DeviceCall::kWrite, error});
    ASSERT_TRUE(appender_->Append("abc", 103).ok()) << "it is in memory";
    EXPECT_EQ(log_->Sync(appender_->group()).code(), Status::Code::kIoError);
    const std::string bytes = Bytes(3 * kGroupBytes);
    EXPECT_EQ(appender_->Append(bytes, 103 + bytes.size()).code(), Status::Code::kIoError);
    EXPECT_EQ(asked_, 0);
  }
}

}  // namespace
}  // namespace lss

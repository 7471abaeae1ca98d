// The handle of a log whose syncs rest on a second place: what reaches the file, what the side log,
// and what becomes of their errors.
#include "plugin/second/doubled_log_file.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "tests/support/second_log_fixture.h"

namespace bloom_lfs {
namespace {

using lss::DoubledStream;
using lss::SecondMode;
using rocksdb::IOStatus;
using test::LogCall;

class DoubledLogFileTest : public test::SecondLogFixture {
 protected:
  std::unique_ptr<DoubledLogFile> Create(SecondMode mode,
                                         int64_t degrade_after_ms = DoubledStream::kNever) {
    const std::shared_ptr<SyncedFile> file = NewFile();
    auto stream = place_->Begin(name_, mode, degrade_after_ms, [file] { return file->Sync(); });
    return std::make_unique<DoubledLogFile>(file, place_, std::move(stream), NewOwner());
  }
  std::unique_ptr<DoubledLogFile> CreateGroup() { return Create(SecondMode::kGroup); }

  IOStatus Append(DoubledLogFile* file, const std::string& bytes) {
    return file->Append(bytes, io_, nullptr);
  }
};

TEST_F(DoubledLogFileTest, ASyncOfAGroupRestsOnTheSideLog) {
  const auto file = CreateGroup();
  ASSERT_TRUE(Append(file.get(), "one ").ok());
  ASSERT_TRUE(file->Append("two ", io_, rocksdb::DataVerificationInfo(), nullptr).ok());
  EXPECT_EQ(log_->content(), "one two ") << "the file has it at once";
  EXPECT_EQ(OnSide(), "");
  ASSERT_TRUE(file->Sync(io_, nullptr).ok());
  EXPECT_EQ(OnSide(), "one two ");
  ASSERT_TRUE(Append(file.get(), "three").ok());
  ASSERT_TRUE(file->Fsync(io_, nullptr).ok());
  EXPECT_EQ(OnSide(), "one two three");
  EXPECT_EQ(log_->Begun(LogCall::kSync), 0);
  EXPECT_EQ(noted_, 2) << "but it is told";
}

TEST_F(DoubledLogFileTest, ASyncOfAMirrorIsInBoth) {
  const auto file = Create(SecondMode::kMirror);
  ASSERT_TRUE(Append(file.get(), "bytes").ok());
  ASSERT_TRUE(file->Sync(io_, nullptr).ok());
  EXPECT_EQ(OnSide(), "bytes");
  EXPECT_EQ(log_->durable(), 5U);
}

TEST_F(DoubledLogFileTest, WhatTheFileHasNotTakenIsNotRecorded) {
  const auto file = CreateGroup();
  ASSERT_TRUE(Append(file.get(), "one ").ok());
  for (int i = 0; i < 2; ++i) {
    log_->FailNext(LogCall::kAppend, IOStatus::NoSpace("full"));
    EXPECT_TRUE((i == 0 ? Append(file.get(), "lost")
                        : file->Append("lost", io_, rocksdb::DataVerificationInfo(), nullptr))
                    .IsNoSpace());
  }
  ASSERT_TRUE(Append(file.get(), "two").ok());
  ASSERT_TRUE(file->Sync(io_, nullptr).ok());
  EXPECT_EQ(OnSide(), "one two");
}

TEST_F(DoubledLogFileTest, EverythingElseIsTheFiles) {
  const auto file = CreateGroup();
  ASSERT_TRUE(Append(file.get(), "12345").ok());
  EXPECT_EQ(file->GetFileSize(io_, nullptr), 5U);
  EXPECT_TRUE(file->Flush(io_, nullptr).ok());
  EXPECT_TRUE(file->Allocate(0, 4096, io_, nullptr).ok());
  EXPECT_TRUE(file->Truncate(5, io_, nullptr).ok());
  for (const LogCall call : {LogCall::kFlush, LogCall::kAllocate, LogCall::kTruncate}) {
    EXPECT_EQ(log_->Begun(call), 1);
    log_->FailNext(call, IOStatus::IOError("broken"));
  }
  EXPECT_FALSE(file->Flush(io_, nullptr).ok());
  EXPECT_FALSE(file->Allocate(0, 4096, io_, nullptr).ok());
  EXPECT_FALSE(file->Truncate(5, io_, nullptr).ok());
}

TEST_F(DoubledLogFileTest, WithoutASideLogTheFileIsSynced) {
  const auto file = CreateGroup();
  ASSERT_TRUE(Append(file.get(), "before").ok());
  ASSERT_TRUE(file->Sync(io_, nullptr).ok());
  ASSERT_TRUE(Append(file.get(), " and after").ok());
  FailSideLog();
  ASSERT_TRUE(file->Sync(io_, nullptr).ok());
  EXPECT_EQ(log_->durable(), 16U);
  EXPECT_EQ(OnSide(), "before");
  log_->FailNext(LogCall::kSync, IOStatus::IOError("broken"));
  EXPECT_TRUE(file->Sync(io_, nullptr).IsIOError()) << "neither has it";
  EXPECT_FALSE(file->Close(io_, nullptr).ok());
}

TEST_F(DoubledLogFileTest, AMirrorThatWaitsTellsOfItsSideLogsErrorAndOneThatDoesNotGoesOn) {
  for (const int64_t degrade_after_ms : {DoubledStream::kNever, int64_t{60000}}) {
    const auto file = Create(SecondMode::kMirror, degrade_after_ms);
    ASSERT_TRUE(Append(file.get(), "bytes").ok());
    FailSideLog();
    EXPECT_EQ(file->Sync(io_, nullptr).ok(), degrade_after_ms != DoubledStream::kNever);
    EXPECT_EQ(log_->durable(), log_->content().size()) << "the file has it all the same";
    EXPECT_TRUE(file->Close(io_, nullptr).ok());
  }
}

TEST_F(DoubledLogFileTest, ClosingBringsAGroupToItsFileAndGivesItsRecordsUp) {
  const auto file = CreateGroup();
  ASSERT_TRUE(Append(file.get(), "bytes").ok());
  ASSERT_TRUE(file->Sync(io_, nullptr).ok());
  EXPECT_TRUE(IsWanted());
  EXPECT_FALSE(owner_.expired());
  ASSERT_TRUE(file->Close(io_, nullptr).ok());
  EXPECT_EQ(log_->durable(), 5U);
  EXPECT_FALSE(IsWanted());
  EXPECT_TRUE(owner_.expired());
}

TEST_F(DoubledLogFileTest, ClosingLeavesAMirrorsRecords) {
  const auto file = Create(SecondMode::kMirror);
  ASSERT_TRUE(Append(file.get(), "bytes").ok());
  ASSERT_TRUE(file->Sync(io_, nullptr).ok());
  ASSERT_TRUE(file->Close(io_, nullptr).ok());
  EXPECT_TRUE(IsWanted()) << "for another machine";
  EXPECT_EQ(OnSide(), "bytes");
}

TEST_F(DoubledLogFileTest, RecordsStayIfTheFileCannotBeSyncedWhenItIsClosed) {
  const auto file = CreateGroup();
  ASSERT_TRUE(Append(file.get(), "bytes").ok());
  ASSERT_TRUE(file->Sync(io_, nullptr).ok());
  log_->FailNext(LogCall::kSync, IOStatus::IOError("broken"));
  const IOStatus status = file->Close(io_, nullptr);
  EXPECT_TRUE(status.IsIOError());
  EXPECT_NE(status.ToString().find("broken"), std::string::npos) << status.ToString();
  EXPECT_EQ(log_->Begun(LogCall::kClose), 1) << "it is closed all the same";
  EXPECT_TRUE(IsWanted());
  EXPECT_EQ(OnSide(), "bytes");
}

TEST_F(DoubledLogFileTest, WhatClosingTheFileSaysIsTold) {
  ExpectWhatClosingSaysIsTold(CreateGroup().get());
}

TEST_F(DoubledLogFileTest, ItIsClosedOnceByWhomever) { ExpectIsClosedOnce(CreateGroup()); }

TEST_F(DoubledLogFileTest, WhoDropsItClosesIt) {
  auto file = CreateGroup();
  ASSERT_TRUE(Append(file.get(), "bytes").ok());
  ASSERT_TRUE(file->Sync(io_, nullptr).ok());
  file.reset();
  EXPECT_EQ(log_->Begun(LogCall::kClose), 1);
  EXPECT_EQ(log_->durable(), 5U);
  EXPECT_FALSE(IsWanted());
  EXPECT_TRUE(owner_.expired());
}

TEST_F(DoubledLogFileTest, AppendsGoOnBesideASync) {
  const auto file = Create(SecondMode::kMirror);
  ASSERT_TRUE(Append(file.get(), "before ").ok());
  log_->Hold(LogCall::kSync);
  std::thread syncer([&] { EXPECT_TRUE(file->Sync(io_, nullptr).ok()); });
  log_->AwaitBegun(LogCall::kSync, 1);
  EXPECT_TRUE(Append(file.get(), "beside").ok());
  log_->Release();
  syncer.join();
  ASSERT_TRUE(file->Sync(io_, nullptr).ok());
  EXPECT_EQ(OnSide(), "before beside");
}

TEST_F(DoubledLogFileTest, ManySyncsBesideAppendsLoseNothing) {
  const auto file = CreateGroup();
  std::atomic<bool> done{false};
  std::thread syncer([&] {
    while (!done) {
      EXPECT_TRUE(file->Sync(io_, nullptr).ok());
    }
  });
  std::string all;
  for (int i = 0; i < 500; ++i) {
    all += std::to_string(i) + " ";
    ASSERT_TRUE(Append(file.get(), std::to_string(i) + " ").ok());
  }
  ASSERT_TRUE(file->Sync(io_, nullptr).ok());
  done = true;
  syncer.join();
  EXPECT_EQ(OnSide(), all);
}

TEST_F(DoubledLogFileTest, AFileThatIsClosedIsNotSyncedAndOneThatIsSyncedNotClosed) {
  const std::shared_ptr<SyncedFile> file = NewFile();
  log_->Hold(LogCall::kSync);
  std::thread syncer([&] { EXPECT_TRUE(file->Sync().ok()); });
  log_->AwaitBegun(LogCall::kSync, 1);
  std::thread closer([&] { EXPECT_TRUE(file->Close(io_, nullptr).ok()); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(log_->Begun(LogCall::kClose), 0);
  log_->Release();
  syncer.join();
  closer.join();
  EXPECT_EQ(file->Sync().code(), lss::Status::Code::kClosed);
  EXPECT_EQ(log_->Begun(LogCall::kSync), 1);
}

TEST_F(DoubledLogFileTest, AForkedChildsCopyDoesNothing) {
  auto file = CreateGroup();
  ASSERT_TRUE(Append(file.get(), "one ").ok());
  ASSERT_TRUE(file->Sync(io_, nullptr).ok());
  ASSERT_TRUE(Append(file.get(), "two ").ok());
  const uint64_t writes = place_->log()->writes();
  EXPECT_TRUE(InForkedChild([&] {
    const bool refused = !Append(file.get(), "child's").ok() && !file->Sync(io_, nullptr).ok();
    const bool closed = file->Close(io_, nullptr).ok();
    file.reset();
    return refused && closed && log_->content() == "one two " &&
           log_->Begun(LogCall::kClose) == 0 && place_->log()->writes() == writes;
  }));
  EXPECT_EQ(OnSide(), "one ");
  EXPECT_TRUE(InForkedChild([&] {
    file.reset();
    place_.reset();
    return log_->Begun(LogCall::kClose) == 0;
  })) << "dropped and not closed";
  ASSERT_TRUE(file->Sync(io_, nullptr).ok());
  EXPECT_EQ(OnSide(), "one two ");
  EXPECT_TRUE(file->Close(io_, nullptr).ok());
}

}  // namespace
}  // namespace bloom_lfs

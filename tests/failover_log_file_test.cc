// The handle of a log that does not wait for a file that hangs: what waits for the file all the
// same, and what becomes of errors.
#include "plugin/second/failover_log_file.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "tests/support/second_log_fixture.h"

namespace bloom_lfs {
namespace {

using rocksdb::IOStatus;
using test::LogCall;

constexpr int64_t kPatient = 3600LL * 1000000000;

class FailoverLogFileTest : public test::SecondLogFixture {
 protected:
  FailoverLogFileTest() { std::filesystem::create_directory(queues_); }
  // `hedge`: the side log is asked at once; otherwise after `patience_ns`.
  std::unique_ptr<FailoverLogFile> Create(bool hedge, int64_t patience_ns = kPatient) {
    const std::shared_ptr<SyncedFile> file = NewFile();
    const lss::FailoverLimits limits = {patience_ns, patience_ns, patience_ns};
    std::shared_ptr<lss::FailoverStream> stream;
    const lss::Status status =
        place_->BeginFailover(name_, hedge, std::make_shared<lss::SharedFailoverPolicy>(limits),
                              queues_, std::make_shared<FedFile>(file), &stream);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return std::make_unique<FailoverLogFile>(file, place_, std::move(stream), NewOwner());
  }
  std::unique_ptr<FailoverLogFile> CreateHedge() { return Create(true); }
  std::unique_ptr<FailoverLogFile> CreatePatient() { return Create(false); }

  IOStatus Append(FailoverLogFile* file, const std::string& bytes) {
    return file->Append(bytes, io_, nullptr);
  }
  bool IsQueueThere() const { return !std::filesystem::is_empty(queues_); }

  const std::string queues_ = dir_ / "queues";
};

TEST_F(FailoverLogFileTest, NothingButBringingItUpToDateWaitsForTheFile) {
  const auto file = CreateHedge();
  log_->Hold(LogCall::kAppend);
  ASSERT_TRUE(Append(file.get(), "one ").ok());
  EXPECT_TRUE(file->Flush(io_, nullptr).ok()) << "of a record";
  ASSERT_TRUE(file->Append("two", io_, rocksdb::DataVerificationInfo(), nullptr).ok());
  EXPECT_TRUE(file->Sync(io_, nullptr).ok());
  EXPECT_TRUE(file->Fsync(io_, nullptr).ok());
  EXPECT_EQ(file->GetFileSize(io_, nullptr), 7U);
  EXPECT_TRUE(file->Allocate(0, 4096, io_, nullptr).ok());
  EXPECT_TRUE(file->RangeSync(0, 7, io_, nullptr).ok());
  EXPECT_EQ(log_->content(), "");
  EXPECT_EQ(OnSide(), "one two");
  log_->Release();
  ASSERT_TRUE(file->Close(io_, nullptr).ok());
  EXPECT_EQ(log_->content(), "one two");
  EXPECT_EQ(log_->Begun(LogCall::kAllocate), 0) << "the file's own business";
}

TEST_F(FailoverLogFileTest, AFileThatAnswersIsSyncedAlone) {
  const auto file = CreatePatient();
  ASSERT_TRUE(Append(file.get(), "bytes").ok());
  ASSERT_TRUE(file->Sync(io_, nullptr).ok());
  EXPECT_EQ(log_->durable(), 5U);
  EXPECT_EQ(OnSide(), "");
}

TEST_F(FailoverLogFileTest, ASyncThatLosesPatienceRestsOnTheSideLog) {
  const auto file = Create(false, 1000000);
  log_->Hold(LogCall::kSync);
  ASSERT_TRUE(Append(file.get(), "bytes").ok());
  ASSERT_TRUE(file->Sync(io_, nullptr).ok());
  EXPECT_EQ(OnSide(), "bytes");
  EXPECT_EQ(log_->durable(), 0U);
  log_->Release();
}

TEST_F(FailoverLogFileTest, AFlushThatShowsItWaitsUntilTheFileHasIt) {
  const auto file = CreatePatient();
  const std::string bytes(3 << 20, 'b');
  ASSERT_TRUE(Append(file.get(), bytes).ok());
  ASSERT_TRUE(file->Flush(io_, nullptr).ok());
  ASSERT_TRUE(file->Flush(io_, nullptr).ok());  // not of a record
  EXPECT_TRUE(log_->content() == bytes);
  EXPECT_EQ(log_->Begun(LogCall::kFlush), 1);
  log_->FailNext(LogCall::kFlush, IOStatus::IOError("broken"));
  EXPECT_TRUE(file->Flush(io_, nullptr).IsIOError());
}

TEST_F(FailoverLogFileTest, ATruncationFindsWhatWasAppended) {
  const auto file = CreatePatient();
  const std::string bytes(3 << 20, 'b');
  ASSERT_TRUE(Append(file.get(), bytes).ok());
  ASSERT_TRUE(file->Truncate(bytes.size(), io_, nullptr).ok());
  EXPECT_TRUE(log_->content() == bytes);
  EXPECT_EQ(log_->Begun(LogCall::kTruncate), 1);
}

TEST_F(FailoverLogFileTest, AfterAnErrorOfTheFileNothingMoreIsAcknowledged) {
  for (const LogCall call : {LogCall::kAppend, LogCall::kSync}) {
    const auto file = CreatePatient();
    log_->FailNext(call, IOStatus::IOError("broken"));
    ASSERT_TRUE(Append(file.get(), "bytes").ok());
    const IOStatus status = file->Sync(io_, nullptr);
    EXPECT_TRUE(status.IsIOError());
    EXPECT_NE(status.ToString().find("broken"), std::string::npos) << status.ToString();
    EXPECT_FALSE(Append(file.get(), "more").ok());
    EXPECT_FALSE(file->Sync(io_, nullptr).ok());
    EXPECT_FALSE(file->Truncate(5, io_, nullptr).ok());
    EXPECT_TRUE(file->Close(io_, nullptr).IsIOError());
  }
  EXPECT_EQ(log_->Begun(LogCall::kClose), 2) << "they are closed all the same";
}

TEST_F(FailoverLogFileTest, RecordsStayIfTheFileDoesNotGetThem) {
  const auto file = CreateHedge();
  log_->Hold(LogCall::kAppend);
  ASSERT_TRUE(Append(file.get(), "bytes").ok());
  ASSERT_TRUE(file->Sync(io_, nullptr).ok());
  log_->FailNext(LogCall::kAppend, IOStatus::IOError("broken"));
  log_->Release();
  EXPECT_TRUE(file->Close(io_, nullptr).IsIOError());
  EXPECT_TRUE(IsWanted());
  EXPECT_EQ(OnSide(), "bytes");
}

TEST_F(FailoverLogFileTest, WithoutASideLogSyncsWaitForTheFile) {
  const auto file = CreateHedge();
  FailSideLog();
  log_->Hold(LogCall::kSync);
  ASSERT_TRUE(Append(file.get(), "bytes").ok());
  std::atomic<bool> returned{false};
  std::thread syncer([&] {
    EXPECT_TRUE(file->Sync(io_, nullptr).ok());
    returned = true;
  });
  while (!place_->log()->has_failed()) {
    std::this_thread::yield();
  }
  EXPECT_FALSE(returned);
  log_->Release();
  syncer.join();
  EXPECT_EQ(log_->durable(), 5U);
  log_->FailNext(LogCall::kSync, IOStatus::IOError("broken"));
  ASSERT_TRUE(Append(file.get(), "more").ok());
  EXPECT_TRUE(file->Sync(io_, nullptr).IsIOError()) << "neither has it";
}

TEST_F(FailoverLogFileTest, ClosingBringsItToTheFileAndGivesItsRecordsUp) {
  const auto file = CreateHedge();
  log_->Hold(LogCall::kSync);
  ASSERT_TRUE(Append(file.get(), "bytes").ok());
  ASSERT_TRUE(file->Sync(io_, nullptr).ok());
  EXPECT_TRUE(IsWanted());
  EXPECT_FALSE(owner_.expired());
  log_->Release();
  ASSERT_TRUE(file->Close(io_, nullptr).ok());
  EXPECT_EQ(log_->content(), "bytes");
  EXPECT_EQ(log_->durable(), 5U);
  EXPECT_FALSE(IsWanted());
  EXPECT_TRUE(owner_.expired());
}

TEST_F(FailoverLogFileTest, WhatClosingTheFileSaysIsTold) {
  ExpectWhatClosingSaysIsTold(CreatePatient().get());
}

TEST_F(FailoverLogFileTest, ItIsClosedOnceByWhomever) { ExpectIsClosedOnce(CreatePatient()); }

TEST_F(FailoverLogFileTest, WhoDropsItClosesIt) {
  auto file = CreatePatient();
  ASSERT_TRUE(Append(file.get(), "bytes").ok());
  ASSERT_TRUE(file->Sync(io_, nullptr).ok());
  EXPECT_TRUE(IsQueueThere());
  file.reset();
  EXPECT_EQ(log_->Begun(LogCall::kClose), 1);
  EXPECT_EQ(log_->durable(), 5U);
  EXPECT_TRUE(owner_.expired());
  EXPECT_FALSE(IsQueueThere());
}

TEST_F(FailoverLogFileTest, SyncsBesideAppendsLoseNothing) {
  const auto file = CreateHedge();
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
  EXPECT_EQ(file->GetFileSize(io_, nullptr), all.size());
  done = true;
  syncer.join();
  ASSERT_TRUE(file->Close(io_, nullptr).ok());
  EXPECT_EQ(log_->content(), all);
}

TEST_F(FailoverLogFileTest, AForkedChildsCopyDoesNothing) {
  auto file = CreatePatient();
  ASSERT_TRUE(Append(file.get(), "one ").ok());
  ASSERT_TRUE(file->Sync(io_, nullptr).ok());
  EXPECT_TRUE(InForkedChild([&] {
    const bool refused = !Append(file.get(), "child's").ok() && !file->Sync(io_, nullptr).ok() &&
                         !file->Truncate(0, io_, nullptr).ok();
    const bool closed = file->Close(io_, nullptr).ok();
    file.reset();
    return refused && closed && log_->Begun(LogCall::kClose) == 0;
  }));
  log_->Hold(LogCall::kAppend);
  ASSERT_TRUE(Append(file.get(), "two").ok());
  log_->AwaitBegun(LogCall::kAppend, 2);
  EXPECT_TRUE(InForkedChild([&] {
    file.reset();
    place_.reset();
    return log_->Begun(LogCall::kClose) == 0;
  })) << "dropped and not closed";
  EXPECT_TRUE(IsQueueThere()) << "what it holds would be lost with this process";
  log_->Release();
  ASSERT_TRUE(file->Close(io_, nullptr).ok());
  EXPECT_EQ(log_->content(), "one two");
}

}  // namespace
}  // namespace bloom_lfs

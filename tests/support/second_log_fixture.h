// The handles that RocksDB gets of logs with a second place, over a log's file in memory that fails
// or hangs as it is told, and a side log on the disk.
#pragma once

#include <gtest/gtest.h>
#include <rocksdb/file_system.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "plugin/second/doubled_log_file.h"
#include "plugin/second/second_place.h"
#include "plugin/second/second_recovery.h"
#include "tests/crash/watched_calls.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs::test {

enum class LogCall { kAppend, kFlush, kSync, kClose, kTruncate, kAllocate };

// What has been asked of a log's file, and what is in it.
//
// Thread safety: every method from any thread.
class FakeLog {
 public:
  // The next call of this kind fails, and does nothing.
  void FailNext(LogCall call, const rocksdb::IOStatus& error) {
    const std::lock_guard<std::mutex> lock(mutex_);
    failing_[call] = error;
  }
  // Calls of this kind begin and do not end.
  void Hold(LogCall call) {
    const std::lock_guard<std::mutex> lock(mutex_);
    held_.insert(call);
  }
  void Release() {
    const std::lock_guard<std::mutex> lock(mutex_);
    held_.clear();
    changed_.notify_all();
  }
  void AwaitBegun(LogCall call, int times) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return begun_[call] >= times; });
  }
  int Begun(LogCall call) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return begun_[call];
  }
  std::string content() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return content_;
  }
  size_t durable() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return durable_;
  }

 private:
  friend class FakeLogFile;

  rocksdb::IOStatus Do(LogCall call, const std::function<void()>& effect) {
    std::unique_lock<std::mutex> lock(mutex_);
    ++begun_[call];
    changed_.notify_all();
    changed_.wait(lock, [&] { return held_.count(call) == 0; });
    if (const auto failing = failing_.find(call); failing != failing_.end()) {
      const rocksdb::IOStatus error = failing->second;
      failing_.erase(failing);
      return error;
    }
    effect();
    return rocksdb::IOStatus::OK();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::string content_;
  size_t durable_ = 0;
  std::map<LogCall, int> begun_;
  std::map<LogCall, rocksdb::IOStatus> failing_;
  std::set<LogCall> held_;
};

class FakeLogFile final : public rocksdb::FSWritableFile {
 public:
  using Options = rocksdb::IOOptions;
  using Debug = rocksdb::IODebugContext;

  explicit FakeLogFile(std::shared_ptr<FakeLog> log) : log_(std::move(log)) {}

  rocksdb::IOStatus Append(const rocksdb::Slice& data, const Options&, Debug*) override {
    return log_->Do(LogCall::kAppend, [&] { log_->content_.append(data.data(), data.size()); });
  }
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const Options& options,
                           const rocksdb::DataVerificationInfo&, Debug* debug) override {
    return Append(data, options, debug);
  }
  rocksdb::IOStatus Flush(const Options&, Debug*) override {
    return log_->Do(LogCall::kFlush, [] {});
  }
  rocksdb::IOStatus Sync(const Options&, Debug*) override {
    return log_->Do(LogCall::kSync, [&] { log_->durable_ = log_->content_.size(); });
  }
  rocksdb::IOStatus Close(const Options&, Debug*) override {
    return log_->Do(LogCall::kClose, [] {});
  }
  rocksdb::IOStatus Truncate(uint64_t size, const Options&, Debug*) override {
    return log_->Do(LogCall::kTruncate, [&] { log_->content_.resize(size); });
  }
  rocksdb::IOStatus Allocate(uint64_t, uint64_t, const Options&, Debug*) override {
    return log_->Do(LogCall::kAllocate, [] {});
  }
  uint64_t GetFileSize(const Options&, Debug*) override { return log_->content().size(); }

 private:
  const std::shared_ptr<FakeLog> log_;
};

class SecondLogFixture : public testing::Test {
 protected:
  SecondLogFixture() {
    name_.database.fill(5);
    name_.number = 12;
    SecondPlace::Wish wish;
    wish.place = dir_ / "place";
    wish.database = name_.database;
    wish.directory = dir_.path();
    wish.bytes = 4 << 20;
    wish.patience = std::chrono::seconds(60);
    SecondPlace::Opened opened;
    const lss::Status status = SecondPlace::Open(wish, &opened);
    place_ = std::move(opened.place);
    EXPECT_TRUE(status.ok()) << status.ToString();
  }
  ~SecondLogFixture() override { lss::test::FailWrites(0); }

  std::shared_ptr<SyncedFile> NewFile() {
    return std::make_shared<SyncedFile>(std::make_unique<FakeLogFile>(log_), [this] { ++noted_; });
  }
  // What keeps the database; it is to be let go with the log.
  std::shared_ptr<void> NewOwner() {
    auto owner = std::make_shared<int>();
    owner_ = owner;
    return owner;
  }
  // What the side log has of the log, all of it in its place.
  std::string OnSide() const {
    std::unique_ptr<lss::SideSpace> space;
    std::string path;
    RecordedLogs logs;
    lss::Status status =
        lss::FindSideSpace(place_->place(), place_->log_name(), nullptr, &space, &path);
    if (status.ok()) {
      status = ReadRecordedLogs(*space, name_.database, {}, &logs);
    }
    EXPECT_TRUE(status.ok()) << status.ToString();
    std::string bytes;
    for (const auto& [offset, record] : logs[name_.number]) {
      EXPECT_LE(offset, bytes.size()) << "a hole";
      bytes.replace(std::min<size_t>(offset, bytes.size()), record.size(), record);
    }
    return bytes;
  }
  // The side log keeps its records.
  bool IsWanted() const { return place_->log()->Wants(name_.database); }
  static void FailSideLog() { lss::test::FailWrites(EIO); }

  // What every handle does, whichever it is.
  void ExpectWhatClosingSaysIsTold(rocksdb::FSWritableFile* file) {
    log_->FailNext(LogCall::kClose, rocksdb::IOStatus::IOError("broken"));
    EXPECT_TRUE(file->Close(io_, nullptr).IsIOError());
  }
  void ExpectIsClosedOnce(std::unique_ptr<rocksdb::FSWritableFile> file) {
    ASSERT_TRUE(file->Close(io_, nullptr).ok());
    log_->FailNext(LogCall::kClose, rocksdb::IOStatus::IOError("asked again"));
    EXPECT_TRUE(file->Close(io_, nullptr).ok());
    file.reset();
    EXPECT_EQ(log_->Begun(LogCall::kClose), 1);
  }

  // Whether the child says so; it is killed if it does not end.
  static bool InForkedChild(const std::function<bool()>& holds) {
    constexpr unsigned kPatienceSeconds = 20;
    const pid_t child = fork();
    if (child == 0) {
      alarm(kPatienceSeconds);
      _exit(holds() ? 0 : 1);
    }
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

  TempDir dir_;
  std::shared_ptr<SecondPlace> place_;
  lss::StreamName name_;
  const std::shared_ptr<FakeLog> log_ = std::make_shared<FakeLog>();
  std::weak_ptr<void> owner_;
  int noted_ = 0;  // syncs that the file was told of
  const rocksdb::IOOptions io_;
};

}  // namespace bloom_lfs::test

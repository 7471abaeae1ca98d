// A stream that does not wait for its file: what it acknowledges is durable somewhere, and the file
// gets all of it when it answers again.
#include "lss/second_place/failover_stream.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/side_log_fixture.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using std::chrono::milliseconds;
using test::DeviceCall;
using test::StreamNumber;

// Hangs, fails, and knows what a sync has covered.
class FakeFile final : public HandOffFile {
 public:
  Status Append(ByteView bytes) override {
    MutexLock lock(&mutex_);
    WaitWhileHanging(&lock);
    if (!error_.ok()) {
      return error_;
    }
    bytes_.append(bytes.data, bytes.size);
    return Status::Ok();
  }
  Status Sync() override {
    MutexLock lock(&mutex_);
    const size_t covered = bytes_.size();
    WaitWhileHanging(&lock);
    if (!error_.ok()) {
      return error_;
    }
    durable_ = covered;
    ++syncs_;
    return Status::Ok();
  }
  void Hang(bool hangs) {
    const MutexLock lock(&mutex_);
    hangs_ = hangs;
    changed_.NotifyAll();
  }
  void Fail(const Status& status) {
    const MutexLock lock(&mutex_);
    error_ = status;
  }
  std::string bytes() const {
    const MutexLock lock(&mutex_);
    return bytes_;
  }
  size_t durable() const {
    const MutexLock lock(&mutex_);
    return durable_;
  }
  int syncs() const {
    const MutexLock lock(&mutex_);
    return syncs_;
  }

 private:
  void WaitWhileHanging(MutexLock*) LSS_REQUIRES(mutex_) {
    while (hangs_) {
      changed_.Wait(&mutex_);
    }
  }

  mutable Mutex mutex_;
  CondVar changed_;
  bool hangs_ LSS_GUARDED_BY(mutex_) = false;
  Status error_ LSS_GUARDED_BY(mutex_);
  std::string bytes_ LSS_GUARDED_BY(mutex_);
  size_t durable_ LSS_GUARDED_BY(mutex_) = 0;
  int syncs_ LSS_GUARDED_BY(mutex_) = 0;
};

class FailoverStreamTest : public test::SideLogFixture {
 protected:
  static constexpr int64_t kMilli = 1000000;

  FailoverStreamTest() {
    Format();
    OpenLog();
    EXPECT_TRUE(SideWorkers::Start(3, &workers_).ok());
  }
  ~FailoverStreamTest() override {
    file_->Hang(false);
    device_.Release();
    stream_.reset();
    workers_.reset();
  }
  void Start(bool hedge, int64_t failback_after_ms = 200) {
    parts_ = {log_.get(), workers_.get(), &figures_, nullptr, nullptr};
    policy_ = std::make_shared<SharedFailoverPolicy>(
        FailoverLimits{50 * kMilli, 1000 * kMilli, failback_after_ms * kMilli});
    std::unique_ptr<HandOffQueue> queue;
    ASSERT_TRUE(HandOffQueue::Create(dir_.path(), StreamNumber(5), &queue).ok());
    const Status status = FailoverStream::Start(StreamNumber(5), hedge, parts_, policy_,
                                                std::move(queue), file_, &stream_);
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  Status AppendBytes(const std::string& bytes) {
    appended_ += bytes;
    return stream_->Append({bytes.data(), bytes.size()});
  }
  Status PutBytes(const std::string& bytes) {
    Status status = AppendBytes(bytes);
    return status.ok() ? stream_->Sync() : status;
  }
  bool failed_over() const {
    const MutexLock lock(&policy_->mutex);
    return policy_->policy.failed_over();
  }
  // What file and side log would give after a power cut.
  std::string AfterPowerCut() {
    std::string bytes = file_->bytes().substr(0, file_->durable());
    test::MemoryDevice after;
    const std::string content = device_.PowerCut(test::Survivors::kSyncedOnly, 1);
    EXPECT_TRUE(
        after.Write({{const_cast<char*>(content.data()), content.size()}}, 0, WriteKind::kPlain)
            .ok());
    SideScan scan;
    for (const Found& record : Scan(&after, &scan)) {
      if (record.offset <= bytes.size() && record.offset + record.bytes.size() > bytes.size()) {
        bytes.resize(record.offset);
        bytes += record.bytes;
      }
    }
    return bytes;
  }

  bloom_lfs::test::TempDir dir_;
  SecondFigures figures_;
  SecondParts parts_;
  std::unique_ptr<SideWorkers> workers_;
  std::shared_ptr<SharedFailoverPolicy> policy_;
  std::shared_ptr<FakeFile> file_ = std::make_shared<FakeFile>();
  std::shared_ptr<FailoverStream> stream_;
  std::string appended_;
};

TEST_F(FailoverStreamTest, InQuietTimesTheSideLogGetsNothing) {
  Start(false);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(PutBytes("row " + std::to_string(i)).ok());
    EXPECT_EQ(file_->durable(), appended_.size());
  }
  EXPECT_EQ(figures_.doubled_bytes, 0U);
  EXPECT_EQ(figures_.side_syncs, 0U);
  EXPECT_TRUE(Scan().empty());
}

TEST_F(FailoverStreamTest, AnAppendDoesNotWaitForAFileThatHangs) {
  Start(false);
  file_->Hang(true);
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(AppendBytes(std::string(10000, 'h')).ok());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  file_->Hang(false);
  ASSERT_TRUE(stream_->Drain().ok());
  EXPECT_EQ(file_->bytes(), appended_);
}

TEST_F(FailoverStreamTest, WhileTheFileHangsSyncsRestOnTheSideLogAndTheFileGetsAllOfItLater) {
  Start(false);
  ASSERT_TRUE(PutBytes("before ").ok());
  file_->Hang(true);
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(PutBytes("row " + std::to_string(i) + " ").ok());
    EXPECT_EQ(AfterPowerCut(), appended_);
  }
  EXPECT_TRUE(failed_over());
  EXPECT_EQ(figures_.side_syncs, 10U);
  file_->Hang(false);
  ASSERT_TRUE(stream_->Finish().ok());
  EXPECT_EQ(file_->bytes(), appended_);
  EXPECT_EQ(file_->durable(), appended_.size()) << "what only the side log had";
}

TEST_F(FailoverStreamTest, TheFileIsWaitedForAgainWhenItHasBeenQuickForLongEnough) {
  Start(false, /*failback_after_ms=*/100);
  file_->Hang(true);
  ASSERT_TRUE(PutBytes("stall ").ok());
  file_->Hang(false);
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (failed_over() && std::chrono::steady_clock::now() < until) {
    ASSERT_TRUE(PutBytes("row ").ok());
    std::this_thread::sleep_for(milliseconds(5));
  }
  EXPECT_FALSE(failed_over());
  const uint64_t doubled = figures_.doubled_bytes;
  const uint64_t on_file = file_->durable();
  ASSERT_TRUE(PutBytes("quiet again").ok());
  EXPECT_GT(file_->durable(), on_file);
  EXPECT_EQ(figures_.doubled_bytes, doubled);
}

TEST_F(FailoverStreamTest, AHedgeReturnsWhenEitherHasIt) {
  Start(true);
  file_->Hang(true);
  ASSERT_TRUE(PutBytes("by the side log ").ok());
  EXPECT_EQ(file_->durable(), 0U);
  EXPECT_EQ(AfterPowerCut(), appended_);
  file_->Hang(false);
  ASSERT_TRUE(stream_->Drain().ok());
  device_.Hold(DeviceCall::kWrite);
  ASSERT_TRUE(PutBytes("by the file").ok());
  EXPECT_EQ(file_->durable(), appended_.size());
}

TEST_F(FailoverStreamTest, AFailedSideLogLeavesTheFileAsItIs) {
  Start(false);
  device_.Fail({DeviceCall::kWrite, EIO, 0, 1000});
  file_->Hang(true);
  std::atomic<bool> returned{false};
  std::thread syncer([&] {
    EXPECT_TRUE(PutBytes("waits").ok());
    returned = true;
  });
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_FALSE(returned);
  file_->Hang(false);
  syncer.join();
  EXPECT_EQ(file_->durable(), appended_.size());
}

TEST_F(FailoverStreamTest, AnErrorOfTheFileIsToldAndNothingIsAcknowledgedAnyMore) {
  Start(false);
  ASSERT_TRUE(PutBytes("good").ok());
  file_->Fail(Status::FromErrno("write", "the file", 4, EIO));
  EXPECT_EQ(PutBytes("bad").code(), Status::Code::kIoError);
  file_->Fail(Status::Ok());
  EXPECT_FALSE(AppendBytes("later").ok());
  EXPECT_FALSE(stream_->Sync().ok());
  EXPECT_FALSE(stream_->Drain().ok());
  EXPECT_FALSE(stream_->Finish().ok());
}

TEST_F(FailoverStreamTest, MoreThanIsKeptWaitsForTheFile) {
  Start(false);
  file_->Hang(true);
  ASSERT_TRUE(AppendBytes(std::string(FailoverStream::kMostKept + 1, 'm')).ok());
  std::atomic<bool> returned{false};
  std::thread syncer([&] {
    EXPECT_TRUE(stream_->Sync().ok());
    returned = true;
  });
  std::this_thread::sleep_for(milliseconds(200));
  EXPECT_FALSE(returned);
  file_->Hang(false);
  syncer.join();
  EXPECT_EQ(file_->durable(), appended_.size());
}

// Whatever hangs whenever, what was acknowledged is in one of the two.
TEST_F(FailoverStreamTest, APowerCutAtAnyMomentLosesNothingThatWasAcknowledged) {
  for (const bool hedge : {false, true}) {
    SCOPED_TRACE(hedge);
    stream_.reset();
    log_->Forget(StreamNumber(5));
    Format();
    OpenLog();
    file_ = std::make_shared<FakeFile>();
    appended_.clear();
    Start(hedge, /*failback_after_ms=*/10);
    std::atomic<bool> stop{false};
    std::thread staller([&] {
      while (!stop) {
        file_->Hang(true);
        std::this_thread::sleep_for(milliseconds(70));
        file_->Hang(false);
        std::this_thread::sleep_for(milliseconds(40));
      }
    });
    for (int i = 0; i < 50; ++i) {
      ASSERT_TRUE(PutBytes("row " + std::to_string(i) + std::string(i * 37 % 3000, 'r')).ok());
      const size_t acknowledged = appended_.size();
      const std::string after = AfterPowerCut();
      ASSERT_GE(after.size(), acknowledged) << i;
      ASSERT_EQ(after.substr(0, acknowledged), appended_) << i;
    }
    stop = true;
    staller.join();
    ASSERT_TRUE(stream_->Finish().ok());
    EXPECT_EQ(file_->bytes(), appended_);
  }
}

}  // namespace
}  // namespace lss

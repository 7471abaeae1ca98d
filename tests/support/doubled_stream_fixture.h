// Streams with a side log on a device in memory, and files that are numbers: how long they are, and
// how far they are durable.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "lss/second_place/doubled_stream.h"
#include "tests/support/side_log_fixture.h"

namespace lss::test {

// A sync makes durable what the file had when it began. While `frozen` is held none ends.
class FakeFile {
 public:
  explicit FakeFile(std::mutex* frozen) : frozen_(frozen) {}

  void Append(uint64_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    size_ += bytes;
  }
  Status Sync() {
    std::unique_lock<std::mutex> lock(mutex_);
    const uint64_t end = size_;
    ++syncs_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !held_; });
    if (error_number_ != 0) {
      return Status::FromErrno("sync", "file", -1, std::exchange(error_number_, 0));
    }
    const std::chrono::microseconds lasts(lasts_us_);
    lock.unlock();
    std::this_thread::sleep_for(lasts);
    const std::lock_guard<std::mutex> frozen(*frozen_);
    lock.lock();
    durable_ = std::max(durable_, end);
    return Status::Ok();
  }

  void FailNext(int error_number) {
    const std::lock_guard<std::mutex> lock(mutex_);
    error_number_ = error_number;
  }
  // What a sync takes.
  void Last(int64_t microseconds) {
    const std::lock_guard<std::mutex> lock(mutex_);
    lasts_us_ = microseconds;
  }
  // Syncs begin and do not end.
  void Hold(bool held) {
    const std::lock_guard<std::mutex> lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }
  void AwaitSyncs(uint64_t syncs) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return syncs_ >= syncs; });
  }
  uint64_t syncs() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return syncs_;
  }
  uint64_t size() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return size_;
  }
  uint64_t durable() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return durable_;
  }

 private:
  std::mutex* const frozen_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t size_ = 0;
  uint64_t durable_ = 0;
  uint64_t syncs_ = 0;  // begun
  int64_t lasts_us_ = 0;
  int error_number_ = 0;
  bool held_ = false;
};

// The bytes of a stream from `begin` on.
inline ByteView StreamBytes(uint64_t stream, Address begin, size_t size) {
  constexpr size_t kPeriod = 4099;
  constexpr size_t kMost = 1 << 20;
  static const std::string* const pattern = [] {
    auto* made = new std::string;
    for (size_t i = 0; i < kPeriod + kMost; ++i) {
      *made += static_cast<char>(i % kPeriod * 2654435761U >> 11);
    }
    return made;
  }();
  EXPECT_LE(size, kMost);
  return {pattern->data() + (stream * 997 + begin) % kPeriod, size};
}

// A stream, its file, and how far its syncs have been acknowledged.
struct Doubled {
  Doubled(uint64_t stream_number, SecondMode mode, int64_t degrade_after_ms,
          const SecondParts& parts, std::mutex* frozen)
      : number(stream_number),
        file(frozen),
        stream(std::make_shared<DoubledStream>(StreamNumber(number), mode, degrade_after_ms, parts,
                                               [this] { return file.Sync(); })) {}

  void Append(size_t size) {
    const Address begin = file.size();
    file.Append(size);
    stream->Appended(StreamBytes(number, begin, size));
    appended = begin + size;
  }
  Status Sync() {
    const Address end = appended;
    Status status = stream->Sync();
    Address before = acknowledged;
    while (status.ok() && before < end && !acknowledged.compare_exchange_weak(before, end)) {
    }
    return status;
  }

  const uint64_t number;
  FakeFile file;
  std::atomic<Address> appended{0};
  std::atomic<Address> acknowledged{0};
  const std::shared_ptr<DoubledStream> stream;
};

class DoubledStreamFixture : public SideLogFixture {
 protected:
  static constexpr uint64_t kFiller = 99;
  static constexpr int kWorkers = 4;

  explicit DoubledStreamFixture(uint64_t in_flight = 1) {
    Format();
    OpenLog(in_flight);
    Status status = SideWorkers::Start(kWorkers, &workers_);
    EXPECT_TRUE(status.ok()) << status.ToString();
  }
  std::unique_ptr<Doubled> Begin(uint64_t number, SecondMode mode,
                                 int64_t degrade_after_ms = DoubledStream::kNever) {
    const SecondParts parts = {log_.get(), workers_.get(), &figures_, make_room_,
                               [this](const std::string& line) { Warn(line); }};
    return std::make_unique<Doubled>(number, mode, degrade_after_ms, parts, &frozen_);
  }
  // With records of another stream that are wanted.
  void FillUp() {
    const std::string bytes(kGroupBytes - 200, 'f');
    Status status;
    for (uint64_t i = 0; status.ok(); ++i) {
      status = Put(kFiller, i * bytes.size(), bytes);
    }
    ASSERT_EQ(status.code(), Status::Code::kNoSpace) << status.ToString();
  }
  void Warn(const std::string& line) {
    const std::lock_guard<std::mutex> lock(warned_mutex_);
    warned_ += line + "\n";
  }
  std::string warned() const {
    const std::lock_guard<std::mutex> lock(warned_mutex_);
    return warned_;
  }

  // Where the bytes of a stream end that are there without a hole from `begin` on, by the records.
  using Ranges = std::map<uint64_t, std::vector<std::pair<Address, Address>>>;
  static Ranges RangesOf(const std::vector<Found>& records) {
    Ranges ranges;
    for (const Found& record : records) {
      const uint64_t number = record.stream.number;
      const ByteView right = StreamBytes(number, record.offset, record.bytes.size());
      if (number != kFiller && record.bytes.compare(0, right.size, right.data, right.size) != 0) {
        ADD_FAILURE() << "stream " << number << " has other bytes at " << record.offset;
      }
      ranges[number].emplace_back(record.offset, record.offset + record.bytes.size());
    }
    for (auto& [number, list] : ranges) {
      std::sort(list.begin(), list.end());
    }
    return ranges;
  }
  static Address CoveredFrom(Address begin, const Ranges& ranges, uint64_t number) {
    const auto found = ranges.find(number);
    if (found != ranges.end()) {
      for (const auto& [first, last] : found->second) {
        begin = first <= begin ? std::max(begin, last) : begin;
      }
    }
    return begin;
  }
  Address OnSide(const Doubled& doubled, Address begin = 0) {
    return CoveredFrom(begin, RangesOf(Scan()), doubled.number);
  }
  bool IsAnythingWanted() const {
    StreamName oldest;
    return log_->Oldest(&oldest);
  }

  std::mutex frozen_;
  SecondFigures figures_;
  std::function<bool()> make_room_;
  // Before the log: their threads use it.
  std::unique_ptr<SideWorkers> workers_;

 private:
  mutable std::mutex warned_mutex_;
  std::string warned_;
};

}  // namespace lss::test

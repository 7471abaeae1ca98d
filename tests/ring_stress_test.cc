// Many threads on one store with a tiny ring. Everything is seeded but the schedule. Run under
// ThreadSanitizer and AddressSanitizer; at the end every byte of the file is accounted for.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "lss/dense_stream.h"
#include "lss/record_log.h"
#include "plugin/default_runtime.h"
#include "tests/support/deferred_work.h"
#include "tests/support/files.h"
#include "tests/support/stream_bytes.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using bloom_lfs::test::ReadFile;
using test::FirstDifference;
using test::StreamByte;
using test::StreamBytes;

struct Shape {
  const char* name;
  WriteMode mode;
  uint32_t buffer_count;
  bool use_io_uring;
};

Status OpenStore(const std::string& path, const StoreOptions& options,
                 std::shared_ptr<DenseStream>* stream) {
  return DenseStream::Open(bloom_lfs::DefaultRuntime(path), path, options, OpenMode::kTruncate,
                           stream);
}
Status OpenStore(const std::string& path, const StoreOptions& options,
                 std::shared_ptr<RecordLog>* log) {
  return RecordLog::Open(bloom_lfs::DefaultRuntime(path), path, options, log);
}

template <typename Store>
class StressTest : public testing::TestWithParam<Shape> {
 protected:
  StressTest() {
    StoreOptions options;
    options.write_mode = GetParam().mode;
    options.buffer_count = GetParam().buffer_count;
    options.use_io_uring = GetParam().use_io_uring;
    options.frontier_bytes = 64 << 10;
    options.idle_flush_ms = 1;
    const Status status = OpenStore(path_, options, &store_);
    EXPECT_TRUE(status.ok()) << status.ToString();
  }
  ~StressTest() override { bloom_lfs::test::AwaitDeferredWork(); }

  void Run(const std::function<void()>& body) { threads_.emplace_back(body); }
  // Runs `body` over and over again until the writers have come to their end.
  void RunBeside(const std::function<void()>& body) {
    beside_.emplace_back([this, body] {
      while (!writers_done_) {
        body();
      }
    });
  }
  void JoinAndClose() {
    for (std::thread& thread : threads_) {
      thread.join();
    }
    writers_done_ = true;
    for (std::thread& thread : beside_) {
      thread.join();
    }
    const Status status = store_->Close();
    ASSERT_TRUE(status.ok()) << status.ToString();
  }

  bloom_lfs::test::TempDir directory_;
  const std::string path_ = directory_ / "file";
  std::shared_ptr<Store> store_;
  std::vector<std::thread> threads_;
  std::vector<std::thread> beside_;
  std::atomic<bool> writers_done_{false};
};

std::string NameOfShape(const testing::TestParamInfo<Shape>& shape) { return shape.param.name; }

const Shape kShapes[] = {
    {"SerializedUring", WriteMode::kSerializedWrites, 4, true},
    {"SerializedBlocking", WriteMode::kSerializedWrites, 2, false},
    {"TailLocalizedUring", WriteMode::kTailLocalizedWrites, 4, true},
    {"TailLocalizedBlocking", WriteMode::kTailLocalizedWrites, 3, false},
};

// --- Reserve
// ----------------------------------------------------------------------------------------

struct Record {
  Address address;
  uint32_t size;
};

class ReserveStressTest : public StressTest<RecordLog> {
 protected:
  static constexpr int kWriters = 6;
  static constexpr int kRecordsPerWriter = 400;

  void Writer(uint32_t seed) {
    std::mt19937 random(seed);
    std::vector<Record> mine;
    for (int i = 0; i < kRecordsPerWriter; ++i) {
      const uint32_t size = random() % 8 == 0 ? 1 + random() % 4096 : 1 + random() % 300;
      Reservation reservation;
      ASSERT_TRUE(store_->Reserve(size, &reservation).ok());
      if (random() % 8 == 0) {
        std::this_thread::yield();  // a writer that takes its time
      }
      if (random() % 16 == 0) {
        continue;  // one that gives up
      }
      const std::string bytes = StreamBytes(reservation.address(), size);
      ASSERT_TRUE(reservation.Write({bytes.data(), bytes.size()}).ok());
      mine.push_back({reservation.address(), size});
      Acknowledge(mine.back(), random());
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    records_.insert(records_.end(), mine.begin(), mine.end());
  }

  // What the store has promised about this record must hold, whatever the others are doing.
  void Acknowledge(const Record& record, uint32_t random) {
    const Address end = record.address + record.size;
    if (random % 16 == 0) {
      ASSERT_TRUE(store_->Flush().ok());
      ASSERT_GE(store_->size(), end) << "flushed, and not committed";
      std::string bytes(record.size, '?');
      size_t read = 0;
      ASSERT_TRUE(store_->Read(record.address, record.size, bytes.data(), &read).ok());
      ASSERT_EQ(read, record.size);
      ASSERT_EQ(FirstDifference(bytes, StreamBytes(record.address, record.size)), "");
    }
    if (random % 64 == 1) {
      ASSERT_TRUE(store_->Sync().ok());
      ASSERT_GE(store_->durable(), end) << "synced, and not durable";
    }
  }

  // Anything below size() is a record's byte in its place, or zero.
  void ReadSomewhere(std::mt19937* random) {
    const Address size = store_->size();
    const Address from = size == 0 ? 0 : (*random)() % size;
    std::string bytes(1 + (*random)() % 6000, '?');
    size_t read = 0;
    ASSERT_TRUE(store_->Read(from, bytes.size(), bytes.data(), &read).ok());
    ASSERT_GE(read, std::min<uint64_t>(bytes.size(), size - from));
    for (size_t i = 0; i < read; ++i) {
      ASSERT_TRUE(bytes[i] == '\0' || bytes[i] == StreamByte(from + i)) << "at " << from + i;
    }
  }

  void VerifyFile() {
    std::sort(records_.begin(), records_.end(),
              [](const Record& a, const Record& b) { return a.address < b.address; });
    const std::string file = ReadFile(path_);
    ASSERT_TRUE(IsPageAligned(file.size()));
    std::string expected(file.size(), '\0');
    Address last_end = 0;
    for (const Record& record : records_) {
      ASSERT_GE(record.address, last_end) << "two records overlap";
      ASSERT_EQ(record.address / 4096, (record.address + record.size - 1) / 4096)
          << "a record crosses a buffer's end";
      last_end = record.address + record.size;
      ASSERT_LE(last_end, file.size()) << "the file ends before a record";
      expected.replace(record.address, record.size, StreamBytes(record.address, record.size));
    }
    EXPECT_EQ(FirstDifference(file, expected), "");
  }

  std::mutex mutex_;
  std::vector<Record> records_;
};

INSTANTIATE_TEST_SUITE_P(Shapes, ReserveStressTest, testing::ValuesIn(kShapes), NameOfShape);

TEST_P(ReserveStressTest, EveryRecordIsAtItsAddressAndNothingElseIsAnywhere) {
  for (uint32_t i = 0; i < kWriters; ++i) {
    Run([this, i] { Writer(i + 1); });
  }
  RunBeside([this] { ASSERT_TRUE(store_->Flush().ok()); });
  RunBeside([this] {
    const Address before = store_->size();
    ASSERT_TRUE(store_->Sync().ok());
    ASSERT_GE(store_->durable(), before);
  });
  RunBeside([this, random = std::mt19937(99)]() mutable { ReadSomewhere(&random); });
  JoinAndClose();
  VerifyFile();
}

// Without anybody who seals before a buffer is full: only overshooting reservations do.
TEST_P(ReserveStressTest, OvershootAloneTurnsTheRing) {
  for (uint32_t i = 0; i < kWriters; ++i) {
    Run([this, i] {
      std::vector<Record> mine;
      for (uint32_t k = 0; k < kRecordsPerWriter; ++k) {
        Reservation reservation;
        const uint32_t size = 1300 + (k * 7 + i * 13) % 200;
        ASSERT_TRUE(store_->Reserve(size, &reservation).ok());
        const std::string bytes = StreamBytes(reservation.address(), size);
        ASSERT_TRUE(reservation.Write({bytes.data(), bytes.size()}).ok());
        mine.push_back({reservation.address(), size});
      }
      const std::lock_guard<std::mutex> lock(mutex_);
      records_.insert(records_.end(), mine.begin(), mine.end());
    });
  }
  JoinAndClose();
  EXPECT_EQ(records_.size(), static_cast<size_t>(kWriters) * kRecordsPerWriter);
  VerifyFile();
}

// --- Append
// -----------------------------------------------------------------------------------------

class AppendStressTest : public StressTest<DenseStream> {
 protected:
  void Appender(int records) {
    std::mt19937 random(5);
    for (int i = 0; i < records; ++i) {
      // Some are larger than the ring.
      const size_t length = random() % 20 == 0 ? random() % 40000 : random() % 2000;
      const std::string bytes = StreamBytes(store_->size(), length);
      ASSERT_TRUE(store_->Append({bytes.data(), bytes.size()}).ok());
      appended_ += length;
      if (random() % 32 == 0) {
        std::this_thread::yield();
      }
    }
  }
  void Syncer() {
    const Address before = store_->size();
    ASSERT_TRUE(store_->Sync().ok());
    ASSERT_GE(store_->durable(), before) << "acknowledged, and not durable";
  }
  void Reader(std::mt19937* random) {
    const Address size = store_->size();
    // Mostly near the tail, where bytes change from the ring to the file.
    const Address reach = (*random)() % 4 == 0 ? size : std::min<Address>(size, 20000);
    const Address from = size - (reach == 0 ? 0 : (*random)() % reach);
    std::string bytes(1 + (*random)() % 8000, '?');
    size_t read = 0;
    ASSERT_TRUE(store_->Read(from, bytes.size(), bytes.data(), &read).ok());
    ASSERT_GE(read, std::min<uint64_t>(bytes.size(), size - from));
    bytes.resize(read);
    ASSERT_EQ(FirstDifference(bytes, StreamBytes(from, read)), "") << "from " << from;
  }

  size_t appended_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Shapes, AppendStressTest, testing::ValuesIn(kShapes), NameOfShape);

TEST_P(AppendStressTest, SyncReadAndSizeBesideTheAppender) {
  Run([this] { Appender(500); });
  RunBeside([this] { Syncer(); });
  RunBeside([this] { Syncer(); });
  RunBeside([this, random = std::mt19937(1)]() mutable { Reader(&random); });
  RunBeside([this, random = std::mt19937(2)]() mutable { Reader(&random); });
  RunBeside([this, last = Address{0}]() mutable {
    const Address now = store_->size();
    ASSERT_GE(now, last) << "the size went back";
    const Address durable = store_->durable();
    ASSERT_LE(durable, store_->hi_stable());
    last = now;
    ASSERT_TRUE(store_->Flush().ok());
    (void)store_->PollCompletions();
    std::this_thread::yield();
  });
  JoinAndClose();
  EXPECT_EQ(FirstDifference(ReadFile(path_), StreamBytes(0, appended_)), "");
}

// LinkFile and the like: somebody wants the exact file while the log is being written.
TEST_P(AppendStressTest, SettleBesideTheAppenderLosesNothing) {
  Run([this] { Appender(500); });
  RunBeside([this] { ASSERT_TRUE(store_->Settle().ok()); });
  RunBeside([this] { Syncer(); });
  JoinAndClose();
  EXPECT_EQ(FirstDifference(ReadFile(path_), StreamBytes(0, appended_)), "");
}

}  // namespace
}  // namespace lss

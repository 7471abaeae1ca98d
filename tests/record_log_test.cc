// The store for many threads: Reserve, Write, abandon.
#include "lss/record_log.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "plugin/default_runtime.h"
#include "tests/support/deferred_work.h"
#include "tests/support/files.h"
#include "tests/support/stream_bytes.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using bloom_lfs::test::ReadFile;
using test::FirstDifference;
using test::StreamBytes;

class ReservationTest : public testing::TestWithParam<WriteMode> {
 protected:
  ReservationTest() {
    options_.write_mode = GetParam();
    Open();
  }
  ~ReservationTest() override { bloom_lfs::test::AwaitDeferredWork(); }

  void Open() {
    const Status status =
        RecordLog::Open(bloom_lfs::DefaultRuntime(path_), path_, options_, &store_);
    EXPECT_TRUE(status.ok()) << status.ToString();
  }
  Reservation Reserve(uint32_t size) {
    Reservation reservation;
    const Status status = store_->Reserve(size, &reservation);
    EXPECT_TRUE(status.ok()) << status.ToString();
    EXPECT_EQ(reservation.size(), size);
    return reservation;
  }
  // Writes the stream's bytes of where the reservation is.
  static void Write(Reservation* reservation) {
    const std::string bytes = StreamBytes(reservation->address(), reservation->size());
    EXPECT_TRUE(reservation->Write({bytes.data(), bytes.size()}).ok());
  }
  Address Put(uint32_t size) {
    Reservation reservation = Reserve(size);
    Write(&reservation);
    return reservation.address();
  }
  std::string Read(Address from, size_t length) {
    std::string bytes(length, '?');
    size_t read = 0;
    EXPECT_TRUE(store_->Read(from, length, bytes.data(), &read).ok());
    bytes.resize(read);
    return bytes;
  }
  void Close() { ASSERT_TRUE(store_->Close().ok()); }

  bloom_lfs::test::TempDir directory_;
  const std::string path_ = directory_ / "file";
  StoreOptions options_;
  std::shared_ptr<RecordLog> store_;
};

INSTANTIATE_TEST_SUITE_P(Modes, ReservationTest,
                         testing::Values(WriteMode::kSerializedWrites,
                                         WriteMode::kTailLocalizedWrites),
                         [](const testing::TestParamInfo<WriteMode>& mode) {
                           return mode.param == WriteMode::kSerializedWrites ? "Serialized"
                                                                             : "TailLocalized";
                         });

TEST_P(ReservationTest, ARecordNeverCrossesABuffersEndAndTheRestIsZeros) {
  EXPECT_EQ(Put(3000), 0U);
  EXPECT_EQ(Put(1000), 3000U);
  EXPECT_EQ(Put(97), 4096U) << "4000 + 97 does not fit";
  EXPECT_EQ(Put(3999), 4193U);
  EXPECT_EQ(Put(4096), 8192U + 0U);
  EXPECT_EQ(Put(1), 12288U);
  Close();
  EXPECT_EQ(FirstDifference(ReadFile(path_), StreamBytes(0, 4000) + std::string(96, '\0') +
                                                 StreamBytes(4096, 4096) + StreamBytes(8192, 4096) +
                                                 StreamBytes(12288, 1) + std::string(4095, '\0')),
            "");
}

TEST_P(ReservationTest, FlushMakesRecordsReadableAndNothingBefore) {
  Put(100);
  EXPECT_EQ(store_->size(), 0U);
  EXPECT_EQ(Read(0, 100), "");
  ASSERT_TRUE(store_->Flush().ok());
  EXPECT_EQ(store_->size(), 4096U) << "padded to the page";
  EXPECT_EQ(Read(0, 5000), StreamBytes(0, 100) + std::string(3996, '\0'));
  EXPECT_EQ(Put(100), 4096U);
  EXPECT_TRUE(store_->Flush().ok());
  EXPECT_TRUE(store_->Flush().ok()) << "of an empty buffer";
  EXPECT_EQ(store_->size(), 8192U);
  Close();
}

TEST_P(ReservationTest, FiguresCountRecordsAtOnceAndTheirBytesWhenABufferIsSealed) {
  ASSERT_TRUE(store_->Close().ok());
  options_.figures = std::make_shared<StreamFigures>();
  Open();
  const uint32_t large = options_.buffer_bytes - 50;
  Put(100);
  EXPECT_EQ(options_.figures->appends.value(), 1U);
  EXPECT_EQ(options_.figures->appended_bytes.value(), 0U);
  Put(large);  // the padding before it does not count
  EXPECT_EQ(options_.figures->appended_bytes.value(), 100U);
  ASSERT_TRUE(store_->Flush().ok());
  EXPECT_EQ(options_.figures->appends.value(), 2U);
  EXPECT_EQ(options_.figures->appended_bytes.value(), 100U + large);
}

TEST_P(ReservationTest, SyncMakesRecordsDurable) {
  for (int i = 0; i < 50; ++i) {
    Put(100 + i * 50);
    ASSERT_TRUE(store_->Sync().ok());
    ASSERT_EQ(store_->durable(), store_->size());
  }
  const Address size = store_->size();
  Close();
  EXPECT_EQ(ReadFile(path_).size(), size);
}

TEST_P(ReservationTest, ReservationsOfManyLapsKeepTheirBytes) {
  std::vector<std::pair<Address, uint32_t>> records;
  for (uint32_t i = 0; i < 2000; ++i) {
    const uint32_t size = 1 + i * 37 % 4096;
    records.emplace_back(Put(size), size);
  }
  Close();
  const std::string file = ReadFile(path_);
  for (const auto& [address, size] : records) {
    ASSERT_EQ(file.substr(address, size), StreamBytes(address, size)) << address;
  }
}

TEST_P(ReservationTest, Trap07_AnAbandonedReservationIsZerosAndBlocksNothing) {
  Put(10);
  Address abandoned = 0;
  {
    const Reservation reservation = Reserve(50);
    abandoned = reservation.address();
  }
  Put(10);
  for (int i = 0; i < 20; ++i) {
    const Reservation never_written = Reserve(4096);
  }
  Put(10);
  ASSERT_TRUE(store_->Sync().ok());
  Close();
  const std::string file = ReadFile(path_);
  EXPECT_EQ(file.substr(0, 70), StreamBytes(0, 10) + std::string(50, '\0') + StreamBytes(60, 10));
  EXPECT_EQ(abandoned, 10U);
  EXPECT_EQ(file.substr(4096, 20 * 4096), std::string(20 * 4096, '\0'))
      << "zeros also where an earlier lap of the buffer had other bytes";
  EXPECT_EQ(file.substr(21 * 4096, 10), StreamBytes(21 * 4096, 10));
}

// The ring is shared memory: a forked child that drops its copy must not touch it.
TEST_P(ReservationTest, AForkedChildsCopyOfAReservationDoesNothing) {
  Reservation reservation = Reserve(100);
  const std::string bytes = StreamBytes(reservation.address(), 100);
  ASSERT_TRUE(reservation.Write({bytes.data(), bytes.size()}).ok());
  auto open_one = std::make_unique<Reservation>(Reserve(100));
  const std::string more = StreamBytes(open_one->address(), 100);
  int told[2];
  ASSERT_EQ(pipe(told), 0);
  const pid_t child = fork();
  if (child == 0) {
    char byte = 0;
    (void)!read(told[0], &byte, 1);  // the parent has written its record
    open_one.reset();
    _exit(0);
  }
  ASSERT_GT(child, 0);
  ASSERT_TRUE(open_one->Write({more.data(), more.size()}).ok());
  ASSERT_EQ(write(told[1], "x", 1), 1);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  close(told[0]);
  close(told[1]);
  ASSERT_TRUE(store_->Sync().ok());
  Close();
  EXPECT_EQ(ReadFile(path_).substr(0, 200), bytes + more);
}

TEST_P(ReservationTest, OnlyExactlyItsBytesEndAReservation) {
  Reservation reservation = Reserve(10);
  EXPECT_EQ(reservation.Write({"123456789", 9}).code(), Status::Code::kInvalidArgument);
  EXPECT_EQ(reservation.Write({"12345678901", 11}).code(), Status::Code::kInvalidArgument);
  EXPECT_TRUE(reservation.Write({"1234567890", 10}).ok()) << "it still stood";
  EXPECT_EQ(reservation.Write({"1234567890", 10}).code(), Status::Code::kInvalidArgument);
  EXPECT_EQ(Reservation().Write({"", 0}).code(), Status::Code::kInvalidArgument);
  Close();
  EXPECT_EQ(ReadFile(path_).substr(0, 11), std::string("1234567890\0", 11));
}

TEST_P(ReservationTest, AMovedReservationIsHeldOnce) {
  Reservation first = Reserve(10);
  Reservation second = std::move(first);
  EXPECT_EQ(first.Write({"1234567890", 10}).code(), Status::Code::kInvalidArgument);
  EXPECT_TRUE(second.Write({"1234567890", 10}).ok());
  Reservation third = Reserve(10);
  third = Reserve(5);  // the one before is given up
  EXPECT_TRUE(third.Write({"abcde", 5}).ok());
  Close();
  EXPECT_EQ(ReadFile(path_).substr(0, 25), std::string("1234567890\0\0\0\0\0\0\0\0\0\0abcde", 25));
}

TEST_P(ReservationTest, SizesOutOfRangeAreRefusedWithTheRange) {
  Reservation reservation;
  for (const uint32_t size : {0U, 4097U, UINT32_MAX}) {
    const Status status = store_->Reserve(size, &reservation);
    EXPECT_EQ(status.code(), Status::Code::kInvalidArgument);
    EXPECT_NE(status.message().find("1 to 4096"), std::string::npos) << status.message();
  }
  Close();
}

TEST_P(ReservationTest, AfterCloseThereAreNone) {
  Put(10);
  Close();
  Reservation reservation;
  EXPECT_EQ(store_->Reserve(10, &reservation).code(), Status::Code::kClosed);
}

// A flush speaks for everything before it, so it waits for whoever is still writing there.
TEST_P(ReservationTest, FlushWaitsForTheRecordsBeforeIt) {
  Put(10);
  Reservation slow = Reserve(10);
  Put(10);
  std::atomic<bool> written{false};
  std::thread flushing([&] {
    EXPECT_TRUE(store_->Flush().ok());
    EXPECT_TRUE(written) << "flushed past a record that was not there yet";
    EXPECT_EQ(store_->size(), 4096U);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // lets a hasty flush go wrong
  written = true;
  Write(&slow);
  flushing.join();
  EXPECT_EQ(Read(0, 30), StreamBytes(0, 30));
  Close();
}

// The oldest buffer is held by a slow writer: later ones may go to the file (or wait, in the
// serialized mode), but nothing counts as there before it.
TEST_P(ReservationTest, Trap10_ALateRecordHoldsTheWatermarkAndNothingIsLostBehindIt) {
  Reservation slow = Reserve(4000);
  Put(4000);
  Put(4000);
  EXPECT_EQ(store_->hi_stable(), 0U);
  EXPECT_EQ(store_->size(), 0U);
  Write(&slow);
  ASSERT_TRUE(store_->Sync().ok());
  EXPECT_EQ(store_->durable(), 3 * 4096U);
  for (Address page = 0; page < 3; ++page) {
    EXPECT_EQ(Read(page * 4096, 4000), StreamBytes(page * 4096, 4000));
  }
  Close();
}

}  // namespace
}  // namespace lss

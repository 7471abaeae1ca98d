// What a stream counts: appends, syncs and what they waited for, bytes by reason, errors.
#include "lss/figures/stream_figures.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "lss/dense_stream.h"
#include "tests/support/memory_device.h"
#include "tests/support/tail_writer_fixture.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

class StreamFiguresTest : public TailWriterTest {
 protected:
  uint64_t Written(WrittenAs as) { return parts_->figures.written(as).value(); }
  uint64_t Waits(WaitFor what) {
    uint64_t count = 0;
    for (size_t each = 0; each < LatencyHistogram::kClasses; ++each) {
      count += parts_->figures.wait(what).count(each);
    }
    return count;
  }
  StreamFigures& figures_ = parts_->figures;
};

TEST_F(StreamFiguresTest, AColdSyncWaitsForTheJournal) {
  Append(100);
  Sync();
  Append(5000);
  Sync();
  EXPECT_EQ(figures_.syncs.value(), 2U);
  EXPECT_EQ(figures_.coalesced_syncs.value(), 0U);
  EXPECT_EQ(Waits(WaitFor::kJournal), 2U);
  EXPECT_EQ(Waits(WaitFor::kDevice), 0U);
  EXPECT_EQ(Written(WrittenAs::kTail), 5100U);
  EXPECT_EQ(Written(WrittenAs::kAgain), 0U);
  EXPECT_EQ(figures_.in_file.value(), 5100U);
  EXPECT_EQ(figures_.durable.value(), 5100U);
  EXPECT_EQ(figures_.is_hot.value(), 0U);
}

TEST_F(StreamFiguresTest, AHotOneWaitsForTheDeviceAndWritesPagesAgain) {
  MakeHot();
  Append(100);
  Sync();
  Append(4000);
  Sync();
  EXPECT_EQ(Waits(WaitFor::kDevice), 2U);
  EXPECT_EQ(Waits(WaitFor::kJournal), 0U);
  EXPECT_EQ(Written(WrittenAs::kTail), 4100U);
  EXPECT_EQ(Written(WrittenAs::kAgain), 4096 + 8192 - 4100U) << "and padding";
  EXPECT_EQ(figures_.is_hot.value(), 1U);
}

TEST_F(StreamFiguresTest, ASyncThatFindsEverythingDurableIsAnothersToo) {
  Append(100);
  Sync();
  Sync();
  EXPECT_EQ(figures_.syncs.value(), 2U);
  EXPECT_EQ(figures_.coalesced_syncs.value(), 1U);
}

TEST_F(StreamFiguresTest, FullBuffersAreData) {
  MakeHot();
  Append(3 * 4096 + 1);
  parts_->CarryWrites();
  EXPECT_EQ(Written(WrittenAs::kData), 3 * 4096U);
  EXPECT_EQ(figures_.in_file.value(), 3 * 4096U);
  EXPECT_EQ(figures_.durable.value(), 0U);
}

TEST_F(StreamFiguresTest, WhoComesWhileASyncIsUnderWayWaitsForIt) {
  Append(100);
  device_.Hold(DeviceCall::kSync);
  std::thread first([this] { Sync(); });
  ASSERT_TRUE(device_.AwaitHeld());
  EXPECT_EQ(figures_.syncs_under_way.value(), 1U);
  EXPECT_GT(figures_.sync_waits_since_ns.value(), 0U);
  EXPECT_EQ(figures_.syncs.value(), 0U) << "it is under way";
  std::thread second([this] { Sync(); });
  while (figures_.syncs_under_way.value() < 2) {
    std::this_thread::yield();
  }
  device_.Release();
  first.join();
  second.join();
  EXPECT_EQ(figures_.syncs_under_way.value(), 0U);
  EXPECT_EQ(figures_.syncs.value(), 2U);
  EXPECT_EQ(figures_.coalesced_syncs.value(), 1U);
  EXPECT_EQ(Waits(WaitFor::kInFlight), 1U);
}

TEST_F(StreamFiguresTest, ErrorsAreCountedByWhetherTheyPass) {
  Append(100);
  device_.Fail({DeviceCall::kWrite, ENOSPC});
  EXPECT_FALSE(tail_.Sync().ok());
  EXPECT_EQ(figures_.passing_errors.value(), 1U);
  EXPECT_EQ(figures_.final_errors.value(), 0U);
  device_.Fail({DeviceCall::kSync, EIO});
  EXPECT_FALSE(tail_.Sync().ok());
  EXPECT_FALSE(tail_.Sync().ok());
  EXPECT_EQ(figures_.final_errors.value(), 1U) << "once";
  EXPECT_EQ(figures_.durable.value(), 0U);
}

TEST_F(StreamFiguresTest, TotalsAddUp) {
  Append(100);
  Sync();
  StreamFigures total;
  AddTo(figures_, &total);
  AddTo(figures_, &total);
  EXPECT_EQ(total.syncs.value(), 2U);
  EXPECT_EQ(total.written(WrittenAs::kTail).value(), 200U);
  EXPECT_EQ(total.sync_time.nanos(), 2 * figures_.sync_time.nanos());
}

// Appends, zeros and room in the ring need a whole stream.
TEST(DenseStreamFiguresTest, CountAppendsZerosAndWaitsForTheRing) {
  const bloom_lfs::test::TempDir dir;
  Runtime runtime;
  StoreOptions options = test::SmallOptions();
  options.frontier_bytes = 1 << 20;
  options.figures = std::make_shared<StreamFigures>();
  std::shared_ptr<DenseStream> stream;
  ASSERT_TRUE(
      DenseStream::Open(&runtime, dir / "file", options, OpenMode::kTruncate, &stream).ok());
  const std::string bytes(3000, 'b');
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(stream->Append({bytes.data(), bytes.size()}).ok());
    if (i % 50 == 0) {
      ASSERT_TRUE(stream->Sync().ok());
    }
  }
  ASSERT_TRUE(stream->Close().ok());
  const StreamFigures& figures = *options.figures;
  EXPECT_EQ(figures.appends.value(), 1000U);
  EXPECT_EQ(figures.appended_bytes.value(), 3'000'000U);
  EXPECT_EQ(figures.syncs.value(), 20U);
  EXPECT_EQ(figures.in_file.value(), 3'000'000U);
  uint64_t ring_waits = 0;
  for (size_t each = 0; each < LatencyHistogram::kClasses; ++each) {
    ring_waits += figures.waits[static_cast<size_t>(WaitFor::kRing)].count(each);
  }
  EXPECT_GT(ring_waits, 0U) << "a ring of 16 KiB";
  uint64_t written = 0;
  for (const WrittenAs as : {WrittenAs::kData, WrittenAs::kTail}) {
    written += figures.written_bytes[static_cast<size_t>(as)].value();
  }
  EXPECT_EQ(written, 3'000'000U) << "each byte once, whatever was written again";
}

}  // namespace
}  // namespace lss

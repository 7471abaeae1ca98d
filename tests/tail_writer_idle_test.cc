// A TailWriter that is left alone, and one that brings its file to the bytes.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <chrono>
#include <cstring>
#include <string>
#include <thread>

#include "tests/support/tail_writer_fixture.h"

namespace lss {
namespace {

int64_t ModifiedNs(const std::string& path) {
  struct stat st = {};
  EXPECT_EQ(stat(path.c_str(), &st), 0);
  return st.st_mtim.tv_sec * 1'000'000'000 + st.st_mtim.tv_nsec;
}

// --- idle ---

TEST_F(TailWriterTest, AnIdleTailIsWrittenOutOnceAndNotSynced) {
  Append(100);
  Sync();
  Append(100);
  device_.ForgetEvents();
  tail_.Tick();
  tail_.Tick();
  EXPECT_TRUE(Trace().empty()) << "two quarters of the bound may have passed, or only one";
  tail_.Tick();
  EXPECT_EQ(Trace(), Lines({"write 100+100 plain"}));
  TickUntilDue();
  EXPECT_EQ(Trace().size(), 1U);
}

TEST_F(TailWriterTest, ATrickleIsWrittenOutWhileItGoesOn) {
  MakeHot();
  for (int i = 0; i < 9; ++i) {
    Append(10);
    tail_.Tick();
    EXPECT_GE(parts_->pipeline.hi_stable() + 20, parts_->end()) << "tick " << i;
  }
  EXPECT_EQ(device_.Count(DeviceCall::kWrite), 3U) << "and not more often than it must be";
}

// A page of the ring that the kernel has written back is written back again after any store to it,
// be it the same bytes, and so for ever.
TEST_F(TailWriterTest, AnIdleStreamStoresNothingIntoItsRing) {
  MakeHot();
  Append(100);
  TickUntilDue();
  const auto written_back = [this] {
    EXPECT_EQ(
        msync(parts_->memory->header(),
              RingFileBytes(parts_->options.buffer_bytes, parts_->options.buffer_count), MS_SYNC),
        0);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the clock of time stamps
    return ModifiedNs(parts_->memory->path());
  };
  int64_t before = written_back();
  TickUntilDue();
  EXPECT_EQ(ModifiedNs(parts_->memory->path()), before);

  before = written_back();
  Append(1);
  if (ModifiedNs(parts_->memory->path()) == before) {
    GTEST_SKIP() << "no time stamp tells of stores to a mapping here";
  }
}

TEST_F(TailWriterTest, AnIdleWriteOutKeepsOutOfTheWay) {
  Append(100);
  {
    const FlushPipeline::Exclusive somebody_writes(&parts_->pipeline);
    TickUntilDue();
    EXPECT_EQ(device_.Count(DeviceCall::kWrite), 0U);
  }
  tail_.Tick();
  EXPECT_EQ(device_.Count(DeviceCall::kWrite), 1U) << "but does not wait for another three looks";
}

// --- settle ---

TEST_F(TailWriterTest, SettleBringsTheFileToItsBytesAndTheStreamGoesOn) {
  Append(5000);
  ASSERT_TRUE(tail_.Settle().ok());
  EXPECT_EQ(device_.Content(), StreamBytes(0, 5000)) << "cold";
  MakeHot();
  Append(3000);
  Sync();
  ASSERT_TRUE(tail_.Settle().ok());
  EXPECT_EQ(device_.Content(), StreamBytes(0, 8000)) << "hot";
  Append(3000);
  ASSERT_TRUE(tail_.Finish().ok());
  EXPECT_EQ(device_.Content(), StreamBytes(0, 11000));
}

// An append has filled a buffer and not come to its end; the buffer is in the file. Cutting to the
// committed length would take bytes that nobody will write again.
TEST_F(TailWriterTest, SettleCutsNothingThatTheWatermarkCounts) {
  MakeHot();
  Append(4000);
  ASSERT_TRUE(parts_->CopyIn(200).ok());
  parts_->CarryWrites();
  ASSERT_EQ(parts_->pipeline.hi_stable(), 4096U);
  ASSERT_TRUE(tail_.Settle().ok());
  parts_->Commit();
  ASSERT_TRUE(tail_.Finish().ok());
  EXPECT_EQ(FirstDifference(device_.Content(), StreamBytes(0, 4200)), "");
}

class TailLocalizedTailWriterTest : public TailWriterTest {
 protected:
  TailLocalizedTailWriterTest()
      : TailWriterTest(test::SmallOptions(WriteMode::kTailLocalizedWrites)) {}
};

// The same with an island: buffer 1 is in the file, a writer is still inside buffer 0.
TEST_F(TailLocalizedTailWriterTest, SettleCutsNoIslandOff) {
  MakeHot();
  const FlushBufferRing::Cursor first = parts_->ring.current();
  FlushBuffer& slow = parts_->ring.buffer(first.index);
  ASSERT_TRUE(slow.Reserve(4096, first.generation).reserved);
  ASSERT_EQ(slow.Seal(first.generation), FlushDuty::kNone);
  ASSERT_TRUE(parts_->ring.Rotate(first.sequence, &parts_->pipeline).ok());

  const FlushBufferRing::Cursor second = parts_->ring.current();
  FlushBuffer& quick = parts_->ring.buffer(second.index);
  ASSERT_TRUE(quick.Reserve(4096, second.generation).reserved);
  std::memcpy(quick.data(), StreamBytes(4096, 4096).data(), 4096);
  ASSERT_EQ(quick.Leave(), FlushDuty::kNone);
  ASSERT_EQ(quick.Seal(second.generation), FlushDuty::kMustFlush);
  parts_->pipeline.OnSealed(parts_->ring.TakeSealed(second));
  parts_->CarryWrites();
  ASSERT_EQ(parts_->pipeline.island_count(), 1U);

  ASSERT_TRUE(tail_.Settle().ok());

  std::memcpy(slow.data(), StreamBytes(0, 4096).data(), 4096);
  ASSERT_EQ(slow.Leave(), FlushDuty::kMustFlush);
  parts_->pipeline.OnSealed(parts_->ring.TakeSealed(first));
  parts_->CarryWrites();
  ASSERT_EQ(parts_->pipeline.hi_stable(), 8192U);
  EXPECT_EQ(FirstDifference(device_.Content().substr(0, 8192), StreamBytes(0, 8192)), "");
}

}  // namespace
}  // namespace lss

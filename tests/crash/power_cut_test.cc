// Power cuts: the write side of a store over a device with a volatile cache, cut before and after
// every call to it, and inside durable writes. What Sync has acknowledged survives; what survives
// is, after trimming, a prefix of whole records without a hole.
//
// The records are RocksDB's and the trimming is the plugin's own, so what is checked here is what
// case R5 of recovery does. A failure prints the seed of its run.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "lss/options.h"
#include "lss/ring/flush_buffer_ring.h"
#include "lss/ring/ring_memory.h"
#include "lss/runtime/flusher.h"
#include "lss/stream/flush_pipeline.h"
#include "lss/stream/space.h"
#include "lss/stream/tail_writer.h"
#include "plugin/wal_tail.h"
#include "tests/crash/watched_device.h"
#include "tests/support/memory_device.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wal_builder.h"
#include "tests/support/workload.h"

namespace lss::test {
namespace {

using bloom_lfs::FindWalTail;
using bloom_lfs::WalTail;
using bloom_lfs::test::Payload;
using bloom_lfs::test::Random;
using bloom_lfs::test::TempDir;
using bloom_lfs::test::WalBuilder;

// The write side of a store, put together as DenseStream does it, over a WatchedDevice.
class Parts : public std::enable_shared_from_this<Parts> {
 public:
  Parts(const StoreOptions& options, std::unique_ptr<RingMemory> ring_memory,
        std::function<void()> look)
      : device(std::move(look)),
        memory(std::move(ring_memory)),
        ring(*memory, options, 0),
        space(&device, options, &figures),
        flusher(/*use_io_uring=*/false, nullptr),
        pipeline(&device, memory->words(), &space, &flusher, options, &figures),
        tail(&device, memory.get(), &ring, &pipeline, &space, options, &figures) {}

  void Start() {
    pipeline.SetOwner(weak_from_this());
    pipeline.SetWriteGate([this] { hot_wanted = true; });
  }

  // Dense, like DenseStream::Append, except that whoever appends also makes the store hot.
  Status Append(const std::string& bytes) {
    const Address end = accepted + bytes.size();
    if (Status status = space.EnsureAllocated(end); !status.ok()) {
      return status;
    }
    accepted = end;
    size_t done = 0;
    while (done < bytes.size()) {
      const FlushBufferRing::Cursor cursor = ring.current();
      FlushBuffer& buffer = ring.buffer(cursor.index);
      const auto part = static_cast<uint32_t>(
          std::min<size_t>(buffer.Remaining(cursor.generation), bytes.size() - done));
      if (part == 0) {
        if (buffer.Seal(cursor.generation) == FlushDuty::kMustFlush) {
          pipeline.OnSealed(ring.TakeSealed(cursor));
        }
        HeatIfWanted();
        if (Status status = ring.Rotate(cursor.sequence, &pipeline); !status.ok()) {
          return status;
        }
        continue;
      }
      const BufferReservation taken = buffer.Reserve(part, cursor.generation);
      EXPECT_TRUE(taken.reserved) << "there is one appender only";
      std::memcpy(buffer.data() + taken.offset, bytes.data() + done, part);
      EXPECT_EQ(buffer.Leave(), FlushDuty::kNone);
      done += part;
    }
    memory->words()->committed.store(end, std::memory_order_release);
    return Status::Ok();
  }
  Status Sync() {
    Status status = tail.Sync();
    hot_wanted = hot_wanted || tail.sync_count() >= 3;
    HeatIfWanted();
    if (status.ok() && tail.hot() && space.FrontierDue(pipeline.durable())) {
      space.ZeroAhead([this] { return accepted; });
    }
    return status;
  }
  void HeatIfWanted() {
    if (hot_wanted && !stays_cold && !tail.hot()) {
      exact_on_disk = false;
      tail.MakeHot();
    }
  }
  // As a burst does it, and the job that follows.
  void CoolDown() { stays_cold = tail.Relieve(FlushPipeline::Relief::kOutruns); }
  void SyncCut() {
    tail.SyncCut();
    exact_on_disk = !tail.leaves_zeros();
  }

  WatchedDevice device;
  const std::unique_ptr<RingMemory> memory;
  FlushBufferRing ring;
  StreamFigures figures;
  Space space;
  Flusher flusher;
  FlushPipeline pipeline;
  TailWriter tail;
  std::atomic<bool> hot_wanted{false};
  bool stays_cold = false;
  std::atomic<bool> exact_on_disk{true};  // no zeros behind the tail, whatever survives
  Address accepted = 0;
};

class PowerCutTest : public testing::Test {
 protected:
  void Begin(uint64_t seed) {
    seed_ = seed;
    random_ = Random(seed);
    stream_.clear();
    record_ends_.clear();
    wal_ = WalBuilder();
    synced_ = 0;
    cuts_ = 0;
    StoreOptions options;
    const uint32_t sizes[] = {4096, 4096, 8192, 32768};
    const uint32_t counts[] = {2, 3, 4, 8};
    options.buffer_bytes = sizes[random_.Below(4)];
    options.buffer_count = counts[random_.Below(4)];
    options.use_direct_io = !random_.OneIn(4);
    options.frontier_bytes = random_.OneIn(3) ? 0 : 64 << 10;
    options.allocation_step_bytes = 16 << 10;
    options.write_mode =
        random_.OneIn(2) ? WriteMode::kSerializedWrites : WriteMode::kTailLocalizedWrites;
    options.exact_size_when_synced = random_.OneIn(2);
    exact_ = options.exact_size_when_synced;
    if (exact_) {
      options.frontier_bytes = 0;
    }
    ASSERT_TRUE(options.Validate().ok());
    std::unique_ptr<RingMemory> memory;
    const Status status =
        RingMemory::Create(dir_ / kRingDirectoryName, FileIdentity{1, seed, 1}, options, &memory);
    ASSERT_TRUE(status.ok()) << status.ToString();
    parts_ = std::make_shared<Parts>(options, std::move(memory), [this] { Look(); });
    parts_->Start();
  }
  void End() {
    parts_->flusher.Stop();
    EXPECT_EQ(parts_->device.disk().Violations(), "");
    parts_->memory->Remove();
    parts_.reset();
  }

  Status Append() {
    const size_t payload = random_.Skewed(1, random_.OneIn(4) ? 30000 : 2000);
    const size_t before = wal_.size();
    wal_.Add(Payload(payload, static_cast<uint32_t>(random_.Next())));
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stream_ = wal_.bytes();
      record_ends_ = wal_.ends();
    }
    return parts_->Append(wal_.bytes().substr(before));
  }
  Status Sync() {
    const Address end = parts_->memory->words()->committed.load(std::memory_order_relaxed);
    Status status = parts_->Sync();
    if (status.ok()) {
      const std::lock_guard<std::mutex> lock(mutex_);
      synced_ = std::max(synced_, end);
    }
    if (status.ok() && exact_ && end == parts_->accepted) {
      ExpectExactOnTheDisk();
    }
    return status;
  }

  // The power fails at this moment.
  void Look() {
    if (parts_ == nullptr) {
      return;
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    // First what was promised, then the disk.
    const Address promised = std::max(synced_, parts_->pipeline.durable());
    ++cuts_;
    const Survivors survivors = cuts_ % 5 == 0   ? Survivors::kSyncedOnly
                                : cuts_ % 5 == 1 ? Survivors::kEverything
                                                 : Survivors::kRandomSubset;
    const std::string image = parts_->device.disk().PowerCut(survivors, seed_ + cuts_);
    CheckImage(image, promised, parts_->exact_on_disk);
  }
  // Stock RocksDB would find the end of the stream at the end of the file.
  void ExpectExactOnTheDisk() {
    for (const Survivors survivors :
         {Survivors::kSyncedOnly, Survivors::kRandomSubset, Survivors::kEverything}) {
      const std::string image = parts_->device.disk().PowerCut(survivors, seed_ + cuts_);
      EXPECT_TRUE(image == stream_.substr(0, synced_))
          << "seed " << seed_ << ", cut " << cuts_ << ": " << image.size() << " bytes, synced "
          << stream_.size();
    }
  }
  void CheckImage(const std::string& image, Address promised, bool no_zeros) {
    const WalTail tail = FindWalTail(
        [&image](uint64_t offset, size_t n, char* scratch) -> int64_t {
          const size_t got = offset < image.size() ? std::min(n, image.size() - offset) : 0;
          std::memcpy(scratch, image.data() + (got > 0 ? offset : 0), got);
          return static_cast<int64_t>(got);
        },
        image.size());
    const bool enough = tail.end >= WholeRecords(promised);
    const bool prefix = stream_.compare(0, tail.end, image, 0, tail.end) == 0;
    const bool exact = !no_zeros || stream_.compare(0, image.size(), image) == 0;
    if ((!enough || !prefix || !exact) && !testing::Test::HasFailure()) {
      ADD_FAILURE() << "seed " << seed_ << ", cut " << cuts_ << (no_zeros ? ", cold" : ", hot")
                    << ": " << image.size() << " bytes are left, " << tail.ToString()
                    << "; promised " << promised << " of " << stream_.size()
                    << (prefix ? "" : "; not what was appended")
                    << (exact ? "" : "; zeros behind the tail that no ring tells of");
    }
  }
  // A sync beside an append may end inside a record.
  Address WholeRecords(Address end) const {
    Address whole = 0;
    for (const uint64_t record_end : record_ends_) {
      whole = record_end <= end ? record_end : whole;
    }
    return whole;
  }

  TempDir dir_;
  uint64_t seed_ = 0;
  Random random_{0};
  WalBuilder wal_;
  // What the flusher's thread sees too, when it looks.
  std::mutex mutex_;
  std::string stream_;
  std::vector<uint64_t> record_ends_;  // of what stream_ holds
  Address synced_ = 0;
  uint64_t cuts_ = 0;
  bool exact_ = false;  // a synced file ends where its bytes do
  std::shared_ptr<Parts> parts_;
};

constexpr uint64_t kRuns = 120;

TEST_F(PowerCutTest, EverythingSyncedSurvivesAndWhatSurvivesIsAPrefix) {
  uint64_t cuts = 0;
  uint64_t hot = 0;
  for (uint64_t seed = 1; seed <= kRuns && !HasFailure(); ++seed) {
    Begin(seed);
    const uint64_t sync_one_in = 1 + random_.Below(8);
    for (int i = 0; i < 40; ++i) {
      ASSERT_TRUE(Append().ok());
      if (random_.OneIn(sync_one_in)) {
        ASSERT_TRUE(Sync().ok());
      }
      if (random_.OneIn(20)) {
        ASSERT_TRUE(parts_->tail.Settle().ok());
        EXPECT_EQ(parts_->device.disk().Content().size(), parts_->accepted);
      }
      if (random_.OneIn(15)) {
        parts_->tail.Tick();
        parts_->tail.Tick();
      }
    }
    ASSERT_TRUE(parts_->tail.Finish().ok());
    EXPECT_TRUE(parts_->device.disk().Content() == stream_);
    hot += parts_->tail.hot() ? 1 : 0;
    cuts += cuts_;
    End();
  }
  EXPECT_GT(hot, kRuns / 2);
  EXPECT_GT(cuts, kRuns * 50);
}

// Hot, outrun, cold, hot again, with and without the cut on the device in between.
TEST_F(PowerCutTest, ABurstThroughThePageCacheTakesNothingBack) {
  uint64_t cooled = 0;
  for (uint64_t seed = 3001; seed <= 3000 + kRuns && !HasFailure(); ++seed) {
    Begin(seed);
    for (int i = 0; i < 40; ++i) {
      ASSERT_TRUE(Append().ok());
      if (random_.OneIn(6)) {
        ASSERT_TRUE(Sync().ok());
      }
      if (parts_->tail.hot() && random_.OneIn(5)) {
        parts_->CoolDown();
        cooled += parts_->stays_cold ? 1 : 0;
      } else if (parts_->stays_cold && random_.OneIn(3)) {
        parts_->SyncCut();
      } else if (parts_->stays_cold && random_.OneIn(4)) {
        parts_->stays_cold = false;
      }
    }
    ASSERT_TRUE(parts_->tail.Finish().ok());
    EXPECT_TRUE(parts_->device.disk().Content() == stream_);
    End();
  }
  EXPECT_GT(cooled, kRuns);
}

// After a failed write or sync nothing more is promised, and what was promised stays.
TEST_F(PowerCutTest, AFailingDeviceTakesNothingBack) {
  uint64_t failed = 0;
  for (uint64_t seed = 1001; seed <= 1000 + kRuns && !HasFailure(); ++seed) {
    Begin(seed);
    const DeviceCall call = random_.OneIn(2) ? DeviceCall::kSync : DeviceCall::kWrite;
    MemoryDevice::Failure failure;
    failure.call = call;
    failure.error_number = random_.OneIn(2) ? EIO : ENOSPC;  // delayed allocation, copy on write
    failure.skip = random_.Below(30);
    failure.bytes_landed = random_.Below(3) * 512;
    parts_->device.disk().Fail(failure);
    Status status;
    for (int i = 0; i < 30 && status.ok(); ++i) {
      status = Append();
      if (status.ok() && random_.OneIn(3)) {
        status = Sync();
      }
    }
    if (!status.ok()) {
      ++failed;
      const bool final = parts_->pipeline.failed();
      EXPECT_TRUE(final || failure.error_number == ENOSPC);
      EXPECT_EQ(Sync().ok(), !final);
      EXPECT_EQ(parts_->tail.Finish().ok(), !final);
      Look();
    }
    End();
  }
  EXPECT_GT(failed, kRuns / 6);
}

// A full disk refuses an append and takes nothing back; zeroing ahead does without.
TEST_F(PowerCutTest, AFullDiskRefusesAppendsAndKeepsWhatItHas) {
  for (uint64_t seed = 2001; seed <= 2000 + kRuns / 2 && !HasFailure(); ++seed) {
    Begin(seed);
    parts_->device.disk().LimitSpace(kPageBytes * (5 + random_.Below(40)));
    Status status;
    while (status.ok()) {
      status = Append();
      if (status.ok() && random_.OneIn(2)) {
        ASSERT_TRUE(Sync().ok()) << "its blocks were allocated";
      }
    }
    EXPECT_EQ(status.code(), Status::Code::kNoSpace);
    EXPECT_FALSE(parts_->pipeline.failed()) << parts_->pipeline.error().ToString();
    ASSERT_TRUE(Sync().ok());
    ASSERT_TRUE(parts_->tail.Finish().ok());
    EXPECT_TRUE(parts_->device.disk().Content() == stream_.substr(0, parts_->accepted));
    End();
  }
}

}  // namespace
}  // namespace lss::test

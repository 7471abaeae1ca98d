// A FlushPipeline over a device in memory, with the parts around it and no flusher of its own.
#pragma once

#include <thread>
#include <vector>

#include "lss/stream/flush_pipeline.h"
#include "tests/support/store_parts_fixture.h"

namespace lss {

class FlushPipelineTest : public StorePartsTest {
 protected:
  explicit FlushPipelineTest(WriteMode mode = WriteMode::kSerializedWrites)
      : StorePartsTest(test::SmallOptions(mode)), pipeline_(parts_->pipeline) {}

  // Fills and seals `count` more buffers and puts one byte into the next. The ring has four, so at
  // most three may be waiting.
  void Seal(size_t count) {
    ASSERT_TRUE(parts_->Append(count * 4096 + 1 - parts_->end() % 4096).ok());
  }
  std::vector<WriteOp> NextWrites() {
    std::vector<WriteOp> ops;
    pipeline_.NextWrites(&ops);
    return ops;
  }
  void Done(const WriteOp& op, const Status& status = Status::Ok()) {
    pipeline_.OnWriteDone(op, status);
  }

  // A cold stream of 100 bytes is being synced, until the device's Release.
  void HoldASync(std::thread* syncing) {
    pipeline_.AllowWrites(FlushPipeline::Gate::kCold);
    ASSERT_TRUE(parts_->Append(100).ok());
    parts_->device.Hold(DeviceCall::kSync);
    *syncing = std::thread([this] { EXPECT_TRUE(parts_->tail.Sync().ok()); });
    ASSERT_TRUE(parts_->device.AwaitHeld());
  }

  FlushPipeline& pipeline_;
};

class TailLocalizedPipelineTest : public FlushPipelineTest {
 protected:
  TailLocalizedPipelineTest() : FlushPipelineTest(WriteMode::kTailLocalizedWrites) {
    pipeline_.AllowWrites(FlushPipeline::Gate::kHot);
  }
};

}  // namespace lss

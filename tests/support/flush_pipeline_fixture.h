// A FlushPipeline over a device in memory, with the parts around it and no flusher of its own.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "lss/stream/flush_pipeline.h"
#include "tests/support/store_parts.h"
#include "tests/support/stream_bytes.h"
#include "tests/support/temp_dir.h"

namespace lss {

using test::DeviceCall;
using test::FirstDifference;
using test::Lines;
using test::StoreParts;
using test::StreamBytes;

class FlushPipelineTest : public testing::Test {
 protected:
  explicit FlushPipelineTest(WriteMode mode = WriteMode::kSerializedWrites)
      : parts_(StoreParts::Make(directory_.path(), test::SmallOptions(mode))),
        pipeline_(parts_->pipeline) {}

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

  bloom_lfs::test::TempDir directory_;
  std::shared_ptr<StoreParts> parts_;
  FlushPipeline& pipeline_;
};

class TailLocalizedPipelineTest : public FlushPipelineTest {
 protected:
  TailLocalizedPipelineTest() : FlushPipelineTest(WriteMode::kTailLocalizedWrites) {
    pipeline_.AllowWrites(FlushPipeline::Gate::kHot);
  }
};

}  // namespace lss

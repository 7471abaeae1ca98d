// A Space over a device in memory.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "lss/stream/space.h"
#include "tests/support/memory_device.h"
#include "tests/support/store_parts.h"

namespace lss {

using test::DeviceCall;
using test::Lines;
using test::MemoryDevice;
using test::Survivors;

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kStep = 64 * kKiB;
constexpr std::chrono::seconds kPatience(20);

class SpaceTest : public testing::Test {
 protected:
  // Shared, because the test of a deadlock leaves threads behind when it fails.
  struct Parts {
    explicit Parts(uint64_t frontier_bytes) : space(&device, Options(frontier_bytes), &figures) {}
    static StoreOptions Options(uint64_t frontier_bytes) {
      StoreOptions options = test::SmallOptions();
      options.frontier_bytes = frontier_bytes;
      return options;
    }
    MemoryDevice device;
    StreamFigures figures;
    Space space;
  };

  explicit SpaceTest(uint64_t frontier_bytes = 1024 * kKiB)
      : parts_(std::make_shared<Parts>(frontier_bytes)),
        device_(parts_->device),
        space_(parts_->space) {}

  void ZeroAhead(Address appended_end) {
    space_.ZeroAhead([appended_end] { return appended_end; });
  }
  std::vector<std::string> Trace() const {
    return device_.Trace({DeviceCall::kWrite, DeviceCall::kSync, DeviceCall::kSyncAside,
                          DeviceCall::kAllocate, DeviceCall::kSetSize});
  }

  std::shared_ptr<Parts> parts_;
  MemoryDevice& device_;
  Space& space_;
};

}  // namespace lss

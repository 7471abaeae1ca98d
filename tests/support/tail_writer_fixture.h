// A TailWriter over a device in memory, with the parts around it.
#pragma once

#include <sys/resource.h>

#include <string>
#include <vector>

#include "lss/stream/tail_writer.h"
#include "tests/support/store_parts_fixture.h"

namespace lss {

class TailWriterTest : public StorePartsTest {
 protected:
  explicit TailWriterTest(const StoreOptions& options = test::SmallOptions())
      : StorePartsTest(options), device_(parts_->device), tail_(parts_->tail) {}
  ~TailWriterTest() override { EXPECT_EQ(device_.Violations(), ""); }

  void Append(size_t length) { ASSERT_TRUE(parts_->Append(length).ok()); }
  void Sync() { ASSERT_TRUE(tail_.Sync().ok()); }
  // Hot, with the file's size out of the way of the traces.
  void MakeHot() {
    tail_.MakeHot();
    ASSERT_TRUE(tail_.hot());
    ASSERT_TRUE(parts_->space.EnsureAllocated(1).ok());
    parts_->space.PrepareForWrite(1);
    device_.ForgetEvents();
  }
  // As often as it takes for a byte that came before to be written out.
  void TickUntilDue() {
    for (int i = 0; i < 3; ++i) {
      tail_.Tick();
    }
  }
  std::vector<std::string> Trace() const {
    return device_.Trace({DeviceCall::kWrite, DeviceCall::kSync, DeviceCall::kSetSize});
  }
  // From here on every open of this process fails with EMFILE.
  static rlim_t RefuseDescriptors() {
    rlimit limit = {};
    getrlimit(RLIMIT_NOFILE, &limit);
    const rlimit none = {0, limit.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    return limit.rlim_cur;
  }
  static void AllowDescriptors(rlim_t count) {
    rlimit limit = {};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = count;
    setrlimit(RLIMIT_NOFILE, &limit);
  }

  test::MemoryDevice& device_;
  TailWriter& tail_;
};

}  // namespace lss

#include "lss/device/blocking_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "lss/base/unique_fd.h"
#include "lss/device/file_device.h"
#include "tests/support/aligned_memory.h"
#include "tests/support/scripted_system_calls.h"
#include "tests/support/stream_bytes.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using test::AlignedMemory;
using test::ScriptedSystemCalls;
using test::StreamBytes;
using test::WriteAnswer;

class CountingClient final : public FlushClient {
 public:
  explicit CountingClient(Device* device) : device_(device) {}
  void NextWrites(std::vector<WriteOp>* /*ops*/) override {}
  void OnWriteDone(const WriteOp& /*op*/, const Status& /*status*/) override {}
  bool InOrder() const override { return true; }
  Device* device() override { return device_; }

 private:
  Device* device_;
};

TEST(BlockingWriter, ReportsEachOpOnceWithItsOwnResult) {
  const bloom_lfs::test::TempDir directory;
  const std::string path = directory / "file";
  ScriptedSystemCalls calls;
  FileDevice device(UniqueFd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)), path, nullptr,
                    &calls);
  const UniqueFd wake(eventfd(0, EFD_CLOEXEC));
  BlockingWriter writer(wake.get());
  CountingClient client(&device);
  const AlignedMemory memory(StreamBytes(0, 8192));
  calls.writes = {WriteAnswer::Real(), WriteAnswer::Error(EIO)};
  device.Submit(&writer, &client, {{memory.data(), 4096, 0}, {memory.data() + 4096, 4096, 4096}});
  EXPECT_EQ(writer.in_flight(), 2U);
  std::vector<std::pair<Address, Status::Code>> results;
  writer.Reap([&](FlushClient* who, const WriteOp& op, const Status& status) {
    EXPECT_EQ(who, &client);
    results.emplace_back(op.offset, status.code());
  });
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[0], std::make_pair(Address{0}, Status::Code::kOk));
  EXPECT_EQ(results[1], std::make_pair(Address{4096}, Status::Code::kIoError));
  EXPECT_EQ(writer.in_flight(), 0U);
}

TEST(BlockingWriter, WithNothingToReportWaitsForTheWakeUp) {
  const UniqueFd wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  BlockingWriter writer(wake.get());
  const uint64_t one = 1;
  ASSERT_EQ(::write(wake.get(), &one, sizeof(one)), 8);
  writer.Reap(
      [](FlushClient*, const WriteOp&, const Status&) { FAIL() << "nothing was submitted"; });
  uint64_t count = 0;
  EXPECT_EQ(::read(wake.get(), &count, sizeof(count)), -1) << "the wake-up was not consumed";
}

}  // namespace
}  // namespace lss

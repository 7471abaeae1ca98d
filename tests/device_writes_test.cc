// What the block device below a directory was given, by the kernel's count.

#include "db_bench_ext/device_writes.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "tests/support/temp_dir.h"

namespace bloom_lfs::bench {
namespace {

TEST(DeviceWritesTest, SectorsAreTheSeventhFieldAndHave512Bytes) {
  EXPECT_EQ(ParseWrittenBytes("   1 2 3 4 5 6 700 8 9 10 11 12 13 14 15 16 17"), 700U * 512);
  EXPECT_FALSE(ParseWrittenBytes("1 2 3 4 5 6").has_value());
  EXPECT_FALSE(ParseWrittenBytes("").has_value());
  EXPECT_FALSE(ParseWrittenBytes("1 2 3 4 5 6 x").has_value());
}

TEST(DeviceWritesTest, WhatIsSyncedIsCountedThere) {
  constexpr size_t kBytes = size_t{4} << 20;
  const test::TempDir directory;
  const DeviceWrites writes(directory.path());
  const auto before = writes.ReadBytes();
  if (!before.has_value()) GTEST_SKIP() << directory.path() << " is on no block device";
  const int fd = open((directory / "file").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_GE(fd, 0);
  const std::string data(kBytes, 'x');
  EXPECT_EQ(write(fd, data.data(), data.size()), static_cast<ssize_t>(kBytes));
  EXPECT_EQ(fsync(fd), 0);
  close(fd);
  const auto after = writes.ReadBytes();
  ASSERT_TRUE(after.has_value());
  EXPECT_GE(*after - *before, kBytes);
}

TEST(DeviceWritesTest, InMemoryNothingIsCounted) {
  EXPECT_FALSE(DeviceWrites("/dev/shm").ReadBytes().has_value());
  EXPECT_FALSE(DeviceWrites("/proc").ReadBytes().has_value());
  EXPECT_FALSE(DeviceWrites("/there/is/no/such").ReadBytes().has_value());
}

}  // namespace
}  // namespace bloom_lfs::bench

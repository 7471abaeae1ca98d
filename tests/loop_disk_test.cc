// File systems on loop disks of our own. Those that are made need root, and the programs that make
// them.
#include "db_bench_ext/loop_disk.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "db_bench_ext/child_process.h"
#include "db_bench_ext/disk_format.h"
#include "db_bench_ext/machine.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs::bench {
namespace {

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(DiskFormatTest, AListNamesEachOnce) {
  EXPECT_TRUE(ParseFileSystems("").value().empty());
  const std::vector<DiskFormat> formats = ParseFileSystems("btrfs,ext4").value();
  ASSERT_EQ(formats.size(), 2U);
  EXPECT_EQ(formats[0].package, "btrfs-progs");
  EXPECT_EQ(formats[1].make.front(), "mkfs.ext4");
  for (const char* list : {"zfs", "ext4,ext4", "ext4,,xfs"}) {
    const Result<std::vector<DiskFormat>> refused = ParseFileSystems(list);
    ASSERT_FALSE(refused.ok()) << list;
    EXPECT_TRUE(Has(refused.error().message, "--file_systems")) << refused.error().message;
  }
}

class LoopDiskTest : public testing::TestWithParam<std::string> {
 protected:
  const test::TempDir below_;
  const SignalsAsResults signals_;
};

TEST_P(LoopDiskTest, ItIsThereWithItsFileSystemAndThenGone) {
  const DiskFormat format = ParseFileSystems(GetParam()).value().front();
  const uint64_t bytes = (GetParam() == "xfs" ? uint64_t{304} : uint64_t{128}) << 20;
  Result<std::unique_ptr<LoopDisk>> disk = LoopDisk::Create(below_.path(), "disk", bytes, format);
  if (!disk.ok()) GTEST_SKIP() << disk.error().message;
  const std::string mount_point = disk.value()->mount_point();
  const std::string name = FileSystemName(disk.value()->directory().path());
  EXPECT_EQ(name.rfind(GetParam(), 0), 0U) << name;
  EXPECT_TRUE(Has(test::ReadFile("/proc/self/mounts"), mount_point + " " + GetParam()));
  const std::string backing =
      "/sys/block/" + std::filesystem::path(disk.value()->device()).filename().string() + "/loop/";
  EXPECT_TRUE(Has(test::ReadFile(backing + "backing_file"), below_.path()));
  EXPECT_EQ(test::ReadFile(backing + "dio"), "1\n");
  EXPECT_GE(std::filesystem::file_size(below_ / "disk.image"), bytes);
  const std::string device = disk.value()->device();
  disk.value().reset();
  EXPECT_FALSE(Has(test::ReadFile("/proc/self/mounts"), mount_point));
  // Somebody else may have it by now.
  if (std::filesystem::exists(backing + "backing_file")) {
    EXPECT_FALSE(Has(test::ReadFile(backing + "backing_file"), below_.path())) << device;
  }
}

INSTANTIATE_TEST_SUITE_P(All, LoopDiskTest, testing::Values("ext4", "xfs", "btrfs"),
                         [](const auto& test) { return test.param; });

TEST_F(LoopDiskTest, AProgramThatIsMissingIsSaidWithItsPackage) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  DiskFormat format = Ext4Format();
  format.make.front() = "mkfs.none";
  const Result<std::unique_ptr<LoopDisk>> disk =
      LoopDisk::Create(below_.path(), "disk", uint64_t{64} << 20, format);
  ASSERT_FALSE(disk.ok());
  EXPECT_EQ(disk.error().message, "mkfs.none does not run; install it (Debian: e2fsprogs)");
  EXPECT_TRUE(std::filesystem::is_empty(below_.path())) << "no image was made for nothing";
}

TEST_F(LoopDiskTest, AFileSystemThatTheKernelLacksLeavesNothing) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  DiskFormat format = Ext4Format();
  format.name = "nonexistentfs";
  const Result<std::unique_ptr<LoopDisk>> disk =
      LoopDisk::Create(below_.path(), "disk", uint64_t{64} << 20, format);
  ASSERT_FALSE(disk.ok());
  if (Has(disk.error().message, "install it")) GTEST_SKIP() << disk.error().message;
  EXPECT_TRUE(Has(disk.error().message, "this kernel has no nonexistentfs"))
      << disk.error().message;
  EXPECT_FALSE(Has(test::ReadFile("/proc/self/mounts"), below_.path()));
}

}  // namespace
}  // namespace bloom_lfs::bench

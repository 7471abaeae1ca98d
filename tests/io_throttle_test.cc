// The limits of a disk, written to directories that look like a cgroup controller's.
#include "db_bench_ext/io_throttle.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/support/temp_dir.h"

namespace bloom_lfs::bench {
namespace {

namespace fs = std::filesystem;

std::string Read(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

TEST(IoThrottleTest, Version1HasAFileForEachLimitInOnesOwnGroupAndIsLeftWithoutAny) {
  const test::TempDir cgroups;
  fs::create_directories(cgroups / "blkio/slice/own");
  std::ofstream(cgroups / "own") << "12:cpu:/other\n3:blkio:/slice/own\n0::/\n";
  const std::string files = cgroups / "blkio/slice/own/blkio.throttle.";
  for (const char* name : {"read_iops_device", "read_bps_device", "write_bps_device"}) {
    std::ofstream(files + name) << "";
  }
  {
    const Result<IoThrottle> throttle = IoThrottle::Create("7:3", cgroups.path(), cgroups / "own");
    ASSERT_TRUE(throttle.ok()) << throttle.error().message;
    ASSERT_FALSE(throttle.value().Set({3000, 125000000}).has_value());
    EXPECT_EQ(Read(files + "read_iops_device"), "7:3 3000");
    EXPECT_EQ(Read(files + "read_bps_device"), "7:3 125000000");
    EXPECT_EQ(Read(files + "write_bps_device"), "7:3 125000000");
  }
  EXPECT_EQ(Read(files + "read_iops_device"), "7:3 0");
  EXPECT_EQ(Read(files + "write_bps_device"), "7:3 0");
}

// As far as plain directories can play it: the group's own files do not come and go with it.
TEST(IoThrottleTest, Version2HasAGroupOfItsOwnWithOneLineOfLimits) {
  const test::TempDir cgroups;
  std::ofstream(cgroups / "cgroup.subtree_control") << "";
  std::ofstream(cgroups / "own") << "11:cpu:/\n0::/before\n";
  fs::create_directory(cgroups / "before");
  const std::string group = cgroups / ("db_bench_ext." + std::to_string(getpid()));
  {
    const Result<IoThrottle> throttle = IoThrottle::Create("7:3", cgroups.path(), cgroups / "own");
    ASSERT_TRUE(throttle.ok()) << throttle.error().message;
    EXPECT_EQ(Read(cgroups / "cgroup.subtree_control"), "+io");
    EXPECT_EQ(Read(group + "/cgroup.procs"), std::to_string(getpid()));
    ASSERT_FALSE(throttle.value().Set({3000, 125000000}).has_value());
    EXPECT_EQ(Read(group + "/io.max"), "7:3 riops=3000 rbps=125000000 wbps=125000000");
  }
  EXPECT_EQ(Read(group + "/io.max"), "7:3 riops=max rbps=max wbps=max");
  EXPECT_EQ(Read(cgroups / "before/cgroup.procs"), std::to_string(getpid()));
}

TEST(IoThrottleTest, AMachineWithoutAControllerIsTold) {
  const test::TempDir cgroups;
  const Result<IoThrottle> throttle = IoThrottle::Create("7:3", cgroups.path());
  ASSERT_FALSE(throttle.ok());
  EXPECT_NE(throttle.error().message.find("root"), std::string::npos);
}

}  // namespace
}  // namespace bloom_lfs::bench

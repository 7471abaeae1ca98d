#include "plugin/tool/mount_table.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <string>

#include "lss/base/unique_fd.h"

namespace bloom_lfs::tool {
namespace {

TEST(MountTableTest, ReadsALineOfTheKernels) {
  const auto mount = ParseMountLine(
      "36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 shared:2 - ext3 /dev/my\\040disk "
      "rw,errors=x",
      "36");
  ASSERT_TRUE(mount.has_value());
  EXPECT_EQ(mount->type, "ext3");
  EXPECT_EQ(mount->source, "/dev/my disk");
  EXPECT_EQ(mount->options, "rw,noatime,rw,errors=x");
}

TEST(MountTableTest, NoTagsBeforeTheDash) {
  const auto mount = ParseMountLine("1 0 0:5 / / rw - overlay overlay rw,upperdir=/u\\134x", "1");
  ASSERT_TRUE(mount.has_value());
  EXPECT_EQ(OptionValue(mount->options, "upperdir"), "/u\\x");
  EXPECT_FALSE(OptionValue(mount->options, "upper").has_value());
  EXPECT_FALSE(OptionValue(mount->options, "rw").has_value());
}

TEST(MountTableTest, OtherAndBrokenLinesAreNoMount) {
  EXPECT_FALSE(ParseMountLine("36 35 98:0 / / rw - ext3 /dev/x rw", "3").has_value());
  for (const char* line : {"", "36", "36 35 98:0 / /", "36 35 98:0 / / rw", "36 35 98:0 / / rw -",
                           "36 35 98:0 / / rw - ext3", "36 35 98:0 / / rw - ext3 /dev/x"}) {
    EXPECT_FALSE(ParseMountLine(line, "36").has_value()) << line;
  }
}

TEST(MountTableTest, AnUnfinishedEscapeStays) {
  const auto mount = ParseMountLine("1 0 0:5 / / rw - fuse a\\04 x\\", "1");
  ASSERT_TRUE(mount.has_value());
  EXPECT_EQ(mount->source, "a\\04");
}

TEST(MountTableTest, FindsTheMountOfAnOpenDirectory) {
  const lss::UniqueFd proc(open("/proc", O_PATH | O_CLOEXEC));
  const auto mount = FindMount(proc.get());
  ASSERT_TRUE(mount.has_value());
  EXPECT_EQ(mount->type, "proc");
  EXPECT_FALSE(FindMount(-1).has_value());
}

TEST(MountTableTest, FirstLineOfWhatIsThere) {
  EXPECT_FALSE(FirstLineOf("/proc/self/no such file").has_value());
  EXPECT_TRUE(FirstLineOf("/proc/self/mountinfo").has_value());
}

}  // namespace
}  // namespace bloom_lfs::tool

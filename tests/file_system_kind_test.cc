#include "lss/base/file_system_kind.h"

#include <gtest/gtest.h>
#include <linux/magic.h>

#include <fstream>
#include <string>

#include "lss/base/posix_file.h"
#include "lss/base/unique_fd.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

TEST(FileSystemKind, Table) {
  const struct {
    const char* name;
    uint64_t type;
    bool in_place;
  } rows[] = {
      {"ext4", EXT4_SUPER_MAGIC, true},     {"xfs", XFS_SUPER_MAGIC, true},
      {"tmpfs", TMPFS_MAGIC, true},         {"overlay", OVERLAYFS_SUPER_MAGIC, true},
      {"f2fs", F2FS_SUPER_MAGIC, true},     {"unknown", 0, true},
      {"btrfs", BTRFS_SUPER_MAGIC, false},  {"btrfs, extended", 0xFFFFFFFF9123683EULL, false},
      {"zfs", 0x2FC12FC1, false},           {"bcachefs", 0xCA451A4E, false},
      {"nilfs2", NILFS_SUPER_MAGIC, false},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(OverwritesInPlace(row.type), row.in_place) << row.name;
  }
}

TEST(FileSystemKind, AFileThatCannotBeAskedCountsAsOrdinary) {
  EXPECT_TRUE(FileOverwritesInPlace(-1));
}

TEST(FileSystemKind, AskingForNoCopiesLeavesTheFileUsable) {
  const bloom_lfs::test::TempDir directory;
  const UniqueFd fd = CreateUnnamed(directory.path());
  if (!fd.valid()) {
    GTEST_SKIP() << "no nameless files here";
  }
  AvoidCopyOnWrite(fd.get());
  EXPECT_EQ(pwrite(fd.get(), "x", 1, 0), 1);
}

}  // namespace
}  // namespace lss

// Which databases this process holds the lock of.
#include "plugin/database_locks.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "tests/support/temp_dir.h"

namespace bloom_lfs {
namespace {

TEST(DatabaseLocks, CountFromLockToUnlock) {
  const test::TempDir dir;
  const int lock = 0;
  const std::string log = dir / "000007.log";
  EXPECT_FALSE(HoldsDatabaseOf(log));
  NoteDatabaseLocked(&lock, dir / "LOCK");
  EXPECT_TRUE(HoldsDatabaseOf(log));
  NoteDatabaseUnlocked(&lock);
  EXPECT_FALSE(HoldsDatabaseOf(log));
}

TEST(DatabaseLocks, CoverTheArchiveAndNoOtherDirectory) {
  const test::TempDir dir;
  const int lock = 0;
  NoteDatabaseLocked(&lock, dir / "LOCK");
  for (const char* name : {"archive", "other"}) {
    ASSERT_EQ(mkdir((dir / name).c_str(), 0755), 0);
  }
  EXPECT_TRUE(HoldsDatabaseOf(dir / "archive/000007.log"));
  EXPECT_FALSE(HoldsDatabaseOf(dir / "other/000007.log"));
  EXPECT_FALSE(HoldsDatabaseOf(dir / "missing/000007.log"));
  const test::TempDir elsewhere;
  EXPECT_FALSE(HoldsDatabaseOf(elsewhere / "000007.log"));
  NoteDatabaseUnlocked(&lock);
}

TEST(DatabaseLocks, AForkedChildHasNone) {
  const test::TempDir dir;
  const int lock = 0;
  NoteDatabaseLocked(&lock, dir / "LOCK");
  const pid_t child = fork();
  if (child == 0) {
    _exit(HoldsDatabaseOf(dir / "000007.log") ? 1 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  NoteDatabaseUnlocked(&lock);
}

}  // namespace
}  // namespace bloom_lfs

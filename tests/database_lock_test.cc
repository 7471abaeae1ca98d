// RocksDB's lock, taken by the tool: nobody else gets it until the tool lets it go.
#include "plugin/tool/database_lock.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "lss/base/unique_fd.h"
#include "plugin/tool/directory_state.h"
#include "tests/support/child_process.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs::test {
namespace {

// args: a file. Says whether its lock can be had.
int AskerMain(const std::vector<std::string>& args) {
  const lss::UniqueFd fd(open(args.at(0).c_str(), O_RDWR | O_CLOEXEC));
  struct flock whole = {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  Report(fcntl(fd.get(), F_SETLK, &whole) == 0 ? "free" : "taken");
  return 0;
}
const RegisterChild kAsker("database_lock_asker", AskerMain);

std::string Ask(const std::string& path) {
  ChildProcess asker("database_lock_asker", {path});
  const std::string answer = asker.Hear();
  asker.Wait();
  return answer;
}

TEST(DatabaseLockTest, IsHeldWhileTheDirectoryIsLookedAt) {
  const TempDir dir;
  const std::string lock_file = dir / "LOCK";
  WriteFile(lock_file, "");
  {
    tool::DatabaseLock lock;
    ASSERT_TRUE(lock.Take(dir.path()).ok());
    const tool::DirectoryState state =
        tool::LookAtDirectories({{dir.path(), lock.owner_elsewhere()}});
    EXPECT_TRUE(state.failed.empty());
    EXPECT_EQ(Ask(lock_file), "taken");
  }
  EXPECT_EQ(Ask(lock_file), "free");
}

TEST(DatabaseLockTest, WhereThereIsNoneToTakeItIsOkWithoutOne) {
  const TempDir dir;
  tool::DatabaseLock lock;
  EXPECT_TRUE(lock.Take(dir.path()).ok());
  EXPECT_FALSE(lock.owner_elsewhere().has_lock_file);
  EXPECT_FALSE(lock.Take(dir / "gone").ok());
}

}  // namespace
}  // namespace bloom_lfs::test

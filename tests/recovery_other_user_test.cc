// A log that belongs to one user, and a recovery that runs as another.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "lss/recovery/recovery.h"
#include "tests/support/child_process.h"
#include "tests/support/dead_log.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using bloom_lfs::test::ChildProcess;
using bloom_lfs::test::ReadFile;
using bloom_lfs::test::RegisterChild;
using bloom_lfs::test::Report;
using bloom_lfs::test::TempDir;
using test::DeadLog;
using test::Exists;
using test::Stream;

// Child: recovers the log args[1] in the directory args[0], as a user with no special rights.
int StrangerMain(const std::vector<std::string>& args) {
  if (setgid(65534) != 0 || setuid(65534) != 0) {
    return 1;
  }
  std::vector<RecoveredFile> recovered;
  const Status status =
      Recover(args.at(0) + "/" + kRingDirectoryName, {args.at(1)}, RecoveryContext(), &recovered);
  Report(status.ToString());
  return status.ok() && recovered.size() == 1 ? 0 : 1;
}
const RegisterChild stranger("stranger", StrangerMain);

// What the service makes later beside the log would silence the ring.
TEST(RecoveryForAnotherUser, ALogThatCannotBeWrittenIsReplacedByAWholeOne) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "needs root";
  }
  const TempDir dir;
  const std::string path = dir / "000007.log";
  const std::string rings = dir / kRingDirectoryName;
  DeadLog log;
  log.stream = Stream(6000);
  log.hi_stable = 3000;
  const std::string ring = log.MakeAt(path);
  ASSERT_EQ(chmod(path.c_str(), 0644) | chmod(ring.c_str(), 0644), 0);
  for (const std::string& directory : {dir.path(), rings}) {
    ASSERT_EQ(chown(directory.c_str(), 65534, 65534) | chmod(directory.c_str(), 0755), 0);
  }
  EXPECT_EQ(ChildProcess("stranger", {dir.path(), path}).Wait(), 0);
  EXPECT_TRUE(ReadFile(path) == log.Promised()) << ReadFile(path).size() << " bytes";
  EXPECT_FALSE(Exists(rings)) << "the ring has done its work";
}

}  // namespace
}  // namespace lss

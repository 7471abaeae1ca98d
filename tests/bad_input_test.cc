// A hostile environment: no permission, a full disk, a kernel or file system that lacks something.
// Each gives a clear error or a fallback, and every write that was acknowledged is there.
//
// Each case runs in a child process, which changes its own world first.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/child_process.h"
#include "tests/support/dead_log.h"
#include "tests/support/files.h"
#include "tests/support/refusing_kernel.h"
#include "tests/support/row_database.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_env.h"

namespace bloom_lfs::test {
namespace {

using lss::test::RefuseSystemCall;

constexpr char kUri[] = "id=bloom_lfs;buffer_bytes=16K;buffer_count=4;idle_flush_ms=20";

// Writes, closes, opens again and reads. "ok", or what went wrong.
std::string UseDatabase(const std::string& path) {
  constexpr int kRows = 300;
  const TestEnv env(kUri);
  std::unique_ptr<rocksdb::DB> db;
  rocksdb::Status status = OpenRows(env, path, &db);
  for (int row = 0; row < kRows && status.ok(); ++row) {
    status = PutRow(db.get(), row, /*sync=*/row % 7 == 0);
  }
  if (status.ok()) {
    status = OpenRows(env, path, &db);
  }
  return status.ok() ? CheckRows(db.get(), kRows) : status.ToString();
}

// Writes until it is refused. The refusal, and whether everything acknowledged is there after
// `relief` and another open.
std::string FillDatabase(const std::string& path, void (*relief)()) {
  const TestEnv env(kUri);
  std::unique_ptr<rocksdb::DB> db;
  rocksdb::Status status = OpenRows(env, path, &db, /*one_log=*/true);
  int rows = 0;
  while (status.ok() && rows < 5000) {
    status = PutRow(db.get(), rows, /*sync=*/rows % 7 == 0);
    rows += status.ok() ? 1 : 0;
  }
  const std::string refusal = status.ToString();
  db.reset();
  relief();
  status = OpenRows(env, path, &db, /*one_log=*/true);
  return refusal + "; then " + (status.ok() ? CheckRows(db.get(), rows) : status.ToString()) +
         "; rows " + std::to_string(rows);
}

// From now on nobody else sees what this process mounts, and it goes with the process.
bool MountPrivately() {
  return unshare(CLONE_NEWNS) == 0 &&
         mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

bool MountTmpfsHere(const char* size) {
  if (!MountPrivately() || mount("none", ".", "tmpfs", 0, size) != 0) {
    return false;
  }
  std::filesystem::current_path(std::filesystem::current_path());  // into it
  return true;
}

void DropPrivileges() {
  if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) {
    throw std::runtime_error(std::string("setuid: ") + std::strerror(errno));
  }
  prctl(PR_SET_DUMPABLE, 1);  // or the leak checker cannot look at us
}

// --- the children; each works in the current directory, and reports what it found ---

std::string Act(const std::string& world) {
  if (world == "without io_uring: EPERM" || world == "without io_uring: ENOSYS") {
    RefuseSystemCall(SYS_io_uring_setup, world.back() == 'M' ? EPERM : ENOSYS);
    return UseDatabase("db");
  }
  if (world == "without direct I/O") {
    lss::test::RefuseFcntlDirect(EINVAL);
    return UseDatabase("db");
  }
  if (world == "without RWF_DSYNC") {
    lss::test::RefuseSystemCallWithBits(SYS_pwritev2, 5, RWF_DSYNC, EOPNOTSUPP);
    return UseDatabase("db");
  }
  if (world == "without fallocate") {
    RefuseSystemCall(SYS_fallocate, EOPNOTSUPP);
    return UseDatabase("db");
  }
  if (world == "without statx") {
    RefuseSystemCall(SYS_statx, EPERM);  // as an old container runtime does
    return UseDatabase("db");
  }
  if (world == "without flock") {
    RefuseSystemCall(SYS_flock, ENOLCK);
    return UseDatabase("db");
  }
  if (world == "on tmpfs") {
    return MountTmpfsHere("size=64m") ? UseDatabase("db") : "skip: cannot mount a tmpfs here";
  }
  if (world == "on a full tmpfs") {
    if (!MountTmpfsHere("size=12m")) {
      return "skip: cannot mount a tmpfs here";
    }
    return FillDatabase("db", [] { (void)mount(nullptr, ".", nullptr, MS_REMOUNT, "size=64m"); });
  }
  if (world == "on a full ext4") {
    if (system(
            "truncate -s 24M disk && mkfs.ext4 -q -O ^has_journal disk 2>/dev/null && mkdir m") !=
            0 ||
        !MountPrivately() || system("mount -o loop disk m 2>/dev/null") != 0) {
      return "skip: cannot mount an image here";
    }
    WriteFile("m/ballast", std::string(8 << 20, 'b'));
    return FillDatabase("m/db", [] { unlink("m/ballast"); });
  }
  if (world == "with a file size limit") {
    signal(SIGXFSZ, SIG_IGN);
    // Large enough for a ring, smaller than what the logs would like.
    const rlimit limit = {300 << 10, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &limit);
    return FillDatabase("db", [] {
      const rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
      setrlimit(RLIMIT_FSIZE, &unlimited);
    });
  }
  if (world == "as somebody else") {
    DropPrivileges();
    return UseDatabase("db");
  }
  if (world == "as somebody else, reading") {
    DropPrivileges();
    const TestEnv env(kUri);
    std::unique_ptr<rocksdb::DB> db;
    const rocksdb::Status status = OpenRowsForReading(env, "db", &db);
    return status.ok() ? CheckRows(db.get(), 30) : status.ToString();
  }
  return "no such world: " + world;
}

// args: directory, world
int WorldMain(const std::vector<std::string>& args) {
  const int said_fd = memfd_create("stderr", 0);
  fcntl(said_fd, F_SETFL, O_APPEND);  // as a program's log
  if (chdir(args.at(0).c_str()) != 0 || dup2(said_fd, STDERR_FILENO) < 0) {
    return 1;
  }
  std::string found = Act(args.at(1));
  std::string said(1 << 16, '\0');
  said.resize(
      static_cast<size_t>(std::max<ssize_t>(0, pread(said_fd, said.data(), said.size(), 0))));
  std::replace(found.begin(), found.end(), '\n', ' ');
  std::replace(said.begin(), said.end(), '\n', '|');
  Report(found);
  Report(said);
  return 0;
}
const RegisterChild world_role("world", WorldMain);

// Child: leaves a killed database with 30 rows, most of them in its ring only.
int LeaveRowsMain(const std::vector<std::string>& args) {
  const TestEnv env("id=bloom_lfs;idle_flush_ms=60000");
  std::unique_ptr<rocksdb::DB> db;
  rocksdb::Status status = OpenRows(env, args.at(0), &db);
  for (int row = 0; row < 30 && status.ok(); ++row) {
    status = PutRow(db.get(), row, /*sync=*/false);
  }
  Report(status.ToString());
  Await();
  return 0;
}
const RegisterChild leave_rows("leave_rows", LeaveRowsMain);

class BadInputTest : public testing::Test {
 protected:
  BadInputTest() { std::filesystem::permissions(dir_.path(), std::filesystem::perms(0755)); }

  // Runs the child; fills found_ and said_.
  void Live(const std::string& world) {
    ChildProcess child("world", {dir_.path(), world});
    found_ = child.Hear();
    said_ = child.Hear();
    EXPECT_EQ(child.Wait(), 0) << world;
  }
  bool Skipped() const { return found_.rfind("skip: ", 0) == 0; }
  void ExpectSaid(const std::vector<std::string>& parts) {
    for (const std::string& part : parts) {
      EXPECT_NE(said_.find(part), std::string::npos) << part << " is missing in: " << said_;
    }
    EXPECT_EQ(std::count(said_.begin(), said_.end(), '|'), 1) << "one line, once: " << said_;
  }
  void ExpectRefusedForSpaceAndAllThere() {
    EXPECT_NE(found_.find("No space"), std::string::npos) << found_;
    EXPECT_NE(found_.find("; then ok;"), std::string::npos) << found_;
    const int rows = std::stoi(found_.substr(found_.rfind(' ')));
    EXPECT_GT(rows, 10) << "it was full too soon to test anything";
    EXPECT_LT(rows, 5000) << "it was never full";
  }
  std::string LeaveKilledDatabase() {
    const std::string path = dir_ / "db";
    ChildProcess child("leave_rows", {path});
    EXPECT_EQ(child.Hear(), "OK");
    child.Kill();
    return path;
  }

  TempDir dir_;
  std::string found_;
  std::string said_;
};

// --- the kernel lacks something ---

TEST_F(BadInputTest, WithoutIoUringItWritesWithPwritev2) {
  for (const char* world : {"without io_uring: EPERM", "without io_uring: ENOSYS"}) {
    Live(world);
    EXPECT_EQ(found_, "ok") << world;
    ExpectSaid({"io_uring", "pwritev2", "io_uring=false"});
    std::filesystem::remove_all(dir_ / "db");
  }
}

TEST_F(BadInputTest, WithoutDirectIoItWritesBuffered) {
  Live("without direct I/O");
  EXPECT_EQ(found_, "ok");
  ExpectSaid({"refuses direct I/O", "buffered writes", "direct_io=false"});
}

TEST_F(BadInputTest, WithoutDurableWritesItSyncs) {
  Live("without RWF_DSYNC");
  EXPECT_EQ(found_, "ok");
}

TEST_F(BadInputTest, WithoutFallocateItDoesWithout) {
  Live("without fallocate");
  EXPECT_EQ(found_, "ok");
  ExpectSaid({"fallocate", "full disk"});
}

TEST_F(BadInputTest, WithoutStatxItWorksOrWritesTheStockWay) {
  Live("without statx");
  EXPECT_EQ(found_, "ok");
}

TEST_F(BadInputTest, WithoutFlockNothingIsMissing) {
  Live("without flock");
  EXPECT_EQ(found_, "ok");
  EXPECT_EQ(said_, "");
}

TEST_F(BadInputTest, OnTmpfsItWorks) {
  Live("on tmpfs");
  if (Skipped()) {
    GTEST_SKIP() << found_;
  }
  EXPECT_EQ(found_, "ok");
}

// --- a full disk ---

TEST_F(BadInputTest, AFullTmpfsRefusesAndKeepsWhatItAcknowledged) {
  Live("on a full tmpfs");
  if (Skipped()) {
    GTEST_SKIP() << found_;
  }
  ExpectRefusedForSpaceAndAllThere();
}

TEST_F(BadInputTest, AFullExt4RefusesAndKeepsWhatItAcknowledged) {
  Live("on a full ext4");
  if (Skipped()) {
    GTEST_SKIP() << found_;
  }
  ExpectRefusedForSpaceAndAllThere();
}

TEST_F(BadInputTest, AFileSizeLimitRefusesAndKeepsWhatWasAcknowledged) {
  Live("with a file size limit");
  EXPECT_NE(found_.find("ulimit -f"), std::string::npos) << "the remedy: " << found_;
  EXPECT_NE(found_.find("; then ok;"), std::string::npos) << found_;
}

// --- no permission ---

TEST_F(BadInputTest, ADirectoryThatMayNotBeWrittenIsAClearError) {
  std::filesystem::create_directory(dir_ / "db");
  std::filesystem::permissions(dir_ / "db", std::filesystem::perms(0555));
  Live("as somebody else");
  EXPECT_NE(found_.find("Permission denied"), std::string::npos) << found_;
  EXPECT_NE(found_.find("db/"), std::string::npos) << "names the file: " << found_;
  EXPECT_TRUE(lss::test::Names(dir_ / "db").empty());
}

TEST_F(BadInputTest, ARingThatMayNotBeReadIsSaidAndTheDatabaseIsWhatItsFilesSay) {
  const std::string path = LeaveKilledDatabase();
  const std::string rings = path + "/" + lss::kRingDirectoryName;
  const std::string ring = lss::test::Names(rings).at(0);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
    std::filesystem::permissions(entry.path(), std::filesystem::perms(0777));
  }
  std::filesystem::permissions(path, std::filesystem::perms(0777));
  std::filesystem::permissions(rings + "/" + ring, std::filesystem::perms(0000));
  Live("as somebody else");
  EXPECT_EQ(found_, "ok");
  EXPECT_NE(said_.find("Permission denied"), std::string::npos) << said_;
  EXPECT_NE(said_.find(ring), std::string::npos) << "names the file: " << said_;
  EXPECT_NE(said_.find("permission on the file"), std::string::npos) << "the remedy: " << said_;
}

TEST_F(BadInputTest, AReaderNeedsNoWritePermission) {
  const std::string path = LeaveKilledDatabase();
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
    std::filesystem::permissions(entry.path(),
                                 std::filesystem::perms(entry.is_directory() ? 0555 : 0444));
  }
  std::filesystem::permissions(path, std::filesystem::perms(0555));
  const Tree before = ListTree(path);
  Live("as somebody else, reading");
  EXPECT_EQ(found_, "ok") << "the rows are in the ring, which it may read";
  EXPECT_EQ(Difference(before, ListTree(path)), "");
  std::filesystem::permissions(path, std::filesystem::perms(0755));
  std::filesystem::permissions(path + "/" + lss::kRingDirectoryName, std::filesystem::perms(0755));
}

TEST_F(BadInputTest, ARingDirectoryThatMayNotBeWrittenMeansTheStockWay) {
  const std::string path = dir_ / "db";
  std::filesystem::create_directories(path + "/" + lss::kRingDirectoryName);
  std::filesystem::permissions(path, std::filesystem::perms(0777));
  WriteFile(path + "/" + lss::kRingDirectoryName + "/1.ring.aside", "not empty, so it stays");
  std::filesystem::permissions(path + "/" + lss::kRingDirectoryName, std::filesystem::perms(0555));
  Live("as somebody else");
  EXPECT_EQ(found_, "ok");
  EXPECT_NE(said_.find("stock way"), std::string::npos) << said_;
  EXPECT_NE(said_.find("Permission denied"), std::string::npos) << said_;
}

}  // namespace
}  // namespace bloom_lfs::test

// The program itself on bad input: a clear line, the right exit status, nothing left behind. On
// stand-ins for what it runs.

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "db_bench_ext/child_process.h"
#include "db_bench_ext/loop_disk.h"
#include "tests/support/built_program.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs::bench {
namespace {

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

constexpr char kMeasures[] =
    "for a; do case $a in --db=*) db=${a#--db=};; esac; done\n"
    "case $1 in --version) echo 'db_bench version 12.3.4'; exit;; esac\n"
    "echo 'fillseq : 1 micros/op 1000 ops/sec 1.0 seconds 1000 operations;'\n";

class DbBenchExtInputTest : public testing::Test {
 protected:
  DbBenchExtInputTest() {
    std::filesystem::create_directory(databases_);
    std::filesystem::create_directory(other_);
    StandIn(kMeasures);
    test::WriteFile(plugin_, "");
  }
  // Whatever it did, it took away.
  ~DbBenchExtInputTest() override {
    EXPECT_TRUE(std::filesystem::is_empty(databases_));
    EXPECT_FALSE(Contains(test::ReadFile("/proc/self/mounts"), directory_.path()));
  }

  // Empty: disks can be made.
  static std::string WhyNoDisks() {
    if (geteuid() != 0) return "needs root";
    const std::string made = "mkfs.ext4 -V && mkfs.btrfs --version";
    return RunToEnd({{"sh", "-c", made}, "", ""}, std::chrono::seconds(60)).ok()
               ? ""
               : "needs e2fsprogs and btrfs-progs";
  }

  void StandIn(const std::string& script) {
    std::ofstream(db_bench_) << "#!/bin/sh\n" << script;
    std::filesystem::permissions(db_bench_, std::filesystem::perms::owner_all);
  }

  static std::string Program() { return test::BuiltProgram("db_bench_ext"); }

  std::vector<std::string> Arguments(const std::vector<std::string>& flags) const {
    std::vector<std::string> argv = {Program(),   "--db_bench=" + db_bench_, "--plugin=" + plugin_,
                                     "--pairs=1", "--db_dir=" + databases_,  "--html_file=none"};
    argv.insert(argv.end(), flags.begin(), flags.end());
    return argv;
  }

  Result<ChildOutput> Run(const std::vector<std::string>& flags) const {
    return RunToEnd({Arguments(flags), "", ""}, std::chrono::seconds(60));
  }

  // One command line, with these flags in front of it.
  Result<ChildOutput> RunOwn(std::vector<std::string> flags = {}) const {
    flags.insert(flags.end(), {"--", "--benchmarks=fillseq", "--num=1000"});
    return Run(flags);
  }

  void ExpectRefused(const Result<ChildOutput>& run, int status, const std::string& cause) const {
    ASSERT_FALSE(run.ok()) << cause << "\n" << run.value().standard_output;
    const std::string& message = run.error().message;
    EXPECT_TRUE(Contains(message, "exited with " + std::to_string(status))) << message;
    EXPECT_TRUE(Contains(message, cause)) << message;
  }

  const test::TempDir directory_;
  const std::string databases_ = directory_ / "databases";
  const std::string other_ = directory_ / "other";
  const std::string db_bench_ = directory_ / "db_bench";
  const std::string plugin_ = directory_ / "libbloom_lfs.so";
  const SignalsAsResults signals_;
};

TEST_F(DbBenchExtInputTest, ACommandLineOfOnesOwnIsMeasured) {
  const Result<ChildOutput> run = RunOwn({"--arms=no-wal"});
  ASSERT_TRUE(run.ok()) << run.error().message;
  const std::string& table = run.value().standard_output;
  EXPECT_TRUE(Contains(table, "- command line: --benchmarks=fillseq --num=1000\n")) << table;
  EXPECT_TRUE(Contains(table, "fillseq   no-wal  1,000 ops/s  1,000 ops/s  1.00×")) << table;
  EXPECT_TRUE(RunToEnd({Arguments({"--workload=--benchmarks=fillseq --num=5"}), "", ""},
                       std::chrono::seconds(60))
                  .ok());
}

TEST_F(DbBenchExtInputTest, FlagsThatMakeNoSenseEndItWithTwo) {
  ExpectRefused(Run({"--pears=3"}), 2, "there is no flag --pears");
  ExpectRefused(Run({"--pairs=many"}), 2, "--pairs=many is no int32");
  ExpectRefused(Run({"--seed"}), 2, "--seed needs a value");
  ExpectRefused(Run({"fillseq"}), 2, "unexpected argument fillseq");
  ExpectRefused(RunOwn({"--arms=stock,all"}), 2, "\"all\" is no arm");
  ExpectRefused(RunOwn({"--file_systems=ntfs"}), 2, "\"ntfs\" is none of");
  ExpectRefused(RunOwn({"--file_systems=ext4,xfs", "--loop_disk_mib=299"}), 2,
                "--loop_disk_mib=299 is too little for xfs");
  ExpectRefused(RunOwn({"--set=logs"}), 2, "--set says nothing about --workload");
  ExpectRefused(RunOwn({"--workload=--benchmarks=fillseq"}), 2, "leave one out");
  ExpectRefused(Run({"--", "--benchmarks=fillseq", "--db=/tmp/x"}), 2, "leave --db out");
  ExpectRefused(Run({"--"}), 2, "no benchmark");
  ExpectRefused(RunOwn({"--plugin_uri=", "--arms=plugin{a=1}"}), 2, "leave plugin{a=1} out");
}

TEST_F(DbBenchExtInputTest, ASecondRocksDbMustBeThere) {
  ExpectRefused(RunOwn({"--arms=second"}), 2, "needs --second_db_bench=");
  ExpectRefused(RunOwn({"--arms=second-plugin", "--second_db_bench=" + db_bench_}), 2,
                "needs --second_plugin=");
  ExpectRefused(RunOwn({"--second_db_bench=" + db_bench_}), 2, "pass --arms=stock,plugin,second");
  ExpectRefused(RunOwn({"--arms=second", "--second_db_bench=/nonexistent"}), 2,
                "cannot start /nonexistent");
  ExpectRefused(RunOwn({"--arms=second", "--second_db_bench=" + db_bench_,
                        "--second_rocksdb_lib=/nonexistent"}),
                2, "--second_rocksdb_lib: there is no directory /nonexistent");
}

TEST_F(DbBenchExtInputTest, AMissingDbBenchEndsItBeforeAnythingIsMeasured) {
  ExpectRefused(RunOwn({"--db_bench=/nonexistent/db_bench"}), 2,
                "cannot start /nonexistent/db_bench: No such file or directory");
  ExpectRefused(RunOwn({"--db_bench=/etc/passwd"}), 2, "cannot start /etc/passwd");
  ExpectRefused(RunOwn({"--rocksdb_lib=/nonexistent"}), 2, "there is no directory /nonexistent");
}

// As the loader says it, and a db_bench that then does not know the file system.
TEST_F(DbBenchExtInputTest, APluginForAnotherRocksDbEndsItBeforeAnythingIsMeasured) {
  StandIn(
      "case $* in *fs_uri*) echo 'bloom_lfs: not in use: the plugin is built for 7.8' >&2; exit 1;;"
      " esac\n" +
      std::string(kMeasures));
  ExpectRefused(RunOwn(), 2, "the arm plugin does not run");
  ExpectRefused(RunOwn(), 2, "bloom_lfs: not in use: the plugin is built for 7.8");
}

TEST_F(DbBenchExtInputTest, AnOptionThatOnlyOneArmHasIsTriedBeforeAnythingIsMeasured) {
  StandIn("case $* in *typo*) echo 'Could not find option: typo' >&2; exit 1;; esac\n" +
          std::string(kMeasures));
  ExpectRefused(RunOwn({"--arms=plugin{typo=1}"}), 2, "the arm plugin{typo=1} does not run");
}

TEST_F(DbBenchExtInputTest, ADirectoryThatCannotHoldDatabasesEndsIt) {
  ExpectRefused(RunOwn({"--db_dir=/nonexistent"}), 2,
                "cannot use /nonexistent: No such file or directory");
  ExpectRefused(RunOwn({"--db_dir=" + db_bench_}), 2, "Not a directory");
  ExpectRefused(RunOwn({"--db_dir=/dev/shm"}), 2, "is in memory");
}

TEST_F(DbBenchExtInputTest, TwoRunsInOneDirectoryDoNotMeet) {
  StandIn("sleep 0.2\n" + std::string(kMeasures) + "[ -d \"$db\" ] || exit 1\n");
  Result<ChildProcess> first =
      ChildProcess::Start({Arguments({"--", "--benchmarks=fillseq"}), "", ""});
  EXPECT_TRUE(RunOwn().ok());
  EXPECT_TRUE(first.value().Wait(std::chrono::seconds(60)).ok());
}

TEST_F(DbBenchExtInputTest, AReadOnlyDirectoryEndsIt) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, to mount it so";
  const Result<std::unique_ptr<LoopDisk>> disk =
      LoopDisk::Create(other_, "disk", uint64_t{64} << 20);
  if (!disk.ok()) GTEST_SKIP() << disk.error().message;
  const std::string place = disk.value()->mount_point();
  ASSERT_EQ(mount("none", place.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr), 0);
  ExpectRefused(RunOwn({"--db_dir=" + place}), 2, "Read-only file system");
  EXPECT_EQ(mount("none", place.c_str(), nullptr, MS_REMOUNT, nullptr), 0);
}

TEST_F(DbBenchExtInputTest, ADiskThatFillsUpFailsTheRow) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root, for a small disk";
  const Result<std::unique_ptr<LoopDisk>> disk =
      LoopDisk::Create(other_, "disk", uint64_t{64} << 20);
  if (!disk.ok()) GTEST_SKIP() << disk.error().message;
  // The first put is small.
  StandIn(std::string(kMeasures) +
          "case $* in *num=1000*) dd if=/dev/zero of=$db/000004.log bs=1M count=100 || exit 1;; "
          "esac\n");
  const std::string& place = disk.value()->directory().path();
  ExpectRefused(RunOwn({"--db_dir=" + place}), 1, "No space left on device");
  EXPECT_TRUE(std::filesystem::is_empty(place));
}

TEST_F(DbBenchExtInputTest, ATableThatNobodyTakesIsSaid) {
  const auto with_shell = [&](const std::string& redirection) {
    return RunToEnd(
        {{"sh", "-c",
          ToShellLine({Arguments({}), "", ""}) + " --workload=--benchmarks=fillseq " + redirection},
         "",
         ""},
        std::chrono::seconds(60));
  };
  ExpectRefused(with_shell(">/dev/full"), 1, "cannot print the table: No space left on device");
  EXPECT_TRUE(with_shell("<&- >&- 2>&-").ok()) << "closed streams are nobody's";
  // The reader leaves before the table is printed.
  StandIn("sleep 0.2\n" + std::string(kMeasures));
  const Result<ChildOutput> piped = with_shell("2>&1 | true");
  EXPECT_TRUE(piped.ok()) << piped.error().message;
}

TEST_F(DbBenchExtInputTest, EachFileSystemIsMeasuredAndTakenAway) {
  if (const std::string why = WhyNoDisks(); !why.empty()) GTEST_SKIP() << why;
  const std::string json = directory_ / "results.json";
  const Result<ChildOutput> run =
      RunOwn({"--file_systems=ext4,btrfs", "--loop_disk_mib=128", "--json_file=" + json});
  ASSERT_TRUE(run.ok()) << run.error().message;
  const std::string& table = run.value().standard_output;
  EXPECT_TRUE(Contains(table, "\n== ext4, on a loop device\n")) << table;
  EXPECT_TRUE(Contains(table, "\n== btrfs, on a loop device\n")) << table;
  EXPECT_TRUE(Contains(test::ReadFile(json), "\"name\": \"btrfs\"")) << test::ReadFile(json);
}

TEST_F(DbBenchExtInputTest, AFileSystemThatCannotBeMadeIsSkippedWithItsReason) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const Result<ChildOutput> run =
      RunToEnd({{"env", "PATH=/usr/bin", Program(), "--db_bench=" + db_bench_,
                 "--plugin=" + plugin_, "--db_dir=" + databases_, "--html_file=none",
                 "--file_systems=xfs", "--workload=--benchmarks=fillseq"},
                "",
                ""},
               std::chrono::seconds(60));
  ExpectRefused(run, 2, "skipped: mkfs.xfs does not run; install it (Debian: xfsprogs)");
}

TEST_F(DbBenchExtInputTest, ASignalTakesTheDiskAway) {
  if (const std::string why = WhyNoDisks(); !why.empty()) GTEST_SKIP() << why;
  StandIn(std::string(kMeasures) +
          "case $* in *num=1000*) kill -TERM $PPID; exec sleep 100;; esac\n");
  ExpectRefused(RunOwn({"--file_systems=ext4", "--loop_disk_mib=128"}), 130, "interrupted");
}

}  // namespace
}  // namespace bloom_lfs::bench

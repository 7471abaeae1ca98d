// Programs on a disk that stops answering and answers again. Needs root, for the disk.
#include "db_bench_ext/frozen_run.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include "db_bench_ext/frozen_file_system.h"
#include "db_bench_ext/loop_disk.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs::bench {
namespace {

constexpr uint64_t kBytes = uint64_t{64} << 20;

class FrozenRunTest : public testing::Test {
 protected:
  void SetUp() override {
    Result<std::unique_ptr<LoopDisk>> disk = LoopDisk::Create(below_.path(), "disk", kBytes);
    if (!disk.ok()) GTEST_SKIP() << disk.error().message;
    disk_ = std::move(disk.value());
  }

  std::string FileOnDisk(const std::string& name) const {
    return disk_->directory().path() + "/" + name;
  }

  // Makes a file on the disk, and leaves it to the caller.
  ChildProcess StartWriter(const std::string& name) const {
    return std::move(ChildProcess::Start({{"touch", FileOnDisk(name)}, "", ""}).value());
  }

  static bool HasEndedIn(ChildProcess* child, std::chrono::milliseconds time) {
    const auto give_up = std::chrono::steady_clock::now() + time;
    while (child->IsRunning() && std::chrono::steady_clock::now() < give_up) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return !child->IsRunning();
  }

  // As db_bench: a line of the report each second, and one row written to the disk for each tenth.
  FrozenRun StandIn(int seconds) const {
    const std::string script = below_ / "db_bench";
    std::ofstream(script) << "#!/bin/sh\n"
                             "for a; do case $a in --report_file=*) report=${a#*=};; esac; done\n"
                             "for s in $(seq " +
                                 std::to_string(seconds) +
                                 "); do sleep 1; echo $s,$((s * 100)) >>$report; done &\n"
                                 "echo row >" +
                                 FileOnDisk("row") + "\nsleep 2.5; sync " + FileOnDisk("row") +
                                 "; echo row >" + FileOnDisk("row") + "; wait; echo done\n";
    std::filesystem::permissions(script, std::filesystem::perms::owner_all);
    FrozenRun run;
    run.db_bench = {{script}, "", ""};
    run.mount_point = disk_->mount_point();
    run.report = below_ / "report";
    run.frozen = std::chrono::seconds(3);
    run.timeout = std::chrono::seconds(30);
    return run;
  }

  const test::TempDir below_;
  const SignalsAsResults signals_;
  std::unique_ptr<LoopDisk> disk_;
};

TEST_F(FrozenRunTest, WhoWritesToAFrozenDiskWaitsForTheThaw) {
  auto frozen = FrozenFileSystem::Create(disk_->mount_point());
  ASSERT_TRUE(frozen.ok()) << frozen.error().message;
  ChildProcess writer = StartWriter("a");
  const bool waited = !HasEndedIn(&writer, std::chrono::milliseconds(300));
  frozen.value().reset();
  EXPECT_TRUE(waited);
  EXPECT_TRUE(HasEndedIn(&writer, std::chrono::seconds(20)));
  EXPECT_TRUE(std::filesystem::exists(FileOnDisk("a")));
}

TEST_F(FrozenRunTest, ADiskIsThawedWhenItsFreezerIsKilled) {
  const pid_t freezer = fork();
  if (freezer == 0) {
    const auto frozen = FrozenFileSystem::Create(disk_->mount_point());
    kill(getpid(), frozen.ok() ? SIGKILL : SIGTERM);
    pause();
  }
  int status = 0;
  ASSERT_EQ(waitpid(freezer, &status, 0), freezer);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "it could not freeze";
  ChildProcess writer = StartWriter("a");
  EXPECT_TRUE(HasEndedIn(&writer, std::chrono::seconds(20)));
}

TEST_F(FrozenRunTest, WhatIsNoMountPointCannotBeFrozen) {
  EXPECT_FALSE(FrozenFileSystem::Create(below_ / "nothing").ok());
}

// Frozen after the second line: the third interval has begun before, those that end later count.
TEST_F(FrozenRunTest, TheRateIsThatOfTheSecondsWithinTheFreeze) {
  const Result<FrozenOutput> output = RunFrozen(StandIn(8));
  ASSERT_TRUE(output.ok()) << output.error().message;
  EXPECT_EQ(output.value().standard_output, "done\n");
  EXPECT_GE(output.value().ops_per_s, 400);
  EXPECT_LE(output.value().ops_per_s, 600);
}

TEST_F(FrozenRunTest, ARunThatEndsBeforeTheThawIsAnError) {
  FrozenRun run = StandIn(3);
  std::ofstream(run.db_bench.argv[0]) << "#!/bin/sh\n"
                                         "for a; do case $a in --report_file=*) report=${a#*=};; "
                                         "esac; done\n"
                                         "printf '1,5\\n2,5\\n' >$report; sleep 1\n";
  const Result<FrozenOutput> output = RunFrozen(run);
  ASSERT_FALSE(output.ok());
  EXPECT_NE(output.error().message.find("ended before"), std::string::npos);
  ChildProcess writer = StartWriter("a");
  EXPECT_TRUE(HasEndedIn(&writer, std::chrono::seconds(20))) << "it is not thawed";
}

}  // namespace
}  // namespace bloom_lfs::bench

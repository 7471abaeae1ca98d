// A directory of side logs: which one is opened, which are left alone, and whom they are open to.
#include "lss/second_place/side_place.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "lss/second_place/side_log.h"
#include "lss/second_place/side_scan.h"
#include "tests/support/child_check.h"
#include "tests/support/child_process.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using bloom_lfs::test::Await;
using bloom_lfs::test::ChildProcess;
using bloom_lfs::test::ReadFile;
using bloom_lfs::test::RegisterChild;
using bloom_lfs::test::Report;
using bloom_lfs::test::WriteFile;
using std::chrono::steady_clock;

constexpr uint64_t kBytes = 4 << 20;

Status Open(const std::string& directory, HeldSideSpace* held, const std::string& database = "") {
  return OpenSideSpace(directory, database, kBytes, nullptr, {}, held);
}

// Has a log of the directory until it is told to end, or killed.
int HolderMain(const std::vector<std::string>& args) {
  HeldSideSpace held;
  test::RequireOk(Open(args.at(0), &held), "a side log");
  Report(UuidText(held.space->place()));
  (void)Await();
  return 0;
}
const RegisterChild holder("holder", HolderMain);

// Says whether another process has locked the file, as often as it is asked.
int WatcherMain(const std::vector<std::string>& args) {
  const UniqueFd fd(open(args.at(0).c_str(), O_RDONLY | O_CLOEXEC));
  test::Require(fd.valid(), "the file can be opened");
  while (!Await().empty()) {
    Report(IsOwnedElsewhere(fd.get(), FileIdentity()) ? "held" : "free");
  }
  return 0;
}
const RegisterChild watcher_child("watcher", WatcherMain);

class SidePlaceTest : public testing::Test {
 protected:
  static constexpr uint32_t kPrivate = 0600;

  // The log's number.
  static std::string NumberOf(const HeldSideSpace& held) {
    const std::string& path = held.space->name();
    return path.substr(path.rfind('-') + 1);
  }
  std::string LogPath(int number) const { return place_ + "/side-" + std::to_string(number); }
  static uint32_t Mode(const std::string& path) {
    struct stat st = {};
    EXPECT_EQ(lstat(path.c_str(), &st), 0) << path;
    return st.st_mode & 07777;
  }
  static Uuid Database(uint8_t byte) {
    Uuid database;
    database.fill(byte);
    return database;
  }
  static std::string NameOf(const Uuid& database) {
    return "database " + std::to_string(database[0]);
  }
  // Opens a log, writes a record of the database, and leaves it. Gives its name.
  Uuid LeaveRecord(const Uuid& database) const {
    HeldSideSpace held;
    EXPECT_TRUE(Open(place_, &held).ok());
    EXPECT_TRUE(held.space->labels()->Set(database, NameOf(database)).ok());
    const Uuid place = held.space->place();
    SideScan scan;
    EXPECT_TRUE(ScanSideLog(
                    *held.space, [](const SideRecord&, uint64_t) {}, &scan)
                    .ok());
    std::unique_ptr<SideLog> log;
    EXPECT_TRUE(SideLog::Open(std::move(held.space), scan.end, LiveRecords(), 1, &log).ok());
    uint64_t group = 0;
    EXPECT_TRUE(log->Append({{database, 1, 0}, 0, {"record", 6}}, &group).ok());
    EXPECT_TRUE(log->Sync(group).ok());
    return place;
  }

  bloom_lfs::test::TempDir dir_;
  const std::string place_ = dir_ / "place";
};

TEST_F(SidePlaceTest, AnEmptyDirectoryGetsTheFirstLog) {
  HeldSideSpace held;
  const Status status = Open(place_, &held);
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(held.space->name(), LogPath(1));
  EXPECT_EQ(held.space->superblock().epoch, 1U) << "taken over";
  EXPECT_LE(held.space->log_bytes(), kBytes);
  EXPECT_GT(held.space->log_bytes(), kBytes / 2);
  EXPECT_EQ(access(LogPath(2).c_str(), F_OK), -1);
}

TEST_F(SidePlaceTest, NobodyElseMayReadIt) {
  const mode_t before = umask(0);
  HeldSideSpace held;
  ASSERT_TRUE(Open(place_, &held).ok());
  umask(before);
  EXPECT_EQ(Mode(LogPath(1)), kPrivate);
  EXPECT_EQ(Mode(LogPath(1) + ".lock"), kPrivate);
  EXPECT_EQ(Mode(place_), 0700U);
}

TEST_F(SidePlaceTest, AParentThatIsMissingIsNamed) {
  HeldSideSpace held;
  const std::string place = dir_ / "missing/place";
  const Status status = Open(place, &held);
  EXPECT_EQ(status.code(), Status::Code::kNotFound);
  EXPECT_NE(status.message().find(place), std::string::npos) << status.ToString();
  EXPECT_EQ(held.space, nullptr);
}

TEST_F(SidePlaceTest, AnEmptyLogIsUsedAgain) {
  Uuid place;
  {
    HeldSideSpace held;
    ASSERT_TRUE(Open(place_, &held).ok());
    place = held.space->place();
  }
  HeldSideSpace held;
  ASSERT_TRUE(Open(place_, &held).ok());
  EXPECT_EQ(held.space->place(), place);
  EXPECT_EQ(held.space->superblock().epoch, 2U);
}

TEST_F(SidePlaceTest, ALogWithRecordsIsForThoseWhoseTheyAre) {
  const Uuid first = LeaveRecord(Database(1));
  const std::string content = ReadFile(LogPath(1));
  {
    HeldSideSpace held;
    ASSERT_TRUE(Open(place_, &held, NameOf(Database(2))).ok());
    EXPECT_EQ(NumberOf(held), "2");
    EXPECT_NE(held.space->place(), first);
    EXPECT_TRUE(ReadFile(LogPath(1)) == content) << "it was left alone";
  }
  HeldSideSpace held;
  ASSERT_TRUE(Open(place_, &held, NameOf(Database(1))).ok());
  EXPECT_EQ(held.space->place(), first);
}

TEST_F(SidePlaceTest, ADamagedLogIsLeftAlone) {
  (void)LeaveRecord(Database(1));
  std::string content = ReadFile(LogPath(1));
  for (const bool in_superblocks : {false, true}) {
    SCOPED_TRACE(in_superblocks);
    if (in_superblocks) {
      content.replace(0, kSuperblocksBytes, kSuperblocksBytes, 'x');
    } else {
      content.resize(content.size() / 2);  // cut
    }
    WriteFile(LogPath(1), content);
    HeldSideSpace held;
    ASSERT_TRUE(Open(place_, &held, NameOf(Database(1))).ok());
    EXPECT_EQ(NumberOf(held), "2");
    EXPECT_TRUE(ReadFile(LogPath(1)) == content);
  }
}

TEST_F(SidePlaceTest, TwoHoldersOfOneProcessHaveLogsOfTheirOwn) {
  HeldSideSpace first;
  HeldSideSpace second;
  ASSERT_TRUE(Open(place_, &first).ok());
  ASSERT_TRUE(Open(place_, &second).ok());
  EXPECT_EQ(NumberOf(first), "1");
  EXPECT_EQ(NumberOf(second), "2");
  // Neither has lost its lock by that: another process finds both taken.
  ChildProcess third("holder", {place_});
  (void)third.Hear();
  EXPECT_EQ(access(LogPath(3).c_str(), F_OK), 0);
}

TEST_F(SidePlaceTest, ALogOfAnotherProcessIsBusyUntilItDies) {
  ChildProcess other("holder", {place_});
  Uuid place;
  ASSERT_TRUE(ParseUuid(other.Hear(), &place));
  HeldSideSpace held;
  const Status status = OpenNamedSideSpace(place_, place, nullptr, &held);
  EXPECT_TRUE(RingLock::IsBusy(status)) << status.ToString();
  EXPECT_EQ(held.space, nullptr);
  {
    HeldSideSpace own;
    ASSERT_TRUE(Open(place_, &own).ok());
    EXPECT_EQ(NumberOf(own), "2");
  }
  std::unique_ptr<SideSpace> space;
  std::string path;
  EXPECT_TRUE(FindSideSpace(place_, place, nullptr, &space, &path).ok()) << "it may be read";
  EXPECT_EQ(path, LogPath(1));
  other.Kill();
  EXPECT_TRUE(OpenNamedSideSpace(place_, place, nullptr, &held).ok());
}

// The kernel drops a process's lock with any descriptor of the file that it closes.
TEST_F(SidePlaceTest, WhoGivesALogUpDoesNotTakeItFromTheNextOfItsProcess) {
  const Uuid place = LeaveRecord(Database(1));
  ChildProcess watcher("watcher", {LogPath(1) + ".lock"});
  std::mutex asking;
  std::atomic<int> held_times{0};
  std::atomic<int> lost_times{0};
  const auto hold_again_and_again = [&] {
    const auto begin = steady_clock::now();
    const auto passed = [&] { return steady_clock::now() - begin; };
    // A slow machine takes longer for enough.
    while (passed() < std::chrono::seconds(1) ||
           (held_times < 20 && passed() < std::chrono::seconds(60))) {
      HeldSideSpace held;
      if (OpenNamedSideSpace(place_, place, nullptr, &held).ok()) {
        const std::lock_guard<std::mutex> lock(asking);
        watcher.Say("who?");
        lost_times += watcher.Hear() == "held" ? 0 : 1;
        ++held_times;
      }
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back(hold_again_and_again);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_GE(held_times, 20);
  EXPECT_EQ(lost_times, 0);
}

TEST_F(SidePlaceTest, ANamedLogIsFoundAmongOthersAndItsRecordsStay) {
  const Uuid first = LeaveRecord(Database(1));
  const Uuid second = LeaveRecord(Database(2));
  ASSERT_NE(first, second);
  for (const Uuid& place : {second, first}) {
    HeldSideSpace held;
    ASSERT_TRUE(OpenNamedSideSpace(place_, place, nullptr, &held).ok());
    EXPECT_EQ(held.space->place(), place);
    EXPECT_EQ(held.space->superblock().epoch, 1U) << "not taken over";
    uint64_t records = 0;
    SideScan scan;
    EXPECT_TRUE(ScanSideLog(
                    *held.space, [&](const SideRecord&, uint64_t) { ++records; }, &scan)
                    .ok());
    EXPECT_EQ(records, 1U);
    HeldSideSpace again;
    EXPECT_TRUE(RingLock::IsBusy(OpenNamedSideSpace(place_, place, nullptr, &again)));
  }
  HeldSideSpace held;
  const Status status = OpenNamedSideSpace(place_, Database(9), nullptr, &held);
  EXPECT_EQ(status.code(), Status::Code::kNotFound);
  EXPECT_NE(status.message().find(UuidText(Database(9))), std::string::npos) << status.ToString();
  EXPECT_EQ(OpenNamedSideSpace(dir_ / "nowhere", first, nullptr, &held).code(),
            Status::Code::kNotFound);
}

TEST_F(SidePlaceTest, WhatOthersMayWriteToIsNotBelieved) {
  const Uuid place = LeaveRecord(Database(1));
  HeldSideSpace held;
  for (const std::string& path : {LogPath(1), place_}) {
    for (const uint32_t others : {0020U, 0002U}) {
      SCOPED_TRACE(path);
      const uint32_t mode = Mode(path);
      ASSERT_EQ(chmod(path.c_str(), mode | others), 0);
      const Status status = OpenNamedSideSpace(place_, place, nullptr, &held);
      EXPECT_EQ(status.code(), Status::Code::kPermissionDenied) << status.ToString();
      EXPECT_NE(status.message().find(LogPath(1)), std::string::npos) << status.ToString();
      ASSERT_EQ(chmod(path.c_str(), mode), 0);
    }
  }
  ASSERT_EQ(chmod(LogPath(1).c_str(), 0644), 0);  // to read is no harm
  EXPECT_TRUE(OpenNamedSideSpace(place_, place, nullptr, &held).ok());
}

TEST_F(SidePlaceTest, ALinkIsNotFollowed) {
  const Uuid place = LeaveRecord(Database(1));
  const std::string elsewhere = dir_ / "elsewhere";
  ASSERT_EQ(rename(LogPath(1).c_str(), elsewhere.c_str()), 0);
  ASSERT_EQ(symlink(elsewhere.c_str(), LogPath(1).c_str()), 0);
  ASSERT_EQ(symlink((dir_ / "nothing").c_str(), LogPath(2).c_str()), 0);
  HeldSideSpace held;
  EXPECT_FALSE(OpenNamedSideSpace(place_, place, nullptr, &held).ok());
  ASSERT_TRUE(Open(place_, &held, NameOf(Database(1))).ok());
  EXPECT_EQ(NumberOf(held), "3");
  EXPECT_EQ(access((dir_ / "nothing").c_str(), F_OK), -1);
}

TEST_F(SidePlaceTest, EveryLogThatCanBeReadIsShown) {
  std::set<Uuid> left;
  left.insert(LeaveRecord(Database(1)));
  left.insert(LeaveRecord(Database(2)));
  WriteFile(LogPath(7), "no log");
  std::set<Uuid> shown;
  std::set<std::string> names;
  const Status status = ForEachSideSpace(place_, nullptr, [&](std::unique_ptr<SideSpace> space) {
    shown.insert(space->place());
    for (const auto& [database, name] : space->labels()->All()) {
      names.insert(name);
    }
  });
  EXPECT_EQ(status.code(), Status::Code::kCorruption) << "of the one that cannot";
  EXPECT_EQ(shown, left);
  EXPECT_EQ(names, (std::set<std::string>{NameOf(Database(1)), NameOf(Database(2))}));
  EXPECT_EQ(ForEachSideSpace(dir_ / "nowhere", nullptr, [](std::unique_ptr<SideSpace>) {}).code(),
            Status::Code::kNotFound);
}

}  // namespace
}  // namespace lss

// Databases whose second place is on a file system that is full: from the beginning, or once the
// side log wants the room that it was promised. What each mode says, and that no row is missing.
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "plugin/rocksdb_versions.h"
#include "tests/support/child_process.h"
#include "tests/support/refusing_kernel.h"
#include "tests/support/standard_error.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_env.h"

namespace bloom_lfs::test {
namespace {

namespace fs = std::filesystem;

constexpr int kRows = 300;  // more than the place has room for

std::string RowKey(int row) { return "row " + std::to_string(row); }
std::string RowValue(int row) { return std::string(16 << 10, static_cast<char>('a' + row % 26)); }

rocksdb::Status Open(rocksdb::Env* env, const std::string& path, std::unique_ptr<rocksdb::DB>* db) {
  rocksdb::Options options;
  options.env = env;
  options.create_if_missing = true;
  return rocksdb::DB::Open(options, path, OpenInto(db));
}

// Nobody else sees it, and it goes with the process.
bool MountTmpfs(const std::string& directory, const char* size) {
  fs::create_directory(directory);
  return unshare(CLONE_NEWNS) == 0 &&
         mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         mount("none", directory.c_str(), "tmpfs", 0, size) == 0;
}

// args: uri, database, the place's file system, whether that gives room ahead. Says what opening
// or writing has failed with, how many synced rows there are, and which side logs.
int WriterMain(const std::vector<std::string>& args) {
  if (!MountTmpfs(args.at(2), "size=4m")) {
    Report("skip");
    return 0;
  }
  if (args.at(3) == "0") {
    // Of a side log; memory gives what it has.
    constexpr unsigned kLength = 3;
    lss::test::RefuseSystemCallFrom(SYS_fallocate, kLength, 15 << 20, EOPNOTSUPP);
  }
  int rows = 0;
  rocksdb::Status status;
  {
    const TestEnv env(args.at(0));
    std::unique_ptr<rocksdb::DB> db;
    status = Open(env.get(), args.at(1), &db);
    rocksdb::WriteOptions synced;
    synced.sync = true;
    while (status.ok() && rows < kRows) {
      status = db->Put(synced, RowKey(rows), RowValue(rows));
      rows += status.ok() ? 1 : 0;
    }
  }
  Report(status.ToString());
  Report(std::to_string(rows));
  Report(fs::exists(args.at(2) + "/place/side-1") ? "a side log" : "no side log");
  return 0;
}
const RegisterChild kWriter("full_place_writer", WriterMain);

class FullPlaceTest : public testing::TestWithParam<std::string> {
 protected:
  // In that mode, of a mirror with `degraded`; afterwards all the rows are there, without the
  // place.
  void Live(const std::string& degraded, bool has_room_ahead) {
    CapturedStandardError said;
    ChildProcess child("full_place_writer",
                       {"id=bloom_lfs;second_mode=" + GetParam() + ";mirror_degraded=" + degraded +
                            ";second_bytes=16M;second_place=" + disk_ + "/place",
                        db_, disk_, has_room_ahead ? "1" : "0"});
    status_ = child.Hear();
    if (status_ == "skip") {
      GTEST_SKIP() << "cannot mount a tmpfs here";
    }
    rows_ = std::stoi(child.Hear());
    left_ = child.Hear();
    EXPECT_EQ(child.Wait(), 0);
    said_ = said.Text();
    if (rows_ > 0) {
      ExpectEveryRow();
    }
  }
  void ExpectEveryRow() const {
    EXPECT_FALSE(fs::exists(db_ + "/.bloom_lfs/second"));
    std::unique_ptr<rocksdb::DB> db;
    ASSERT_TRUE(Open(rocksdb::Env::Default(), db_, &db).ok());
    for (int row = 0; row < rows_; ++row) {
      std::string value;
      ASSERT_TRUE(db->Get(rocksdb::ReadOptions(), RowKey(row), &value).ok()) << row;
      ASSERT_EQ(value, RowValue(row));
    }
  }
  void ExpectSaid(const std::string& line) const {
    EXPECT_NE(said_.find(line), std::string::npos) << said_;
    EXPECT_NE(said_.find(disk_ + "/place"), std::string::npos) << said_;
  }
  // Of a mirror that has to be.
  void ExpectRefusedFor(const std::string& cause) const {
    EXPECT_NE(status_.find(disk_ + "/place"), std::string::npos) << status_;
    EXPECT_NE(status_.find(cause), std::string::npos) << status_;
    EXPECT_EQ(status_.find("second_bytes"), std::string::npos) << "no more of it: " << status_;
  }

  TempDir dir_;
  const std::string db_ = dir_ / "db";
  const std::string disk_ = dir_ / "disk";
  std::string status_;
  std::string left_;
  std::string said_;
  int rows_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Modes, FullPlaceTest,
                         testing::Values("failover", "hedge", "group", "mirror"),
                         [](const auto& each) { return each.param; });

TEST_P(FullPlaceTest, WithoutRoomForASideLogDatabasesGoWithoutAndNoneIsLeftHalfMade) {
  Live("continue", /*has_room_ahead=*/true);
  if (IsSkipped()) {
    return;
  }
  EXPECT_EQ(status_, "OK");
  EXPECT_EQ(rows_, kRows);
  EXPECT_EQ(left_, "no side log");
  ExpectSaid("go without their second place");
}

TEST_P(FullPlaceTest, WhatItWasPromisedAndDoesNotGetIsAFailureThatFilesMakeUpFor) {
  Live("continue", /*has_room_ahead=*/false);
  if (IsSkipped()) {
    return;
  }
  EXPECT_EQ(status_, "OK");
  EXPECT_EQ(rows_, kRows);
  EXPECT_EQ(left_, "a side log");
  if (GetParam() == "mirror") {
    ExpectSaid("syncs go on without their mirror");
  } else if (GetParam() != "failover") {  // whose disk does not stall here
    ExpectSaid("syncs wait for their files");
  }
}

class FullMirrorTest : public FullPlaceTest {};

INSTANTIATE_TEST_SUITE_P(Modes, FullMirrorTest, testing::Values("mirror"));

TEST_P(FullMirrorTest, AMirrorThatHasToBeIsRefusedOrFailsWithThePlacesName) {
  for (const bool has_room_ahead : {true, false}) {
    Live("wait", has_room_ahead);
    if (IsSkipped()) {
      return;
    }
    EXPECT_LT(rows_, kRows);
    ExpectRefusedFor("No space left on device");
    fs::remove_all(db_);
  }
}

}  // namespace
}  // namespace bloom_lfs::test

// A real database of a killed process, and beside its log a ring that is damaged, cut short,
// foreign, unreadable, or from the future. The database opens with everything that was synced, or
// says clearly why not; its log is not touched.

#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "plugin/rocksdb_versions.h"
#include "tests/support/child_process.h"
#include "tests/support/dead_log.h"
#include "tests/support/files.h"
#include "tests/support/standard_error.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_env.h"

namespace bloom_lfs::test {
namespace {

constexpr int kSynced = 50;                                  // rows below are synced
constexpr int kWritten = 80;                                 // rows below are written
constexpr char kUri[] = "id=bloom_lfs;idle_flush_ms=60000";  // the file gets nothing by itself

std::string Key(int row) { return "row-" + std::to_string(1000 + row); }
std::string Value(int row) { return std::string(100, static_cast<char>('a' + row % 26)); }

rocksdb::Status Open(const TestEnv& env, const std::string& path,
                     std::unique_ptr<rocksdb::DB>* result) {
  rocksdb::Options options;
  options.env = env.get();
  options.create_if_missing = true;
  options.avoid_flush_during_recovery = true;  // keeps the log, so that it can be looked at
  return rocksdb::DB::Open(options, path, OpenInto(result));
}

// Child: writes and waits to be killed.
int RowWriterMain(const std::vector<std::string>& args) {
  const TestEnv env(kUri);
  std::unique_ptr<rocksdb::DB> db;
  if (!Open(env, args.at(0), &db).ok()) {
    return 1;
  }
  for (int row = 0; row < kWritten; ++row) {
    rocksdb::WriteOptions write_options;
    write_options.sync = row == kSynced - 1;
    if (!db->Put(write_options, Key(row), Value(row)).ok()) {
      return 2;
    }
  }
  Report("written");
  Await();
  return 3;
}
const RegisterChild row_writer("row_writer", RowWriterMain);

class BadRingTest : public testing::Test {
 protected:
  BadRingTest() {
    ChildProcess writer("row_writer", {path_});
    EXPECT_EQ(writer.Hear(), "written");
    writer.Kill();
    log_ = NewestLog(path_);
    const std::vector<std::string> rings = lss::test::Names(rings_);
    EXPECT_EQ(rings.size(), 1U);
    ring_ = rings_ + "/" + rings.at(0);
    file_ = ReadFile(log_);
  }

  // How many rows there are, without a gap; and that they are right.
  static int Rows(rocksdb::DB* db) {
    int rows = 0;
    std::string value;
    while (db->Get(rocksdb::ReadOptions(), Key(rows), &value).ok()) {
      EXPECT_EQ(value, Value(rows));
      ++rows;
    }
    for (int row = rows; row < kWritten; ++row) {
      EXPECT_TRUE(db->Get(rocksdb::ReadOptions(), Key(row), &value).IsNotFound());
    }
    return rows;
  }
  void ExpectOpensWith(int rows) {
    const TestEnv env(kUri);
    std::unique_ptr<rocksdb::DB> db;
    const rocksdb::Status status = Open(env, path_, &db);
    ASSERT_TRUE(status.ok()) << status.ToString();
    EXPECT_EQ(Rows(db.get()), rows);
    EXPECT_TRUE(db->Put(rocksdb::WriteOptions(), "after", "wards").ok());
  }
  // The ring is no good: the database is what its files say, and one line says why.
  void ExpectOpensWithoutTheRing() {
    CapturedStandardError standard_error;
    ExpectOpensWith(kSynced);
    const std::string said = standard_error.Text();
    EXPECT_NE(said.find(ring_), std::string::npos) << "the file is not named: " << said;
    EXPECT_NE(said.find("set aside as"), std::string::npos) << said;
    EXPECT_TRUE(ReadFile(log_) == file_) << "now " << ReadFile(log_).size() << " bytes";
    EXPECT_TRUE(lss::test::Exists(ring_ + lss::kAsideSuffix));
  }

  TempDir dir_;
  const std::string path_ = dir_ / "db";
  const std::string rings_ = path_ + "/" + lss::kRingDirectoryName;
  std::string log_;
  std::string ring_;
  std::string file_;  // what the log's file holds after the kill
};

TEST_F(BadRingTest, AGoodRingBringsEveryRow) {
  ExpectOpensWith(kWritten);
  EXPECT_GT(ReadFile(log_).size(), file_.size());
}

TEST_F(BadRingTest, ADamagedHeaderIsSetAside) {
  lss::test::EditRing(ring_, [](lss::RingHeader* header) { header->fixed.inode ^= 1; });
  ExpectOpensWithoutTheRing();
}

TEST_F(BadRingTest, GarbageIsSetAside) {
  WriteFile(ring_, std::string(100000, 'x'));
  ExpectOpensWithoutTheRing();
}

TEST_F(BadRingTest, AShortRingIsSetAside) {
  WriteFile(ring_, ReadFile(ring_).substr(0, 10000));
  ExpectOpensWithoutTheRing();
}

TEST_F(BadRingTest, ARingOfAnotherFileIsSetAside) {
  lss::test::RewriteRing(ring_, [](lss::RingHeaderFixed* fixed) { --fixed->birth_time_ns; });
  lss::test::EditRing(
      ring_, [](lss::RingHeader* header) { lss::StoreStreamName("000001.log", &header->name); });
  ExpectOpensWithoutTheRing();
}

// What continues its file is proven by what it is, whatever became of inode, birth time and boot.
TEST_F(BadRingTest, ALogThatWasReplacedByACopyGetsItsRows) {
  std::filesystem::copy_file(log_, dir_ / "copy");
  ASSERT_EQ(rename((dir_ / "copy").c_str(), log_.c_str()), 0);
  ExpectOpensWith(kWritten);
}

TEST_F(BadRingTest, AnEmptyRingIsRemoved) {
  WriteFile(ring_, "");
  ExpectOpensWith(kSynced);
  EXPECT_TRUE(ReadFile(log_) == file_);
}

TEST_F(BadRingTest, AfterARestartEveryRowIsThere) {
  lss::test::RestartMachine(ring_);
  ExpectOpensWith(kWritten);
}

TEST_F(BadRingTest, ACopiedDatabaseHasEveryRow) {
  const std::string copy = dir_ / "copy";
  CopyTree(path_, copy);
  const TestEnv env(kUri);
  std::unique_ptr<rocksdb::DB> db;
  ASSERT_TRUE(Open(env, copy, &db).ok());
  EXPECT_EQ(Rows(db.get()), kWritten);
  db.reset();
  ExpectOpensWith(kWritten);
}

TEST_F(BadRingTest, ALaterVersionsRingIsRefusedWithARemedyThatWorks) {
  lss::test::RewriteRing(ring_, [](lss::RingHeaderFixed* fixed) { ++fixed->format_version; });
  const std::string ring = ReadFile(ring_);
  const TestEnv env(kUri);
  std::unique_ptr<rocksdb::DB> db;
  const rocksdb::Status status = Open(env, path_, &db);
  EXPECT_TRUE(status.IsNotSupported()) << status.ToString();
  for (const char* part :
       {"later version", "open the database once with that version", "move the ring file away"}) {
    EXPECT_NE(status.ToString().find(part), std::string::npos) << status.ToString();
  }
  EXPECT_NE(status.ToString().find(ring_), std::string::npos) << status.ToString();
  EXPECT_TRUE(ReadFile(log_) == file_);
  EXPECT_TRUE(ReadFile(ring_) == ring);
  ASSERT_EQ(rename(ring_.c_str(), (dir_ / "away").c_str()), 0);
  ExpectOpensWith(kSynced);
}

TEST_F(BadRingTest, ARingThatIsADirectoryGivesAClearErrorOrNone) {
  ASSERT_EQ(unlink(ring_.c_str()), 0);
  ASSERT_EQ(mkdir(ring_.c_str(), 0755), 0);
  const TestEnv env(kUri);
  std::unique_ptr<rocksdb::DB> db;
  const rocksdb::Status status = Open(env, path_, &db);
  if (status.ok()) {
    EXPECT_EQ(Rows(db.get()), kSynced);
  } else {
    EXPECT_NE(status.ToString().find(ring_), std::string::npos) << status.ToString();
    EXPECT_NE(status.ToString().find("directory"), std::string::npos) << status.ToString();
    EXPECT_NE(status.ToString().find("remove it"), std::string::npos) << status.ToString();
  }
  EXPECT_TRUE(ReadFile(log_) == file_);
}

TEST_F(BadRingTest, ARingDirectoryThatIsAFileMeansTheStockWay) {
  std::filesystem::remove_all(rings_);
  WriteFile(rings_, "a file");
  ExpectOpensWith(kSynced);
  ExpectOpensWith(kSynced);
  EXPECT_EQ(ReadFile(rings_), "a file");
}

// Readers change nothing, whatever they find.
TEST_F(BadRingTest, ReadOnlyOpensTouchNothing) {
  const std::vector<void (*)(const std::string&)> damages = {
      [](const std::string&) {},
      [](const std::string& ring) { WriteFile(ring, std::string(100000, 'x')); },
      [](const std::string& ring) { WriteFile(ring, "short"); },
      [](const std::string& ring) { WriteFile(ring, ""); }};
  const int rows[] = {kWritten, kSynced, kSynced, kSynced};
  for (size_t i = 0; i < damages.size(); ++i) {
    damages[i](ring_);
    const std::string ring = ReadFile(ring_);
    const TestEnv env(kUri);
    rocksdb::Options options;
    options.env = env.get();
    std::unique_ptr<rocksdb::DB> db;
    const rocksdb::Status status = rocksdb::DB::OpenForReadOnly(options, path_, OpenInto(&db));
    ASSERT_TRUE(status.ok()) << i << ": " << status.ToString();
    EXPECT_EQ(Rows(db.get()), rows[i]) << i;
    EXPECT_TRUE(ReadFile(log_) == file_) << i;
    EXPECT_TRUE(ReadFile(ring_) == ring) << i;
  }
}

}  // namespace
}  // namespace bloom_lfs::test

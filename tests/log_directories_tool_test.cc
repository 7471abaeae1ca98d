// bloom_lfs on databases whose logs are in another directory (wal_dir), and on directories that
// hold no database, or nothing but the logs of one.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/child_process.h"
#include "tests/support/database.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tool.h"

namespace bloom_lfs::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr uint32_t kRows = 60;

Tweak LogsIn(const std::string& wal_dir) {
  return [wal_dir](rocksdb::Options* options) { options->wal_dir = wal_dir; };
}

// args: database, its wal_dir. Writes kRows, says so, and waits.
int WriterMain(const std::vector<std::string>& args) {
  Database db(args.at(0), With::kPlugin, LogsIn(args.at(1)));
  db.Write(0, kRows);
  Report("written");
  Await();
  return 0;
}
const RegisterChild kWriter("log_directories_writer", WriterMain);

class LogDirectoriesToolTest : public testing::Test {
 protected:
  void WriteAndKill(const std::string& wal_dir) const {
    ChildProcess child("log_directories_writer", {db_, wal_dir});
    ASSERT_EQ(child.Hear(), "written");
    child.Kill();
  }
  void ExpectIsToBeRecovered(const std::string& words) const {
    const ToolOutcome inspected = Tool("inspect --json " + words);
    EXPECT_EQ(inspected.code, 1) << inspected.output;
    EXPECT_EQ(inspected.json()["state"], "to be recovered");
    EXPECT_FALSE(inspected.json()["ready_for_stock"]);
    const ToolOutcome dry = Tool("recover --dry-run --json " + words);
    EXPECT_EQ(dry.code, 1) << dry.output;
    EXPECT_FALSE(dry.json()["ready_for_stock"]);
    const ToolOutcome verified = Tool("verify --json " + words);
    EXPECT_EQ(verified.code, 0) << verified.output;
    EXPECT_GT(verified.json()["files"].at(0)["ring_only_bytes"], 0);
  }
  // All three commands say that they cannot, and change nothing.
  void ExpectRefused(const std::string& words, const std::string& why) const {
    const Tree before = ListTree(dir_.path());
    for (const char* command : {"inspect", "verify", "recover --dry-run", "recover"}) {
      const ToolOutcome outcome = Tool(std::string(command) + " " + words);
      EXPECT_EQ(outcome.code, 2) << command << ": " << outcome.output;
      EXPECT_NE(outcome.output.find(why), std::string::npos) << command << ": " << outcome.output;
      EXPECT_EQ(outcome.output.find("recovered:"), std::string::npos) << outcome.output;
    }
    EXPECT_EQ(Difference(before, ListTree(dir_.path())), "");
  }

  TempDir dir_;
  const std::string db_ = fs::canonical(dir_.path()).string() + "/db";
  const std::string logs_ = db_ + "_logs";
};

TEST_F(LogDirectoriesToolTest, LogsElsewhereAreSeenAndRecoveredWithTheirDatabase) {
  WriteAndKill(logs_);
  ExpectIsToBeRecovered(db_);
  const Tree before = ListTree(logs_);
  const ToolOutcome asked = Tool("recover " + db_);
  EXPECT_EQ(asked.code, 2) << "what only options name may be another database's";
  EXPECT_NE(asked.output.find("--wal-dir=" + logs_), std::string::npos) << asked.output;
  EXPECT_EQ(Difference(before, ListTree(logs_)), "");
  const ToolOutcome recovered = Tool("recover --json --wal-dir=" + logs_ + " " + db_);
  EXPECT_EQ(recovered.code, 0) << recovered.output;
  EXPECT_TRUE(recovered.json()["ready_for_stock"]);
  EXPECT_EQ(recovered.json()["logs_elsewhere"], logs_);
  EXPECT_EQ(Tool("inspect --json " + db_).json()["state"], "ready");
  EXPECT_FALSE(fs::exists(logs_ + "/.bloom_lfs"));
  EXPECT_EQ(Tool("recover " + db_).code, 0) << "nothing is to be changed there";
  EXPECT_EQ(Database(db_, With::kStock, LogsIn(logs_)).Missing(0, kRows), "");
}

TEST_F(LogDirectoriesToolTest, ANameThatRocksDbEscapesInItsOptionsIsFound) {
  const std::string odd = logs_ + "#a:b\\c";
  WriteAndKill(odd);
  EXPECT_EQ(Tool("inspect --json " + db_).json()["logs_elsewhere"], odd);
  EXPECT_EQ(Tool("recover --wal-dir='" + odd + "' " + db_).code, 0);
  EXPECT_EQ(Database(db_, With::kStock, LogsIn(odd)).Missing(0, kRows), "");
}

TEST_F(LogDirectoriesToolTest, LogsThatWereMovedAreNamedByTheCaller) {
  WriteAndKill(logs_);
  const std::string moved = db_ + "_moved";
  fs::rename(logs_, moved);
  ExpectRefused(db_, logs_ + ", which cannot be looked at");
  EXPECT_FALSE(Tool("inspect --json " + db_).json()["ready_for_stock"]);
  const std::string words = "--wal-dir=" + moved + " " + db_;
  ExpectIsToBeRecovered(words);
  EXPECT_EQ(Tool("recover " + words).code, 0);
  EXPECT_EQ(Database(db_, With::kStock, LogsIn(moved)).Missing(0, kRows), "");
}

TEST_F(LogDirectoriesToolTest, OptionsThatCannotBeReadSayNothing) {
  { Database(db_, With::kPlugin).Write(0, 5); }
  fs::create_directory(db_ + "/OPTIONS-999999");
  ExpectRefused(db_, "OPTIONS-999999 is no regular file");
}

TEST_F(LogDirectoriesToolTest, ARelativePlaceIsNotLookedForHere) {
  { Database(db_, With::kPlugin).Write(0, 5); }
  WriteFile(db_ + "/OPTIONS-999999", "  wal_dir=.\n");
  ExpectRefused(db_, "put its logs into ., relative to where its process ran");
}

// As a checkpoint has them, with options that are those of the original.
TEST_F(LogDirectoriesToolTest, ACopyWithLogsOfItsOwnLeavesTheOriginalsAlone) {
  WriteAndKill(logs_);
  const std::string copy = dir_ / "copy";
  fs::copy(db_, copy);
  WriteFile(copy + "/000004.log", "");
  ExpectRefused(copy, copy + " has logs, and its options put them into " + logs_);
  const Tree before = ListTree(logs_);
  EXPECT_EQ(Tool("recover --wal-dir=" + copy + " " + copy).code, 0);
  EXPECT_EQ(Difference(before, ListTree(logs_)), "");
}

TEST_F(LogDirectoriesToolTest, ACopyOfBothIsRecoveredByItself) {
  WriteAndKill(logs_);
  const std::string copy = dir_ / "copy";
  const std::string copied_logs = dir_ / "copied_logs";
  fs::copy(db_, copy);
  fs::copy(logs_, copied_logs, fs::copy_options::recursive);
  const Tree before = ListTree(logs_);
  EXPECT_EQ(Tool("recover --wal-dir=" + copied_logs + " " + copy).code, 0);
  EXPECT_EQ(Difference(before, ListTree(logs_)), "");
  EXPECT_EQ(Database(copy, With::kStock, LogsIn(copied_logs)).Missing(0, kRows), "");
}

TEST_F(LogDirectoriesToolTest, TheArchiveIsNoOtherDirectory) {
  { Database(db_, With::kPlugin).Write(0, 5); }
  fs::create_directories(db_ + "/archive");
  const ToolOutcome outcome = Tool("inspect --json --wal-dir=" + db_ + "/archive " + db_);
  EXPECT_EQ(outcome.json()["logs"].size(), 1U) << outcome.output;
}

// Its options are of the database that it was copied from.
TEST_F(LogDirectoriesToolTest, ACopyLeavesTheLogsOfAnOpenDatabaseAlone) {
  ChildProcess child("log_directories_writer", {db_, logs_});
  ASSERT_EQ(child.Hear(), "written");
  const std::string copy = dir_ / "copy";
  fs::copy(db_, copy);
  for (const char* command : {"recover", "recover --dry-run"}) {
    const ToolOutcome outcome = Tool(std::string(command) + " " + copy);
    EXPECT_EQ(outcome.code, 2) << outcome.output;
    EXPECT_NE(outcome.output.find("in use by process " + std::to_string(child.pid())),
              std::string::npos)
        << outcome.output;
  }
  const ToolOutcome inspected = Tool("inspect --json " + copy);
  EXPECT_EQ(inspected.json()["state"], "in use") << inspected.output;
  EXPECT_FALSE(inspected.json()["ready_for_stock"]);
}

// It has no LOCK there.
TEST_F(LogDirectoriesToolTest, LogsOfAnOpenDatabaseAreNotRecoveredByThemselves) {
  ChildProcess child("log_directories_writer", {db_, logs_});
  ASSERT_EQ(child.Hear(), "written");
  const Tree before = ListTree(logs_);
  for (const char* command : {"recover --dry-run --json", "recover --json"}) {
    const ToolOutcome outcome = Tool(std::string(command) + " " + logs_);
    EXPECT_EQ(outcome.code, 2) << outcome.output;
    EXPECT_NE(outcome.output.find("in use by process " + std::to_string(child.pid())),
              std::string::npos)
        << outcome.output;
    EXPECT_FALSE(outcome.json().value("ready_for_stock", false)) << outcome.output;
  }
  EXPECT_EQ(Difference(before, ListTree(logs_)), "");
  child.Kill();
  EXPECT_EQ(Tool("recover " + logs_).code, 0) << "when its process is gone";
  EXPECT_EQ(Database(db_, With::kStock, LogsIn(logs_)).Missing(0, kRows), "");
}

TEST_F(LogDirectoriesToolTest, WhereNoDatabaseIsNothingIsVerifiedOrRecovered) {
  fs::create_directory(db_);
  for (const char* command : {"verify", "recover", "recover --dry-run"}) {
    const ToolOutcome outcome = Tool(std::string(command) + " " + db_);
    EXPECT_EQ(outcome.code, 2) << command << ": " << outcome.output;
    EXPECT_NE(outcome.output.find("no database is here"), std::string::npos) << outcome.output;
  }
}

TEST_F(LogDirectoriesToolTest, DoctorSaysThatTheLogsAreOnAnotherDisk) {
  { Database(db_, With::kPlugin, LogsIn(logs_)).Write(0, 5); }
  const ToolOutcome outcome = Tool("doctor --quick --json " + db_);
  EXPECT_NE(outcome.json()["verdict"]["notes"].dump().find(logs_), std::string::npos)
      << outcome.output;
}

}  // namespace
}  // namespace bloom_lfs::test

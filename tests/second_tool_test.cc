// bloom_lfs recover, restore and trim, as an operator calls them: exit codes, JSON, and what stock
// RocksDB finds afterwards.
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/utilities/checkpoint.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "plugin/rocksdb_versions.h"
#include "tests/support/child_process.h"
#include "tests/support/files.h"
#include "tests/support/lost_power.h"
#include "tests/support/nbd_server.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_env.h"
#include "tests/support/tool.h"

namespace bloom_lfs::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr int kBackedUp = 100;  // rows
constexpr int kRows = 400;

rocksdb::Status Open(rocksdb::Env* env, const std::string& path, std::unique_ptr<rocksdb::DB>* db) {
  rocksdb::Options options;
  options.env = env;
  options.create_if_missing = true;
  return rocksdb::DB::Open(options, path, OpenInto(db));
}

rocksdb::Status PutRows(rocksdb::DB* db, int begin, int end) {
  rocksdb::WriteOptions options;
  options.sync = true;
  rocksdb::Status status;
  for (int row = begin; row < end && status.ok(); ++row) {
    const std::string value(static_cast<size_t>(20 + row % 5000), 'v');
    status = db->Put(options, "row " + std::to_string(row), value + std::to_string(row));
  }
  return status;
}

// args: uri, database, where a checkpoint goes behind kBackedUp rows, or "". Writes kRows in three
// logs, says so, and waits to be killed.
int WriterMain(const std::vector<std::string>& args) {
  const TestEnv env(args.at(0));
  std::unique_ptr<rocksdb::DB> db;
  rocksdb::Status status = Open(env.get(), args.at(1), &db);
  status = status.ok() ? PutRows(db.get(), 0, kBackedUp) : status;
  if (status.ok() && !args.at(2).empty()) {
    rocksdb::Checkpoint* checkpoint = nullptr;
    status = rocksdb::Checkpoint::Create(db.get(), &checkpoint);
    const std::unique_ptr<rocksdb::Checkpoint> guard(checkpoint);
    // With the log as it is.
    status = status.ok() ? checkpoint->CreateCheckpoint(args.at(2), UINT64_MAX) : status;
  }
  for (int part = 1; part <= 3 && status.ok(); ++part) {
    status = PutRows(db.get(), kBackedUp * part, kBackedUp * (part + 1));
    if (status.ok() && part < 3) {
      status = db->Flush(rocksdb::FlushOptions());  // RocksDB deletes the log
    }
  }
  Report(status.ok() ? "written" : status.ToString());
  Await();
  return 0;
}
const RegisterChild kWriter("tool_writer", WriterMain);

// How many of the rows stock RocksDB finds, and -1 if one is wrong.
int RowsIn(const std::string& path) {
  std::unique_ptr<rocksdb::DB> db;
  const rocksdb::Status status = Open(rocksdb::Env::Default(), path, &db);
  EXPECT_TRUE(status.ok()) << status.ToString();
  int found = 0;
  for (int row = 0; status.ok() && row < kRows; ++row) {
    std::string value;
    const std::string expected =
        std::string(static_cast<size_t>(20 + row % 5000), 'v') + std::to_string(row);
    if (db->Get(rocksdb::ReadOptions(), "row " + std::to_string(row), &value).ok()) {
      if (value != expected) {
        return -1;
      }
      ++found;
    }
  }
  return found;
}

class SecondToolTest : public testing::Test {
 protected:
  static std::string Uri(const std::string& mode, const std::string& place) {
    return "id=bloom_lfs;second_mode=" + mode + ";second_place=" + place +
           ";second_bytes=16M;second_catch_up_ms=3600000";
  }
  void WriteAndKill(const std::string& uri, const std::string& checkpoint = "") const {
    ChildProcess child("tool_writer", {uri, db_, checkpoint});
    ASSERT_EQ(child.Hear(), "written");
    child.Kill();
  }
  void ExpectMirrorRestoresWhatTheBackupLacks(const std::string& place) {
    const std::string backup = dir_ / "backup";
    WriteAndKill(Uri("mirror", place), backup);
    fs::remove_all(db_);  // the machine is gone

    const ToolOutcome shown = Tool("restore --json --from='" + place + "'");
    ASSERT_EQ(shown.code, 0) << shown.output;
    const Json database = shown.json()["databases"].at(0);
    EXPECT_EQ(database["directory"], db_);
    EXPECT_EQ(database["logs"].size(), 3U);
    EXPECT_EQ(database["whole_from_log"], database["logs"][0]["number"]);

    const std::string restore = "restore --json --from='" + place + "' --to=" + backup;
    const ToolOutcome dry = Tool(restore + " --dry-run");
    ASSERT_EQ(dry.code, 0) << dry.output;
    const ToolOutcome restored = Tool(restore);
    ASSERT_EQ(restored.code, 0) << restored.output;
    EXPECT_EQ(dry.json()["logs"], restored.json()["logs"]);
    const Json logs = restored.json()["logs"];
    ASSERT_EQ(logs.size(), 3U);
    EXPECT_EQ(logs[0]["outcome"], "continued") << "the backup has its beginning";
    EXPECT_EQ(logs[1]["outcome"], "new");
    EXPECT_EQ(logs[2]["last_sequence"], kRows);
    EXPECT_EQ(Tool(restore).json()["logs"][1]["outcome"], "same") << "again changes nothing";
    EXPECT_EQ(RowsIn(backup), kRows);
  }

  TempDir dir_;
  const std::string db_ = fs::canonical(dir_.path()).string() + "/db";
  const std::string place_ = dir_ / "place";
};

TEST_F(SecondToolTest, AMirrorRestoresWhatABackupLacks) {
  ExpectMirrorRestoresWhatTheBackupLacks(place_);
}

TEST_F(SecondToolTest, SoDoesOneOnAnotherMachine) {
  if (const std::string why = lss::test::WhyNoNbdServer(); !why.empty()) {
    GTEST_SKIP() << why;
  }
  WriteFile(dir_ / "export", "");
  fs::resize_file(dir_ / "export", 20 << 20);
  lss::test::NbdServer server({"file", dir_ / "export"}, lss::test::NbdServer::On::kLocalhost);
  server.Start();
  ExpectMirrorRestoresWhatTheBackupLacks(server.uri());
  const std::string trim = "trim --json --all --from='" + server.uri() + "'";
  const ToolOutcome refused = Tool(trim);
  EXPECT_EQ(refused.code, 2) << "nobody can tell whether it is in use: " << refused.output;
  const ToolOutcome trimmed = Tool(trim + " --take-over");
  EXPECT_EQ(trimmed.code, 0) << trimmed.output;
  EXPECT_EQ(trimmed.json()["streams_given_up"], 3);
  EXPECT_EQ(Tool("restore --json --from='" + server.uri() + "'").json()["databases"].size(), 0U);
}

TEST_F(SecondToolTest, ABackupOfAnotherDatabaseIsLeftAlone) {
  WriteAndKill(Uri("mirror", place_));
  const std::string other = dir_ / "other";
  ASSERT_EQ(mkdir(other.c_str(), 0755), 0);
  const Json shown = Tool("restore --json --from=" + place_).json();
  const int number = shown["databases"][0]["logs"][0]["number"];
  char name[32];
  snprintf(name, sizeof(name), "%06d.log", number);
  WriteFile(other + "/" + name, std::string(5000, 'x'));
  const ToolOutcome restored = Tool("restore --json --from=" + place_ + " --to=" + other);
  EXPECT_EQ(restored.code, 1) << restored.output;
  EXPECT_EQ(restored.json()["logs"][0]["outcome"], "other bytes");
  EXPECT_EQ(ReadFile(other + "/" + name), std::string(5000, 'x'));
}

// Logs beside a database that reads them elsewhere would be deleted by its next open.
TEST_F(SecondToolTest, RestoreAsksWhereTheLogsBelong) {
  WriteAndKill(Uri("mirror", place_));
  const std::string backup = dir_ / "backup";
  const std::string logs = dir_ / "logs";
  fs::create_directory(backup);
  fs::create_directory(logs);
  WriteFile(backup + "/OPTIONS-000005", "  wal_dir=" + logs + "\n");
  const std::string restore = "restore --from=" + place_ + " --to=";
  const ToolOutcome refused = Tool(restore + backup);
  EXPECT_EQ(refused.code, 2) << refused.output;
  EXPECT_NE(refused.output.find("has its logs in " + logs), std::string::npos) << refused.output;
  EXPECT_EQ(NewestLog(backup), "");
  EXPECT_EQ(Tool(restore + logs).code, 0);
  EXPECT_NE(NewestLog(logs), "");
  EXPECT_EQ(Tool(restore + backup + " --wal-dir=" + backup).code, 0);
  EXPECT_NE(NewestLog(backup), "");
}

TEST_F(SecondToolTest, RecoverBringsTheFilesWhatOnlyThePlaceHas) {
  WriteAndKill(Uri("group", place_));
  LosePower(db_);
  const std::string before = ReadFile(db_ + "/.bloom_lfs/second");
  const ToolOutcome dry = Tool("recover --json --dry-run " + db_);
  EXPECT_EQ(dry.code, 1) << dry.output;
  EXPECT_FALSE(dry.json()["ready_for_stock"]);
  EXPECT_GT(dry.json()["second_place"]["bytes"], 100 * 20);
  EXPECT_EQ(ReadFile(db_ + "/.bloom_lfs/second"), before) << "nothing was changed";

  const ToolOutcome done = Tool("recover --json " + db_);
  ASSERT_EQ(done.code, 0) << done.output;
  EXPECT_TRUE(done.json()["ready_for_stock"]);
  EXPECT_EQ(done.json()["logs"][0]["before"], 0);
  EXPECT_GT(done.json()["logs"][0]["after"], 100 * 20);
  EXPECT_EQ(Tool("recover --dry-run " + db_).code, 0);
  EXPECT_EQ(RowsIn(db_), kRows);
}

TEST_F(SecondToolTest, RecoverWithoutThePlaceSaysSoAndGivesUpWhenAsked) {
  WriteAndKill(Uri("group", place_));
  LosePower(db_);
  fs::rename(place_, dir_ / "elsewhere");
  EXPECT_EQ(Tool("recover --dry-run " + db_).code, 1);
  const ToolOutcome refused = Tool("recover --json " + db_);
  EXPECT_EQ(refused.code, 1) << refused.output;
  EXPECT_NE(refused.output.find(place_), std::string::npos) << refused.output;
  const ToolOutcome given_up = Tool("recover --without-second-place " + db_);
  EXPECT_EQ(given_up.code, 0) << given_up.output;
  const int rows = RowsIn(db_);
  EXPECT_GE(rows, 3 * kBackedUp) << "the tables have these";
  EXPECT_LT(rows, kRows);
}

TEST_F(SecondToolTest, RecoverWorksOnAKilledDatabaseWithoutASecondPlace) {
  WriteAndKill("id=bloom_lfs");
  const ToolOutcome dry = Tool("recover --json --dry-run " + db_);
  EXPECT_EQ(dry.code, 1) << dry.output;
  EXPECT_EQ(dry.json()["logs"][0]["ring"], "R3 process killed");
  EXPECT_EQ(Tool("recover " + db_).code, 0);
  EXPECT_FALSE(fs::exists(db_ + "/.bloom_lfs"));
  EXPECT_EQ(RowsIn(db_), kRows);
}

TEST_F(SecondToolTest, AnOpenDatabaseIsLeftAlone) {
  ChildProcess child("tool_writer", {Uri("group", place_), db_, ""});
  ASSERT_EQ(child.Hear(), "written");
  const ToolOutcome refused = Tool("recover " + db_);
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.output.find("is open in process"), std::string::npos) << refused.output;
  const ToolOutcome busy = Tool("trim --json --all --give-up --from=" + place_);
  EXPECT_EQ(busy.code, 1) << busy.output;
  EXPECT_EQ(busy.json()["busy"], 1);
  child.Kill();
  EXPECT_EQ(Tool("recover " + db_).code, 0);
  EXPECT_EQ(RowsIn(db_), kRows);
}

TEST_F(SecondToolTest, TrimKeepsWhatFilesMayLackUnlessToldOtherwise) {
  WriteAndKill(Uri("group", place_));
  LosePower(db_);
  const ToolOutcome kept = Tool("trim --json --all --from=" + place_);
  EXPECT_EQ(kept.code, 1) << kept.output;
  EXPECT_EQ(kept.json()["streams_given_up"], 0);
  EXPECT_TRUE(fs::exists(place_ + "/side-1"));
  const ToolOutcome given_up = Tool("trim --json --all --give-up --from=" + place_);
  EXPECT_EQ(given_up.code, 0) << given_up.output;
  EXPECT_EQ(given_up.json()["files_removed"], 1);
  EXPECT_FALSE(fs::exists(place_ + "/side-1")) << "its room is free";
}

TEST_F(SecondToolTest, TrimGivesUpOldLogsOfAMirror) {
  WriteAndKill(Uri("mirror", place_));
  const Json shown = Tool("restore --json --from=" + place_).json()["databases"][0];
  ASSERT_EQ(shown["logs"].size(), 3U);
  const std::string newest = shown["logs"][2]["number"].dump();
  const ToolOutcome trimmed =
      Tool("trim --json --database=" + db_ + " --before-log=" + newest + " --from=" + place_);
  EXPECT_EQ(trimmed.code, 0) << trimmed.output;
  EXPECT_EQ(trimmed.json()["streams_given_up"], 2);
  const Json left = Tool("restore --json --from=" + place_).json()["databases"][0];
  ASSERT_EQ(left["logs"].size(), 1U);
  EXPECT_EQ(left["directory"], db_);
}

TEST_F(SecondToolTest, MisuseIsToldAndNothingDone) {
  EXPECT_EQ(Tool("").code, 2);
  EXPECT_EQ(Tool("--help").code, 0);
  EXPECT_EQ(Tool("--version").code, 0);
  EXPECT_NE(Tool("--version").output.find("RocksDB"), std::string::npos);
  EXPECT_EQ(Tool("recover --help").code, 0);
  for (const char* words :
       {"nothing", "recover", "recover a b", "recover --no-such-flag .", "recover --database x .",
        "recover /no/such/directory", "restore", "restore --from", "restore --from=/no/such",
        "trim --from=.", "trim --all", "trim --all --before-log=x --from=."}) {
    const ToolOutcome outcome = Tool(words);
    EXPECT_EQ(outcome.code, 2) << words << ": " << outcome.output;
    EXPECT_NE(outcome.output.find("bloom_lfs: "), std::string::npos) << words;
  }
}

}  // namespace
}  // namespace bloom_lfs::test

// RepairDB and DestroyDB, on databases that were closed, killed or damaged.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "tests/support/child_process.h"
#include "tests/support/files.h"
#include "tests/twin/twin_database.h"

namespace bloom_lfs::test {
namespace {

const TwinDatabase::Families kFamilies = {rocksdb::kDefaultColumnFamilyName, "idle"};

enum class WalDir { kDatabases, kOwn };

rocksdb::Options RepairOptions(const TwinSide& side, WalDir wal_dir) {
  rocksdb::Options options = TwinOptions(side);
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  if (wal_dir == WalDir::kOwn) options.wal_dir = side / "logs";
  return options;
}

std::string WalDirectory(const TwinSide& side, WalDir wal_dir) {
  return side / (wal_dir == WalDir::kOwn ? "logs" : "db");
}

// A table of each family, then three logs with rows that are nowhere else. (Nothing may be both in
// a table and in a log: RepairDB 7.8 makes a second table of it, and then refuses both.)
void Fill(TwinSide& side, WalDir wal_dir, TwinDatabase* db) {
  db->Write(0, 5, 50, 1);
  db->Write(0, 20, 500, 0);
  const std::string first_log = NewestLog(WalDirectory(side, wal_dir));
  db->SwitchLog(1);
  db->SwitchLog(0);
  WaitUntil("deletion", [&] { return side.env()->FileExists(first_log).IsNotFound(); });
  for (uint64_t log = 0; log < 3; ++log) {
    db->Write(20 * log, 20 * log + 30, 900, 0, log == 1);
    db->Write(100 * log, 100 * log + 1, 700'000);
  }
  SayNames(side, "files", side / "db");
}

// --- how a database can have ended ---

// Calls `then` while the database is open.
void FillAndThen(TwinSide& side, WalDir wal_dir, const std::function<void(TwinDatabase&)>& then) {
  rocksdb::Options options = RepairOptions(side, wal_dir);
  SwitchLogsOften(&options);
  TwinDatabase db(side, options, side / "db", kFamilies);
  Fill(side, wal_dir, &db);
  then(db);
}

// Arguments: directory, side, "own" if the logs have their own.
int VictimMain(const std::vector<std::string>& args) {
  TwinSide side(args.at(1) == "plugin" ? With::kPlugin : With::kStock, args.at(0));
  FillAndThen(side, args.at(2) == "own" ? WalDir::kOwn : WalDir::kDatabases, [](TwinDatabase&) {
    Report("written");
    for (;;) ::pause();
  });
  return 0;
}

const RegisterChild kVictim("victim", VictimMain);

enum class End { kClosed, kKilled };

void Leave(TwinSide& side, End end, WalDir wal_dir) {
  if (end == End::kClosed) {
    FillAndThen(side, wal_dir, [](TwinDatabase&) {});
    AwaitEndOfRings(side / ".");
    return;
  }
  ChildProcess victim("victim", {side / ".", side.name(), wal_dir == WalDir::kOwn ? "own" : "db"});
  if (victim.Hear() != "written") throw std::runtime_error("the victim died too early");
  victim.Kill();
}

std::vector<rocksdb::ColumnFamilyDescriptor> Descriptors(const rocksdb::Options& options) {
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const std::string& name : kFamilies) descriptors.emplace_back(name, options);
  return descriptors;
}

void RepairAndSay(TwinSide& side, const rocksdb::Options& options) {
  side.Say("repair", rocksdb::RepairDB(side / "db", options, Descriptors(options)));
  SayNames(side, "files after the repair", side / "db");
  SayNames(side, "lost files", side / "db/lost");
  for (int round = 0; round < 2; ++round) {
    TwinDatabase db(side, options, side / "db", kFamilies);
    if (!db) return;
    db.SayContents("after the repair");
    db.Write(1000 + round, 1010 + round, 100);
  }
}

class EndedTwinTest : public testing::TestWithParam<std::tuple<End, WalDir>> {};

INSTANTIATE_TEST_SUITE_P(
    All, EndedTwinTest,
    testing::Combine(testing::Values(End::kClosed, End::kKilled),
                     testing::Values(WalDir::kDatabases, WalDir::kOwn)),
    [](const auto& param_info) {
      return std::string(std::get<0>(param_info.param) == End::kClosed ? "Closed" : "Killed") +
             (std::get<1>(param_info.param) == WalDir::kOwn ? "_OwnWalDir" : "");
    });

TEST_P(EndedTwinTest, RepairFindsTheSame) {
  const auto& [end, wal_dir] = GetParam();
  ExpectTwins([end = end, wal_dir = wal_dir](TwinSide& side) {
    Leave(side, end, wal_dir);
    RepairAndSay(side, RepairOptions(side, wal_dir));
  });
}

TEST_P(EndedTwinTest, RepairWithoutManifestFindsTheSame) {
  const auto& [end, wal_dir] = GetParam();
  ExpectTwins([end = end, wal_dir = wal_dir](TwinSide& side) {
    Leave(side, end, wal_dir);
    for (const auto& [name, facts] : ListTree(side / "db")) {
      if (name.rfind("MANIFEST", 0) == 0 || name == "CURRENT") {
        std::filesystem::remove(side / ("db/" + name));
      }
    }
    RepairAndSay(side, RepairOptions(side, wal_dir));
  });
}

// A log with a hole, a torn one and a foreign one. A dead writer's ring would have the bytes yet,
// so the logs are brought to their exact bytes first, as everybody does who changes one.
TEST_P(EndedTwinTest, RepairOfDamagedLogsFindsTheSame) {
  const auto& [end, wal_dir] = GetParam();
  ExpectTwins([end = end, wal_dir = wal_dir](TwinSide& side) {
    Leave(side, end, wal_dir);
    const std::string logs_dir = WalDirectory(side, wal_dir);
    const std::vector<std::string> logs = LogFiles(logs_dir);
    side.Say("logs", logs.size());
    for (const std::string& name : logs) {
      const std::string log = logs_dir + "/" + name;
      std::unique_ptr<rocksdb::WritableFile> file;
      Require(side.env()->ReopenWritableFile(log, &file, rocksdb::EnvOptions()));
      Require(file->Close());
      std::string bytes = ReadFile(log);
      if (name == logs.front()) bytes.replace(20'000, 500, std::string(500, '\0'));
      if (name == logs.back()) bytes.resize(bytes.size() - 7);
      WriteFile(log, bytes);
    }
    WriteFile(logs_dir + "/000003.log", std::string(100'000, 'x'));
    RepairAndSay(side, RepairOptions(side, wal_dir));
  });
}

TEST_P(EndedTwinTest, DestroyLeavesNothing) {
  const auto& [end, wal_dir] = GetParam();
  ExpectTwins([end = end, wal_dir = wal_dir](TwinSide& side) {
    rocksdb::Options options = RepairOptions(side, wal_dir);
    for (const bool with_archive : {false, true}) {
      Leave(side, end, wal_dir);
      if (with_archive) {
        // Opening flushes, and moves the old logs to the archive.
        options.WAL_ttl_seconds = 100000;
        TwinDatabase(side, options, side / "db", kFamilies).SwitchLog();
      }
      side.Say("destroy", rocksdb::DestroyDB(side / "db", options, Descriptors(options)));
      for (const char* directory : {"db", "logs"}) {
        side.Say(directory, std::filesystem::exists(side / directory) ? "left" : "gone");
      }
    }
  });
}

TEST(RepairTwinTest, DestroyAndRepairOfALivingDatabaseAreRefused) {
  ExpectTwins([](TwinSide& side) {
    const rocksdb::Options options = RepairOptions(side, WalDir::kDatabases);
    FillAndThen(side, WalDir::kDatabases, [&](TwinDatabase& db) {
      const auto say_refused = [&](const rocksdb::Status& status) {
        side.Say("refused", status.IsIOError() ? "yes" : "no");  // the message has a time in it
      };
      say_refused(rocksdb::DestroyDB(side / "db", options, Descriptors(options)));
      say_refused(rocksdb::RepairDB(side / "db", options, Descriptors(options)));
      db.SayContents("unharmed");
    });
    TwinDatabase(side, options, side / "db", kFamilies).SayContents("later");
  });
}

}  // namespace
}  // namespace bloom_lfs::test

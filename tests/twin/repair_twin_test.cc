// RepairDB and DestroyDB, on databases that were closed, killed or damaged.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
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

// Three logs (the older ones because "idle" needs them) and two tables.
void Fill(TwinDatabase* db) {
  for (int log = 0; log < 3; ++log) {
    if (log > 0) db->SwitchLog();
    db->Write(0, 5, 50, 1);
    db->Write(20 * log, 20 * log + 30, 2000, 0, log == 1);
    db->Write(100 * log, 100 * log + 1, 700'000);
  }
}

// --- how a database can have ended ---

int VictimMain(const std::vector<std::string>& args) {
  TwinSide side(args.at(1) == "plugin" ? With::kPlugin : With::kStock, args.at(0));
  const WalDir wal_dir = args.at(2) == "own" ? WalDir::kOwn : WalDir::kDatabases;
  TwinDatabase db(side, RepairOptions(side, wal_dir), side / "db", kFamilies);
  Fill(&db);
  Report("written");
  for (;;) ::pause();
}

const RegisterChild kVictim("victim", VictimMain);

enum class End { kClosed, kKilled };

void Leave(TwinSide& side, End end, WalDir wal_dir) {
  if (end == End::kClosed) {
    TwinDatabase db(side, RepairOptions(side, wal_dir), side / "db", kFamilies);
    Fill(&db);
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
  // RepairDB gives up families of which there is no table; then opening them says so.
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
    const std::string logs_dir = side / (wal_dir == WalDir::kOwn ? "logs" : "db");
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

TEST(RepairTwinTest, DestroyOfALivingDatabaseIsRefused) {
  ExpectTwins([](TwinSide& side) {
    const rocksdb::Options options = RepairOptions(side, WalDir::kDatabases);
    {
      TwinDatabase db(side, options, side / "db", kFamilies);
      Fill(&db);
      side.Say("refused", rocksdb::DestroyDB(side / "db", options, Descriptors(options)).IsIOError()
                              ? "yes"
                              : "no");
      side.Say("refused", rocksdb::RepairDB(side / "db", options, Descriptors(options)).IsIOError()
                              ? "yes"
                              : "no");
      db.SayContents("unharmed");
    }
    TwinDatabase(side, options, side / "db", kFamilies).SayContents("later");
  });
}

}  // namespace
}  // namespace bloom_lfs::test

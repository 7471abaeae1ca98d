// One database, opened now with the plugin and now without, alive, closed and killed.

#include <gtest/gtest.h>
#include <rocksdb/utilities/backup_engine.h>
#include <rocksdb/utilities/checkpoint.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "tests/support/child_process.h"
#include "tests/support/database.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs::test {
namespace {

using testing::Combine;
using testing::Values;

void KeepLogs(rocksdb::Options* options) { options->avoid_flush_during_recovery = true; }

// Nothing that RocksDB does not know by name.
void ExpectNoPluginFiles(const std::string& dir) {
  for (const auto& [name, facts] : ListTree(dir)) {
    EXPECT_EQ(name.find("bloom"), std::string::npos) << name << " of " << facts.size << " bytes";
  }
}

// Logs are switched by full memtables, and nothing is ever flushed: no log is synced on the way.
void ManyLogs(rocksdb::Options* options) {
  options->write_buffer_size = 128 << 10;
  options->max_write_buffer_number = 100;
  options->min_write_buffer_number_to_merge = 99;
}

// A process that writes rows [0, 250), syncs in the middle, says so, and waits to be killed.
// Arguments: path, "stock" or "plugin", "many" or "one" log.
constexpr uint32_t kVictimRows = 250;
constexpr uint32_t kVictimRowsSynced = 125;

int VictimMain(const std::vector<std::string>& args) {
  Database db(args.at(0), args.at(1) == "plugin" ? With::kPlugin : With::kStock,
              args.at(2) == "many" ? Tweak(ManyLogs) : Tweak());
  db.Write(0, kVictimRowsSynced - 1);
  db.Write(kVictimRowsSynced - 1, kVictimRowsSynced, 0, true);
  db.Write(kVictimRowsSynced, kVictimRows);
  Report("written");
  for (;;) ::pause();
}

const RegisterChild kVictim("victim", VictimMain);

// The same with one synced row of the default column family and 60 unsynced ones of both.
int EarlyVictimMain(const std::vector<std::string>& args) {
  Database db(args.at(0), With::kPlugin);
  db.Write(0, 1, 0, true);
  db.Write(1, 61);
  Report("written");
  for (;;) ::pause();
}

const RegisterChild kEarlyVictim("early_victim", EarlyVictimMain);

// What is there of rows [0, rows) is a prefix: a log that is there without the end of the one
// before it would be a hole that RocksDB does not notice.
void ExpectPrefix(const Database& db, uint32_t rows) {
  uint32_t prefix = 0;
  while (prefix < rows && db.Missing(prefix, prefix + 1).empty()) ++prefix;
  uint32_t behind = 0;
  for (uint32_t row = prefix; row < rows; ++row) behind += db.Missing(row, row + 1).empty() ? 1 : 0;
  EXPECT_EQ(behind, 0u) << "rows are there although row " << prefix << " is missing";
}

void KillVictim(const std::string& path, With with, const char* logs = "many") {
  ChildProcess child("victim", {path, Name(with), logs});
  ASSERT_EQ(child.Hear(), "written");
  child.Kill();
  ASSERT_GE(LogFiles(path).size(), std::string(logs) == "many" ? 8u : 1u);
}

class InteropTest : public testing::Test {
 protected:
  const TempDir dir_;
  const std::string path_ = dir_ / "db";
};

class HandOverTest : public InteropTest,
                     public testing::WithParamInterface<std::tuple<With, With>> {};

INSTANTIATE_TEST_SUITE_P(All, HandOverTest,
                         Combine(Values(With::kStock, With::kPlugin),
                                 Values(With::kStock, With::kPlugin)),
                         [](const auto& param_info) {
                           return std::string(Name(std::get<0>(param_info.param))) + "_to_" +
                                  Name(std::get<1>(param_info.param));
                         });

TEST_P(HandOverTest, AfterACleanClose) {
  const auto [first, second] = GetParam();
  for (uint32_t round = 0; round < 3; ++round) {
    Database db(path_, round % 2 == 0 ? first : second, KeepLogs);
    EXPECT_EQ(db.Missing(0, 120 * round), "") << "round " << round;
    db.Write(120 * round, 120 * (round + 1));
    db.SwitchLog();
    db.Write(0, 20);
  }
  EXPECT_EQ(Database(path_, second).Missing(0, 360), "");
}

TEST_P(HandOverTest, AfterAKill) {
  const auto [dead, heir] = GetParam();
  KillVictim(path_, dead);
  const bool everything = dead == With::kStock || heir == With::kPlugin || !PluginUnderTest();
  const Database db(path_, heir, KeepLogs);
  EXPECT_EQ(db.Missing(0, everything ? kVictimRows : kVictimRowsSynced), "");
  ExpectPrefix(db, kVictimRows);
}

Tweak KeepLogsIn(rocksdb::WALRecoveryMode mode) {
  return [mode](rocksdb::Options* options) {
    KeepLogs(options);
    options->wal_recovery_mode = mode;
  };
}

TEST_P(HandOverTest, AfterAKillInTheOtherRecoveryModes) {
  const auto [dead, heir] = GetParam();
  const bool everything = dead == With::kStock || heir == With::kPlugin || !PluginUnderTest();
  for (const auto mode : {rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords,
                          rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords,
                          rocksdb::WALRecoveryMode::kAbsoluteConsistency}) {
    if (!everything && mode != rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords) continue;
    const std::string path = path_ + std::to_string(static_cast<int>(mode));
    SCOPED_TRACE(path);
    KillVictim(path, dead);
    const Database db(path, heir, KeepLogsIn(mode));
    EXPECT_EQ(db.Missing(0, everything ? kVictimRows : kVictimRowsSynced), "");
    ExpectPrefix(db, kVictimRows);
  }
}

// What went to the file since the last sync may end inside a record, with zeros behind it. In the
// strict modes stock refuses that, and leaves everything to the plugin, which has the rest.
TEST_F(InteropTest, AStrictRecoveryModeMayWantThePluginFirstAfterAKill) {
  for (const auto mode : {rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords,
                          rocksdb::WALRecoveryMode::kAbsoluteConsistency}) {
    const std::string path = path_ + std::to_string(static_cast<int>(mode));
    SCOPED_TRACE(path);
    KillVictim(path, With::kPlugin);
    uint32_t promised = kVictimRows;
    try {
      const Database stock(path, With::kStock, KeepLogsIn(mode));
      promised = PluginUnderTest() ? kVictimRowsSynced : kVictimRows;
      EXPECT_EQ(stock.Missing(0, promised), "");
    } catch (const std::exception& error) {
      // Where in a record the file ends is a matter of chance.
      const std::string said = error.what();
      EXPECT_TRUE(said.find("error in middle of record") != std::string::npos ||
                  said.find("error reading trailing data") != std::string::npos)
          << said;
    }
    EXPECT_EQ(Database(path, With::kPlugin, KeepLogsIn(mode)).Missing(0, promised), "");
    EXPECT_EQ(Database(path, With::kStock, KeepLogsIn(mode)).Missing(0, promised), "");
  }
}

// Many logs recover at once, and what recovery left must be good for stock RocksDB, too.
TEST_F(InteropTest, RecoveryOfSeveralLogsLeavesOrdinaryLogs) {
  KillVictim(path_, With::kPlugin);
  EXPECT_EQ(Database(path_, With::kPlugin, KeepLogs).Missing(0, kVictimRows), "");
  ExpectNoPluginFiles(path_);
  EXPECT_EQ(Database(path_, With::kStock, KeepLogs).Missing(0, kVictimRows), "");
  EXPECT_EQ(Database(path_, With::kPlugin, KeepLogs).Missing(0, kVictimRows), "");
}

// Every set of options, the fall-backs and the smallest rings included, keeps the same promises.
TEST_F(InteropTest, EveryOptionKeepsThePromises) {
  if (!PluginUnderTest()) GTEST_SKIP() << "stock RocksDB has no such options";
  const std::string original = FsUri();
  int database = 0;
  for (const char* options :
       {"buffer_bytes=4096;buffer_count=4", "buffer_bytes=1M;buffer_count=2",
        "buffer_bytes=4K;buffer_count=256;frontier_bytes=0", "io_uring=false", "direct_io=false",
        "io_uring=false;direct_io=false;frontier_bytes=64M", "idle_flush_ms=1",
        "idle_flush_ms=60000;frontier_bytes=4K"}) {
    SCOPED_TRACE(options);
    // The victim finds it in its environment.
    ASSERT_EQ(::setenv("BLOOM_LFS_TEST_URI", (std::string("id=bloom_lfs;") + options).c_str(), 1),
              0);
    const std::string path = path_ + std::to_string(++database);
    KillVictim(path, With::kPlugin);
    EXPECT_EQ(Database(path, With::kPlugin, KeepLogs).Missing(0, kVictimRows), "");
    EXPECT_EQ(Database(path, With::kStock, KeepLogs).Missing(0, kVictimRows), "");
    Database(path, With::kPlugin, KeepLogs).Write(0, kVictimRows, 1);
    EXPECT_EQ(Database(path, With::kStock, KeepLogs).Missing(0, kVictimRows, 1), "");
  }
  ASSERT_EQ(::setenv("BLOOM_LFS_TEST_URI", original.c_str(), 1), 0);
}

// Stock RocksDB has opened the dead one's database and gone on. What it wrote is the truth.
TEST_F(InteropTest, ThePluginDoesNotUndoWhatStockWroteAfterAKill) {
  for (const bool keep_logs : {true, false}) {
    const std::string path = path_ + (keep_logs ? "_kept" : "_flushed");
    const Tweak tweak = keep_logs ? KeepLogs : Tweak();
    KillVictim(path, With::kPlugin);
    Database(path, With::kStock, tweak).Write(0, kVictimRows, 1);
    EXPECT_EQ(Database(path, With::kPlugin, tweak).Missing(0, kVictimRows, 1), "");
    EXPECT_EQ(Database(path, With::kStock, tweak).Missing(0, kVictimRows, 1), "");
  }
}

// Merely by opening the database, stock RocksDB decides which logs matter to which column family:
// one without rows in what is left of the log needs it no more. If the missing rows came back into
// that log now, those of one family would appear and those of the other not.
TEST_F(InteropTest, WhatStockSawAfterAKillIsTheTruthEvenIfItWroteNothing) {
  ChildProcess child("early_victim", {path_});
  ASSERT_EQ(child.Hear(), "written");
  child.Kill();
  uint32_t rows = 0;
  {
    const Database stock(path_, With::kStock, KeepLogs);
    while (rows < 61 && stock.Missing(rows, rows + 1).empty()) ++rows;
    EXPECT_GE(rows, 1u);
  }
  const Database db(path_, With::kPlugin, KeepLogs);
  EXPECT_EQ(db.Missing(0, rows), "");
  uint32_t back = 0;
  for (uint32_t row = rows; row < 61; ++row) back += db.Missing(row, row + 1).empty() ? 1 : 0;
  EXPECT_EQ(back, 0u) << "rows of " << 61 - rows << " that stock did not know have come back";
}

// A copy of a dead database has the dead one's rings, which are about other files. The copy is what
// its files say; the original keeps everything.
TEST_F(InteropTest, ACopyOfAKilledDatabaseIsWhatItsFilesSay) {
  KillVictim(path_, With::kPlugin);
  CopyTree(path_, dir_ / "copy");
  {
    Database copy(dir_ / "copy", With::kPlugin, KeepLogs);
    EXPECT_EQ(copy.Missing(0, kVictimRowsSynced), "");
    copy.Write(0, kVictimRows, 2);
  }
  EXPECT_EQ(Database(dir_ / "copy", With::kPlugin).Missing(0, kVictimRows, 2), "");
  EXPECT_EQ(Database(path_, With::kPlugin).Missing(0, kVictimRows), "");
}

// The default column family, that is: 7.8.3 does not look for others in logs.
TEST_F(InteropTest, RepairAfterAKillFindsEverything) {
  KillVictim(path_, With::kPlugin, "one");
  {
    const TestEnv env(With::kPlugin);
    const rocksdb::Options options = DatabaseOptions(env.get(), nullptr);
    Require(rocksdb::RepairDB(path_, options, DatabaseFamilies(options)));
  }
  const Database db(path_, With::kStock);
  for (uint32_t row = 0; row < kVictimRows; row += 2) EXPECT_EQ(db.Missing(row, row + 1), "");
}

TEST_F(InteropTest, CheckpointOfALiveDatabaseIsAnOrdinaryDatabase) {
  Database db(path_, With::kPlugin);
  for (uint32_t row = 0; row < 200; row += 50) {
    db.Write(row, row + 50);
    db.SwitchLog();
  }
  db.Write(200, 250);
  rocksdb::Checkpoint* created = nullptr;
  Require(rocksdb::Checkpoint::Create(db.get(), &created));
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(created);
  Require(checkpoint->CreateCheckpoint(dir_ / "first", UINT64_MAX));  // without a flush
  EXPECT_GE(LogFiles(dir_ / "first").size(), 2u) << "there were no logs to copy and link";
  ExpectNoPluginFiles(dir_ / "first");

  // The original goes on, in logs that the checkpoint may share with it.
  db.Write(0, 250, 1);
  db.SwitchLog();
  db.Write(250, 300, 1);
  Require(checkpoint->CreateCheckpoint(dir_ / "second", UINT64_MAX));
  EXPECT_EQ(Database(dir_ / "first", With::kStock, KeepLogs).Missing(0, 250), "");
  EXPECT_EQ(Database(dir_ / "first", With::kPlugin, KeepLogs).Missing(0, 250), "");
  EXPECT_EQ(Database(dir_ / "second", With::kPlugin).Missing(0, 300, 1), "");
  EXPECT_EQ(db.Missing(0, 300, 1), "");
}

TEST_F(InteropTest, BackupsOfALiveDatabaseRestoreToOrdinaryDatabases) {
  Database db(path_, With::kPlugin);
  db.Write(0, 120);
  for (const With backup_with : {With::kStock, With::kPlugin}) {
    const std::string backups = dir_ / (std::string("backups_") + Name(backup_with));
    const TestEnv backup_env(backup_with);
    rocksdb::BackupEngine* opened = nullptr;
    Require(rocksdb::BackupEngine::Open(
        db.env(), rocksdb::BackupEngineOptions(backups, backup_env.get()), &opened));
    const std::unique_ptr<rocksdb::BackupEngine> engine(opened);
    Require(engine->CreateNewBackup(db.get()));
    db.Write(0, 120, 1);
    Require(engine->CreateNewBackup(db.get()));
    Require(engine->VerifyBackup(1, true));
    const std::string old_one = backups + "_old";
    const std::string new_one = backups + "_new";
    Require(engine->RestoreDBFromBackup(1, old_one, old_one));
    Require(engine->RestoreDBFromLatestBackup(new_one, new_one));
    EXPECT_EQ(Database(old_one, With::kStock).Missing(0, 120), "");
    EXPECT_EQ(Database(new_one, With::kStock).Missing(0, 120, 1), "");
    ExpectNoPluginFiles(backups);
    db.Write(0, 120, 0);  // as before, for the next round
  }
}

TEST_F(InteropTest, DestroyLeavesNothingBehind) {
  for (const bool killed : {false, true}) {
    if (killed) {
      KillVictim(path_, With::kPlugin);
    } else {
      Database(path_, With::kPlugin).Write(0, 120);
    }
    const TestEnv env(With::kPlugin);
    const rocksdb::Options options = DatabaseOptions(env.get(), nullptr);
    Require(rocksdb::DestroyDB(path_, options, DatabaseFamilies(options)));
    EXPECT_FALSE(std::filesystem::exists(path_)) << (killed ? "after a kill" : "after a close");
  }
}

}  // namespace
}  // namespace bloom_lfs::test

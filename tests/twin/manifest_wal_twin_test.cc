// Logs that the MANIFEST knows, logs that are recycled, and logs in a directory of their own.

#include <gtest/gtest.h>
#include <rocksdb/transaction_log.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/child_process.h"
#include "tests/support/files.h"
#include "tests/twin/twin_database.h"

namespace bloom_lfs::test {
namespace {

namespace fs = std::filesystem;
using rocksdb::WALRecoveryMode;

// --- track_and_verify_wals_in_manifest ---

rocksdb::Options TrackingOptions(const TwinSide& side) {
  rocksdb::Options options = TwinOptions(side);
  options.track_and_verify_wals_in_manifest = true;
  return options;
}

// Four logs, the last one not synced. RocksDB records a log when it is synced after its end.
void WriteTrackedLogs(TwinSide& side) {
  rocksdb::Options options = TrackingOptions(side);
  SwitchLogsOften(&options);
  TwinDatabase db(side, options, side / "source");
  for (uint64_t log = 0; log < 4; ++log) {
    db.Write(100 * log, 100 * log + 30, 900, 0, true);
    db.Write(100 * log + 30, 100 * log + 31, 200'000, 0, log < 3);
  }
}

struct Loss {
  const char* name;
  std::function<void(const std::string& log)> of;
};

const Loss kLosses[] = {
    {"nothing", [](const std::string&) {}},
    {"missing", [](const std::string& log) { fs::remove(log); }},
    {"shorter", [](const std::string& log) { fs::resize_file(log, fs::file_size(log) - 1); }},
    {"empty", [](const std::string& log) { fs::resize_file(log, 0); }},
    {"longer", [](const std::string& log) { fs::resize_file(log, fs::file_size(log) + 10'000); }},
};

TEST(TrackedLogsTwinTest, MissingAndShortenedLogsAreNoticedAlike) {
  ExpectTwins([](TwinSide& side) {
    WriteTrackedLogs(side);
    AwaitEndOfRings(side / "source");
    const std::vector<std::string> logs = LogFiles(side / "source");
    side.Say("logs", logs.size());
    for (const WALRecoveryMode mode :
         {WALRecoveryMode::kPointInTimeRecovery, WALRecoveryMode::kAbsoluteConsistency}) {
      rocksdb::Options options = TrackingOptions(side);
      options.wal_recovery_mode = mode;
      for (const std::string& log : {logs.front(), logs.at(1), logs.back()}) {
        for (const Loss& loss : kLosses) {
          const std::string path = side / ("mode " + std::to_string(static_cast<int>(mode)) + " " +
                                           log + " " + loss.name);
          CopyTree(side / "source", path);
          loss.of(path + "/" + log);
          TwinDatabase db(side, options, path);
          if (db) db.SayContents("contents");
        }
      }
    }
  });
}

TEST(TrackedLogsTwinTest, ALivingDatabaseCopiedThroughItsEnvIsComplete) {
  ExpectTwins([](TwinSide& side) {
    rocksdb::Options options = TrackingOptions(side);
    SwitchLogsOften(&options);
    TwinDatabase db(side, options, side / "db");
    for (uint64_t log = 0; log < 4; ++log) {
      db.Write(100 * log, 100 * log + 30, 3000, 0, log != 1);
      if (log == 2) Require(db->SyncWAL());
      const std::string copy = side / ("copy" + std::to_string(log));
      CopyThroughEnv(side, side / "db", copy);
      TwinDatabase(side, TrackingOptions(side), copy).SayContents("copy");
    }
  });
}

// --- recycling ---

// The plugin makes a new file and deletes the old one; stock RocksDB would leave old bytes behind
// the new ones, so logs here become longer from time to time, and no old byte stays.
TEST(RecycledLogsTwinTest, NamesAndContentsAreTheSame) {
  ExpectTwins([](TwinSide& side) {
    rocksdb::Options options = TwinOptions(side);
    options.recycle_log_file_num = 2;
    options.wal_recovery_mode = WALRecoveryMode::kSkipAnyCorruptedRecords;
    for (int run = 0; run < 2; ++run) {
      TwinDatabase db(side, options, side / "db");
      db.SayContents("opened");
      for (uint64_t log = 0; log < 8; ++log) {
        db.Write(10 * log, 10 * log + 10, 1000 * (log + 1), 0, log % 2 == 0);
        SayNames(side, "files with log " + std::to_string(log), side / "db");
        if (log < 7) db.SwitchLog();
      }
      db.SayContents("before closing");
    }
    TwinDatabase(side, options, side / "db").SayContents("in the end");
  });
}

// --- wal_dir ---

rocksdb::Options WalDirOptions(const TwinSide& side, const std::string& wal_dir) {
  rocksdb::Options options = TwinOptions(side);
  options.wal_dir = wal_dir;
  options.avoid_flush_during_recovery = true;
  return options;
}

// How one can spell "<dir>/logs".
std::vector<std::string> Spellings(const TwinSide& side) {
  return {side / "logs",         side / "/logs", side / "logs/",
          side / "logs/../logs", side / "link",  fs::relative(side / "logs").string(),
          side / "dir_link/logs"};
}

void MakeLinks(const TwinSide& side) {
  fs::create_directory(side / "logs");
  fs::create_directory_symlink("logs", side / "link");
  fs::create_directory_symlink(".", side / "dir_link");
}

// Links would lead the comparison of the two sides round in circles.
void RemoveLinks(const TwinSide& side) {
  fs::remove(side / "link");
  fs::remove(side / "dir_link");
}

void WriteSome(TwinDatabase* db, uint64_t run) {
  db->Write(10 * run, 10 * run + 15, 3000, 0, run % 2 == 0);
  db->Write(10 * run, 10 * run + 1, 600'000);
}

TEST(WalDirTwinTest, HoweverItIsSpelledItIsTheSameDirectory) {
  ExpectTwins([](TwinSide& side) {
    MakeLinks(side);
    uint64_t run = 0;
    for (const std::string& wal_dir : Spellings(side)) {
      TwinDatabase db(side, WalDirOptions(side, wal_dir), side / "db");
      db.SayContents("opened");
      WriteSome(&db, ++run);
      if (run % 3 == 0) db.SwitchLog();
      db.SayContents("written");
      rocksdb::VectorLogPtr logs;
      side.Say("listing", db->GetSortedWalFiles(logs));
      for (const auto& log : logs) side.Say(log->PathName(), log->SizeFileBytes());
    }
    RemoveLinks(side);
  });
}

int VictimMain(const std::vector<std::string>& args) {
  TwinSide side(args.at(1) == "plugin" ? With::kPlugin : With::kStock, args.at(0));
  TwinDatabase db(side, WalDirOptions(side, args.at(2)), side / args.at(3));
  WriteSome(&db, std::stoul(args.at(4)));
  Report("written");
  for (;;) ::pause();
}

const RegisterChild kVictim("victim", VictimMain);

void KillVictim(TwinSide& side, const std::string& wal_dir, const std::string& db, uint64_t run) {
  ChildProcess victim("victim", {side / ".", side.name(), wal_dir, db, std::to_string(run)});
  if (victim.Hear() != "written") throw std::runtime_error("the victim died too early");
  victim.Kill();
}

TEST(WalDirTwinTest, AKilledWritersSpellingDoesNotMatter) {
  ExpectTwins([](TwinSide& side) {
    MakeLinks(side);
    uint64_t run = 0;
    for (const std::string& wal_dir : Spellings(side)) {
      KillVictim(side, wal_dir, "db", ++run);
      const std::string other = Spellings(side)[(run + 2) % Spellings(side).size()];
      TwinDatabase db(side, WalDirOptions(side, other), side / "db");
      db.SayContents("after the kill");
    }
    RemoveLinks(side);
  });
}

TEST(WalDirTwinTest, SeveralDatabasesKeepTheirLogsSideBySide) {
  ExpectTwins([](TwinSide& side) {
    fs::create_directory(side / "logs");
    const std::string names[] = {"a", "b", "c"};
    for (uint64_t run = 0; run < 2; ++run) {
      std::vector<std::unique_ptr<TwinDatabase>> databases;
      for (const std::string& name : names) {
        databases.push_back(std::make_unique<TwinDatabase>(
            side, WalDirOptions(side, side / ("logs/" + name)), side / name));
        databases.back()->SayContents(name);
      }
      for (const auto& db : databases) WriteSome(db.get(), run);
      databases[1]->SwitchLog();
      databases.erase(databases.begin());  // closes while the others write
      for (const auto& db : databases) WriteSome(db.get(), run + 10);
      for (const auto& db : databases) db->SayContents("in the end");
    }
    KillVictim(side, side / "logs/a", "a", 20);
    KillVictim(side, side / "logs/b", "b", 21);
    for (const std::string& name : names) {
      TwinDatabase(side, WalDirOptions(side, side / ("logs/" + name)), side / name)
          .SayContents(name + " after the kill");
    }
  });
}

// Back is too much for RocksDB 7.8: old logs were still in the first directory. It says so.
TEST(WalDirTwinTest, SwitchingToAWalDirAndBackEndsAlike) {
  ExpectTwins([](TwinSide& side) {
    uint64_t run = 0;
    for (const char* wal_dir : {"", "logs", "", "more_logs", "logs"}) {
      rocksdb::Options options =
          WalDirOptions(side, *wal_dir == '\0' ? std::string() : side / wal_dir);
      options.avoid_flush_during_recovery = false;
      TwinDatabase db(side, options, side / "db");
      SayNames(side, "files", side / "db");
      if (!db) break;
      db.SayContents("opened");
      WriteSome(&db, ++run);
    }
  });
}

TEST(WalDirTwinTest, ArchivesAreKeptBesideTheLogs) {
  ExpectTwins([](TwinSide& side) {
    rocksdb::Options options = WalDirOptions(side, side / "logs");
    options.WAL_ttl_seconds = 100000;
    TwinDatabase db(side, options, side / "db");
    for (uint64_t run = 0; run < 3; ++run) {
      const std::string log = NewestLog(side / "logs");
      WriteSome(&db, run);
      db.SwitchLog();
      const std::string archived = side / ("logs/archive" + log.substr(log.rfind('/')));
      WaitUntil("archive", [&] { return side.env()->FileExists(archived).ok(); });
      SayNames(side, "archive", side / "logs/archive");
    }
  });
}

// --- moved ---

TEST(MovedDatabaseTwinTest, ItOpensWhereverItIs) {
  for (const bool own_wal_dir : {false, true}) {
    ExpectTwins([&](TwinSide& side) {
      const std::string homes[] = {"home0", "home1", "home2", "home3"};
      const auto wal_dir = [&](const std::string& home) {
        return own_wal_dir ? side / (home + "/logs") : std::string();
      };
      for (uint64_t run = 0; run < 3; ++run) {
        fs::create_directories(side / homes[run]);
        if (run == 1) {
          TwinDatabase db(side, WalDirOptions(side, wal_dir(homes[run])),
                          side / (homes[run] + "/db"));
          db.SayContents("moved");
          WriteSome(&db, run);
        } else {
          KillVictim(side, wal_dir(homes[run]), homes[run] + "/db", run);
        }
        fs::rename(side / homes[run], side / homes[run + 1]);
      }
      TwinDatabase db(side, WalDirOptions(side, wal_dir("home3")), side / "home3/db");
      db.SayContents("in the end");
    });
  }
}

}  // namespace
}  // namespace bloom_lfs::test

// BackupEngine over a database in use: made, checked, thinned out, and restored by either side.

#include <gtest/gtest.h>
#include <rocksdb/utilities/backup_engine.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/test_env.h"
#include "tests/support/twin.h"
#include "tests/support/twin_database.h"

namespace bloom_lfs::test {
namespace {

using rocksdb::BackupEngine;
using rocksdb::BackupEngineOptions;
using rocksdb::BackupID;
using rocksdb::BackupInfo;

struct Way {
  const char* name;
  bool flush;
  bool blobs;
  bool named_by_checksum;
  bool separate_wal_dir;
};

const std::vector<std::string>& MoreFamilies() {
  static const std::vector<std::string> names = {"idle"};
  return names;
}

rocksdb::Options OptionsOf(rocksdb::Env* env, const Way& way, const std::string& wal_dir) {
  return QuietOptions(env, [&](rocksdb::Options* options) {
    if (way.separate_wal_dir) options->wal_dir = wal_dir;
    options->enable_blob_files = way.blobs;
    options->min_blob_size = 500;
    options->blob_file_size = 100 << 10;
  });
}

std::unique_ptr<BackupEngine> OpenEngine(rocksdb::Env* env, const std::string& directory,
                                         const Way& way, rocksdb::Env* backup_env = nullptr) {
  BackupEngineOptions options(directory, backup_env);
  options.share_files_with_checksum = way.named_by_checksum;
  BackupEngine* engine = nullptr;
  Require(BackupEngine::Open(options, env, &engine));
  return std::unique_ptr<BackupEngine>(engine);
}

// Sizes of tables follow from times, numbers of files do not.
void SayBackups(TwinSide& side, BackupEngine* engine) {
  std::vector<BackupInfo> infos;
  engine->GetBackupInfo(&infos);
  for (const BackupInfo& info : infos) {
    side.Say("files in backup " + std::to_string(info.backup_id), info.number_files);
  }
  std::vector<BackupID> corrupt;
  engine->GetCorruptedBackups(&corrupt);
  side.Say("corrupt", corrupt.size());
}

void MakeBackup(TwinSide& side, BackupEngine* engine, rocksdb::DB* db, const Way& way) {
  rocksdb::CreateBackupOptions options;
  options.flush_before_backup = way.flush;
  side.Say("backup", engine->CreateNewBackup(options, db));
  AwaitQuiet(db);
}

// Each round: a table, or a table and blob files, and unflushed rows in two live WALs.
void WriteRound(QuietDatabase& db, uint32_t round) {
  PutRows(db.get(), db.family(1), {round * 10, round * 10 + 10, round});
  PutRows(db.get(), db.family(0), {0, 80, round, 10000, 20});
  db.Flush();
  PutRows(db.get(), db.family(0), {60, 120, 10 + round});
}

void SayRestored(TwinSide& side, const std::string& engine_directory, const Way& way, BackupID id) {
  for (const With with : {With::kStock, With::kPlugin}) {
    const TestEnv env(with);
    const std::string by = "backup " + std::to_string(id) + " restored by " + Name(with);
    const std::string directory = side / ("restored-" + std::to_string(id) + "-" + Name(with));
    const std::string wal_dir = way.separate_wal_dir ? directory + "-wal" : directory;
    side.Say(
        by,
        OpenEngine(env.get(), engine_directory, way)->RestoreDBFromBackup(id, directory, wal_dir));
    const QuietDatabase db(OptionsOf(env.get(), way, wal_dir), directory, MoreFamilies());
    db.SayContents(side, by);
  }
}

class BackupTwinTest : public testing::TestWithParam<Way> {};
INSTANTIATE_TEST_SUITE_P(All, BackupTwinTest,
                         testing::Values(Way{"Flushed", true, false, true, false},
                                         Way{"WithLogs", false, false, true, false},
                                         Way{"NamedByNumber", false, false, false, false},
                                         Way{"LogsOfAnotherDirectory", false, false, true, true},
                                         Way{"BlobsFlushed", true, true, true, false},
                                         Way{"BlobsWithLogs", false, true, true, false},
                                         Way{"BlobsNamedByNumber", false, true, false, false}),
                         [](const auto& param_info) { return param_info.param.name; });

TEST_P(BackupTwinTest, MadeOneAfterTheOtherAndRestoredByEitherSide) {
  ExpectTwins([](TwinSide& side) {
    const Way& way = GetParam();
    QuietDatabase db(OptionsOf(side.env(), way, side / "wal"), side / "db", MoreFamilies());
    const auto engine = OpenEngine(side.env(), side / "backups", way);
    for (uint32_t round = 0; round < 3; ++round) {
      WriteRound(db, round);
      MakeBackup(side, engine.get(), db.get(), way);
    }
    db.SayContents(side, "in the database");
    SayBackups(side, engine.get());
    for (const BackupID id : {1, 3}) {
      side.Say("verify sizes", engine->VerifyBackup(id));
      side.Say("verify", engine->VerifyBackup(id, /*verify_with_checksum=*/true));
      SayRestored(side, side / "backups", way, id);
    }
  });
}

const Way kWithLogs = {"", false, true, true, false};

TEST(BackupUpkeepTwinTest, DeletedAndPurged) {
  ExpectTwins([](TwinSide& side) {
    QuietDatabase db(OptionsOf(side.env(), kWithLogs, ""), side / "db", MoreFamilies());
    {
      const auto engine = OpenEngine(side.env(), side / "backups", kWithLogs);
      for (uint32_t round = 0; round < 4; ++round) {
        WriteRound(db, round);
        MakeBackup(side, engine.get(), db.get(), kWithLogs);
      }
      side.Say("delete", engine->DeleteBackup(2));
      side.Say("delete again", engine->DeleteBackup(2));
    }
    const auto engine = OpenEngine(side.env(), side / "backups", kWithLogs);
    SayBackups(side, engine.get());
    side.Say("purge", engine->PurgeOldBackups(1));
    side.Say("garbage", engine->GarbageCollect());
    SayBackups(side, engine.get());
    side.Say("verify", engine->VerifyBackup(4, true));
    SayRestored(side, side / "backups", kWithLogs, 4);
  });
}

TEST(BackupUpkeepTwinTest, ADamagedLogOrBlobFileIsFound) {
  ExpectTwins([](TwinSide& side) {
    QuietDatabase db(OptionsOf(side.env(), kWithLogs, ""), side / "db", MoreFamilies());
    const auto engine = OpenEngine(side.env(), side / "backups", kWithLogs);
    WriteRound(db, 0);
    MakeBackup(side, engine.get(), db.get(), kWithLogs);
    for (const char* suffix : {".log", ".blob"}) {
      const std::string end = suffix;
      for (const auto& [name, facts] : ListTree(side / "backups")) {
        if (name.size() < end.size() || name.substr(name.size() - end.size()) != end) continue;
        const std::string path = side / ("backups/" + name);
        const std::string contents = ReadFile(path);
        std::string damaged = contents;
        damaged[damaged.size() / 2] ^= 1;
        WriteFile(path, damaged);
        side.Say("flipped in " + end, engine->VerifyBackup(1));
        side.Say("flipped in " + end + ", with checksum",
                 engine->VerifyBackup(1, true).IsCorruption() ? "found" : "not found");
        WriteFile(path, contents.substr(0, contents.size() - 1));
        side.Say("short " + end, engine->VerifyBackup(1).IsCorruption() ? "found" : "not found");
        WriteFile(path, contents);
      }
    }
    side.Say("mended", engine->VerifyBackup(1, true));
  });
}

// The database's Env is the plugin, the backup's is not, and the other way round.
TEST(BackupUpkeepTwinTest, MadeIntoAnotherEnv) {
  ExpectTwins([](TwinSide& side) {
    for (const With with : {With::kStock, With::kPlugin}) {
      const TestEnv backup_env(with);
      const std::string name = Name(with);
      QuietDatabase db(OptionsOf(side.env(), kWithLogs, ""), side / ("db-" + name), MoreFamilies());
      const std::string directory = side / ("backups-in-" + name);
      const auto engine = OpenEngine(side.env(), directory, kWithLogs, backup_env.get());
      WriteRound(db, 0);
      MakeBackup(side, engine.get(), db.get(), kWithLogs);
      side.Say("verify in " + name, engine->VerifyBackup(1, true));
      side.Say("restore from " + name,
               engine->RestoreDBFromLatestBackup(side / ("back-" + name), side / ("back-" + name)));
      const QuietDatabase restored(OptionsOf(side.env(), kWithLogs, ""), side / ("back-" + name),
                                   MoreFamilies());
      restored.SayContents(side, "from " + name);
    }
  });
}

// Over a database that is there already, with files of its own.
TEST(BackupUpkeepTwinTest, RestoredOverTheDatabaseItself) {
  ExpectTwins([](TwinSide& side) {
    const rocksdb::Options options = OptionsOf(side.env(), kWithLogs, "");
    const auto engine = OpenEngine(side.env(), side / "backups", kWithLogs);
    {
      QuietDatabase db(options, side / "db", MoreFamilies());
      WriteRound(db, 0);
      MakeBackup(side, engine.get(), db.get(), kWithLogs);
      WriteRound(db, 1);
    }
    rocksdb::RestoreOptions keep_logs;
    keep_logs.keep_log_files = true;
    for (const rocksdb::RestoreOptions& restore : {keep_logs, rocksdb::RestoreOptions()}) {
      side.Say("restore", engine->RestoreDBFromBackup(restore, 1, side / "db", side / "db"));
      for (const std::string& log : LogFiles(side / "db")) side.Say("log", log);
    }
    const QuietDatabase db(options, side / "db", MoreFamilies());
    db.SayContents(side, "restored");
  });
}

}  // namespace
}  // namespace bloom_lfs::test

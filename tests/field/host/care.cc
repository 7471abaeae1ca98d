#include "tests/field/host/care.h"

#include <rocksdb/options.h>
#include <rocksdb/transaction_log.h>
#include <rocksdb/utilities/backup_engine.h>
#include <rocksdb/utilities/checkpoint.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>

#include "plugin/rocksdb_versions.h"

namespace field {

std::string Flush(const Databases& databases, const Command& command) {
  Require(databases.Get(command)->Flush(rocksdb::FlushOptions()));
  return "flushed";
}

std::string SyncWal(const Databases& databases, const Command& command) {
  Require(databases.Get(command)->SyncWAL());
  return "synced";
}

// Where no file hears of it, who copies has to wait: plugin/README.md, "What users can rely on".
std::string LockWal(const Databases& databases, const Command& command) {
  constexpr std::chrono::milliseconds kIdleFlush(500);  // idle_flush_ms, unless told otherwise
  Require(databases.Get(command)->LockWAL());
  if (!bloom_lfs::kLockWalFlushesTheLog) {
    std::this_thread::sleep_for(3 * kIdleFlush);
  }
  return "locked";
}

std::string UnlockWal(const Databases& databases, const Command& command) {
  Require(databases.Get(command)->UnlockWAL());
  return "unlocked";
}

std::string CatchUp(const Databases& databases, const Command& command) {
  Require(databases.Get(command)->TryCatchUpWithPrimary());
  return "caught up";
}

std::string SwitchWal(const Databases& databases, const Command& command) {
  rocksdb::FlushOptions options;
  options.wait = false;
  Require(databases.Get(command)->Flush(options));
  return "switched";
}

std::string Resume(const Databases& databases, const Command& command) {
  rocksdb::Status resumed;
  rocksdb::Status put;
  for (int64_t seconds = command.Number("seconds", 15); seconds > 0; --seconds) {
    resumed = databases.Get(command)->Resume();
    rocksdb::WriteOptions write;
    write.sync = true;
    put = databases.Get(command)->Put(write, "after", "resuming");
    if (resumed.ok() && put.ok()) return "goes on";
    sleep(1);
  }
  throw std::runtime_error("Resume: " + Words(resumed) + "; put: " + Words(put));
}

std::string WalSizes(const Databases& databases, const Command& command) {
  rocksdb::DB* const db = databases.Get(command);
  std::string answer = "sizes";
  if (command.Text("how", "sorted") == "sorted") {
    rocksdb::VectorLogPtr logs;
    Require(db->GetSortedWalFiles(logs));
    for (const auto& log : logs) {
      answer += " " + log->PathName().substr(1) + " " + std::to_string(log->SizeFileBytes());
    }
    return answer;
  }
  rocksdb::LiveFilesStorageInfoOptions options;
  options.wal_size_for_flush = UINT64_MAX;
  std::vector<rocksdb::LiveFileStorageInfo> files;
  Require(db->GetLiveFilesStorageInfo(options, &files));
  for (const auto& file : files) {
    if (file.file_type != rocksdb::kWalFile) continue;
    answer += " " + file.relative_filename + " " + std::to_string(file.size);
  }
  return answer;
}

namespace {

rocksdb::BackupEngineOptions EngineOptions(const std::string& directory, const Command& command) {
  rocksdb::BackupEngineOptions options(directory);
  options.max_background_operations = static_cast<int>(command.Number("threads", 1));
  return options;
}

}  // namespace

std::string Backup(const Databases& databases, const Command& command) {
  rocksdb::BackupEngine* engine = nullptr;
  Require(rocksdb::BackupEngine::Open(rocksdb::Env::Default(),
                                      EngineOptions(command.Word(1), command), &engine));
  const std::unique_ptr<rocksdb::BackupEngine> owner(engine);
  Require(engine->CreateNewBackup(databases.Get(command)));
  return "backed up";
}

std::string Restore(const Command& command) {
  rocksdb::BackupEngineReadOnly* engine = nullptr;
  Require(rocksdb::BackupEngineReadOnly::Open(rocksdb::Env::Default(),
                                              EngineOptions(command.Word(0), command), &engine));
  const std::unique_ptr<rocksdb::BackupEngineReadOnly> owner(engine);
  Require(engine->RestoreDBFromLatestBackup(command.Word(1), command.Word(1)));
  return "restored";
}

std::string Checkpoint(const Databases& databases, const Command& command) {
  rocksdb::Checkpoint* checkpoint = nullptr;
  Require(rocksdb::Checkpoint::Create(databases.Get(command), &checkpoint));
  const std::unique_ptr<rocksdb::Checkpoint> owner(checkpoint);
  Require(checkpoint->CreateCheckpoint(command.Word(1), UINT64_MAX));
  return "made";
}

std::string Destroy(const Command& command) {
  Require(rocksdb::DestroyDB(command.Word(0), rocksdb::Options()));
  return "destroyed";
}

}  // namespace field

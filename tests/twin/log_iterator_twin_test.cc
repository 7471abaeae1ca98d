// Those who read the log as a log: replication (GetUpdatesSince) and backups (lists of live files).

#include <fcntl.h>
#include <gtest/gtest.h>
#include <rocksdb/metadata.h>
#include <rocksdb/transaction_log.h>
#include <rocksdb/write_batch.h>
#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lss/base/crc32c.h"
#include "tests/support/files.h"
#include "tests/support/workload.h"
#include "tests/twin/twin_database.h"

namespace bloom_lfs::test {
namespace {

using rocksdb::SequenceNumber;
using rocksdb::TransactionLogIterator;
using Iterator = std::unique_ptr<TransactionLogIterator>;

constexpr size_t kMoreThanARing = 7 << 20;
const TwinDatabase::Families kWithIdleFamily = {rocksdb::kDefaultColumnFamilyName, "idle"};

void KeepArchive(rocksdb::Options* options) { options->WAL_ttl_seconds = 100000; }

Iterator Since(TwinSide& side, rocksdb::DB* db, SequenceNumber sequence) {
  Iterator it;
  side.Say("updates since " + std::to_string(sequence), db->GetUpdatesSince(sequence, &it));
  return it;
}

// Everything from where the iterator is up to its end; it then stands behind it.
void SayUpdates(TwinSide& side, const std::string& question, const Iterator& it) {
  if (it == nullptr) return;
  std::string text;
  for (; it->Valid(); it->Next()) {
    const rocksdb::BatchResult batch = it->GetBatch();
    const std::string& bytes = batch.writeBatchPtr->Data();
    text += std::to_string(batch.sequence) + "+" + std::to_string(batch.writeBatchPtr->Count()) +
            ":" + std::to_string(lss::Crc32c(0, bytes.data(), bytes.size())) + " ";
  }
  side.Say(question, text + it->status().ToString());
}

std::string Description(const rocksdb::VectorLogPtr::value_type& log) {
  return log->PathName() + (log->Type() == rocksdb::kArchivedLogFile ? " archived" : " alive") +
         ", from " + std::to_string(log->StartSequence()) + ", " +
         std::to_string(log->SizeFileBytes()) + " bytes; ";
}

void SayLogs(TwinSide& side, const std::string& when, rocksdb::DB* db) {
  rocksdb::VectorLogPtr logs;
  const rocksdb::Status status = db->GetSortedWalFiles(logs);
  std::string text;
  for (const auto& log : logs) text += Description(log);
  side.Say("logs " + when, text + status.ToString());
  rocksdb::VectorLogPtr::value_type current;
  const rocksdb::Status current_status = db->GetCurrentWalFile(&current);
  side.Say("current log " + when,
           current_status.ok() ? Description(current) : current_status.ToString());
}

// Sizes of logs only: those of other files follow from times and ids.
void SayLiveFiles(TwinSide& side, const std::string& when, rocksdb::DB* db, bool flush) {
  std::vector<std::string> names;
  uint64_t manifest_bytes = 0;
  std::string text = db->GetLiveFiles(names, &manifest_bytes, flush).ToString();
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) text += " " + name;
  side.Say("live files " + when, text);

  rocksdb::LiveFilesStorageInfoOptions options;
  options.wal_size_for_flush = flush ? 0 : UINT64_MAX;
  std::vector<rocksdb::LiveFileStorageInfo> files;
  text = db->GetLiveFilesStorageInfo(options, &files).ToString();
  std::map<std::string, std::string> sorted;
  for (const auto& file : files) {
    sorted[file.directory + "/" + file.relative_filename] =
        file.replacement_contents + (file.trim_to_size ? " trimmed" : "") +
        (file.file_type == rocksdb::kWalFile ? " " + std::to_string(file.size) + " bytes" : "");
  }
  for (const auto& [name, facts] : sorted) text += "; " + name + facts;
  side.Say("storage " + when, text);
}

// Archiving is left to a thread.
void SwitchLogAndAwaitArchive(TwinSide& side, TwinDatabase* db) {
  const std::string log = NewestLog(side / "db");
  db->SwitchLog();
  const std::string archived = side / "db/archive" + log.substr(log.rfind('/'));
  WaitUntil(archived, [&] { return side.env()->FileExists(archived).ok(); });
}

void WriteBatchOf(rocksdb::DB* db, int count) {
  rocksdb::WriteBatch batch;
  for (int i = 0; i < count; ++i) Require(batch.Put("batch" + std::to_string(i), "value"));
  Require(db->Write(rocksdb::WriteOptions(), &batch));
}

TEST(LogIteratorTwinTest, AnIteratorAtItsEndGoesOnWhenMoreIsWritten) {
  ExpectTwins([](TwinSide& side) {
    TwinDatabase db(side, TwinOptions(side), side / "db");
    db.Write(0, 3);
    const Iterator it = Since(side, db.get(), 1);
    SayUpdates(side, "first", it);
    it->Next();
    SayUpdates(side, "nothing new", it);
    uint64_t row = 10;
    for (const size_t size : {1ul, 100ul, 40'000ul, 300'000ul, kMoreThanARing, 10ul}) {
      for (const bool sync : {false, true}) {
        db.Write(row, row + 2, size, 0, sync);
        row += 2;
        it->Next();
        SayUpdates(side, "went on", it);
      }
    }
  });
}

// RocksDB lists the logs when the iterator is made: it says TryAgain when there is a newer one.
TEST(LogIteratorTwinTest, AnIteratorDoesNotCrossASwitchThatItHasNotSeen) {
  ExpectTwins([](TwinSide& side) {
    TwinDatabase db(side, TwinOptions(side), side / "db", kWithIdleFamily);
    db.Write(0, 1, 10, 1);
    db.Write(0, 5);
    Iterator it = Since(side, db.get(), 2);
    for (int round = 0; round < 3; ++round) {
      db.SwitchLog();
      db.Write(100 * round, 100 * round + 5, 20'000);
      SayUpdates(side, "to the end of the log", it);
      it->Next();
      SayUpdates(side, "behind it", it);
      it = Since(side, db.get(), 2);
    }
    SayUpdates(side, "all", it);
    db.Write(1000, 1003);
    it->Next();
    SayUpdates(side, "went on", it);
    SayLogs(side, "at the end", db.get());
  });
}

TEST(LogIteratorTwinTest, StartsAnywhere) {
  ExpectTwins([](TwinSide& side) {
    rocksdb::Options options = TwinOptions(side);
    KeepArchive(&options);
    TwinDatabase db(side, options, side / "db");
    for (int log = 0; log < 3; ++log) {
      if (log > 0) SwitchLogAndAwaitArchive(side, &db);
      WriteBatchOf(db.get(), 5);
      db.Write(0, 2, 1000);
    }
    for (SequenceNumber sequence = 0; sequence < db->GetLatestSequenceNumber() + 3; ++sequence) {
      SayUpdates(side, "updates", Since(side, db.get(), sequence));
    }
  });
}

TEST(LogIteratorTwinTest, FollowsALogIntoTheArchive) {
  ExpectTwins([](TwinSide& side) {
    rocksdb::Options options = TwinOptions(side);
    KeepArchive(&options);
    TwinDatabase db(side, options, side / "db");
    db.Write(0, 50, 3000);
    const Iterator opened_before = Since(side, db.get(), 1);
    SayLogs(side, "before", db.get());
    SwitchLogAndAwaitArchive(side, &db);
    SayLogs(side, "after one switch", db.get());
    const Iterator over_both = Since(side, db.get(), 1);
    db.Write(50, 60, 3000);
    SwitchLogAndAwaitArchive(side, &db);
    SayLogs(side, "after two", db.get());
    SayUpdates(side, "opened before", opened_before);
    SayUpdates(side, "over both", over_both);
    SayUpdates(side, "all", Since(side, db.get(), 1));
    SayLiveFiles(side, "beside an archive", db.get(), false);
  });
}

TEST(LogIteratorTwinTest, ReadsADeletedLogToItsEnd) {
  ExpectTwins([](TwinSide& side) {
    TwinDatabase db(side, TwinOptions(side), side / "db");
    db.Write(0, 50, 3000);
    db.Write(50, 51, kMoreThanARing);
    const Iterator it = Since(side, db.get(), 1);
    const std::string log = NewestLog(side / "db");
    db.SwitchLog();
    WaitUntil("deletion", [&] { return side.env()->FileExists(log).IsNotFound(); });
    SayUpdates(side, "deleted log", it);
    SayUpdates(side, "what is gone", Since(side, db.get(), 1));
    SayLogs(side, "afterwards", db.get());
    db.Write(51, 53);
    SayUpdates(side, "what is there", Since(side, db.get(), 53));
  });
}

TEST(LogIteratorTwinTest, ListsOfFilesKnowUnsyncedBytes) {
  for (const bool manual_flush : {false, true}) {
    ExpectTwins([&](TwinSide& side) {
      rocksdb::Options options = TwinOptions(side);
      options.manual_wal_flush = manual_flush;
      TwinDatabase db(side, options, side / "db", kWithIdleFamily);
      SayLogs(side, "of an empty database", db.get());
      SayLiveFiles(side, "of an empty database", db.get(), false);
      db.Write(0, 1, 10, 1);
      for (const size_t size : {10ul, 5000ul, 300'000ul, kMoreThanARing}) {
        db.Write(0, 3, size);
        SayLogs(side, "with unsynced rows", db.get());
        SayLiveFiles(side, "with unsynced rows", db.get(), false);
        db.Write(0, 3, size, 0, true);
        SayLogs(side, "with synced rows", db.get());
        db.SwitchLog();
        SayLogs(side, "after a switch", db.get());
      }
      Require(db->FlushWAL(false));
      SayLogs(side, "flushed", db.get());
      SayLiveFiles(side, "after a flush", db.get(), true);
    });
  }
}

// The first purge after opening looks at the archive.
TEST(LogIteratorTwinTest, ArchivedLogsGoWhenThereAreTooManyOrTheyAreTooOld) {
  for (const bool by_size : {false, true}) {
    ExpectTwins([&](TwinSide& side) {
      rocksdb::Options options = TwinOptions(side);
      KeepArchive(&options);
      {
        TwinDatabase db(side, options, side / "db");
        for (int log = 0; log < 5; ++log) {
          db.Write(0, 1, 400'000);
          SwitchLogAndAwaitArchive(side, &db);
        }
        SayNames(side, "archive", side / "db/archive");
      }
      const std::vector<std::string> logs = LogFiles(side / "db/archive");
      for (size_t i = 0; i < 2; ++i) {
        const std::time_t long_ago = std::time(nullptr) - 10'000;
        const timespec times[2] = {{long_ago, 0}, {long_ago, 0}};
        ::utimensat(AT_FDCWD, (side / "db/archive/" + logs.at(i)).c_str(), times, 0);
      }
      options.WAL_ttl_seconds = by_size ? 0 : 5000;
      options.WAL_size_limit_MB = by_size ? 1 : 0;
      TwinDatabase db(side, options, side / "db");
      SayNames(side, "archive after reopening", side / "db/archive");
      SayUpdates(side, "updates", Since(side, db.get(), 9));
      SayUpdates(side, "updates from a purged log", Since(side, db.get(), 1));
    });
  }
}

}  // namespace
}  // namespace bloom_lfs::test

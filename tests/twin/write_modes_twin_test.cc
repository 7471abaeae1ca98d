// The ways RocksDB has of getting a batch into the WAL.

#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/write_batch.h>

#include <exception>
#include <future>
#include <string>
#include <vector>

#include "tests/support/twin.h"
#include "tests/support/twin_database.h"
#include "tests/support/workload.h"

namespace bloom_lfs::test {
namespace {

struct Mode {
  const char* name;
  Tweak tweak;
};

const std::vector<std::string>& MoreFamilies() {
  static const std::vector<std::string> names = {"idle", "busy"};
  return names;
}

// Three column families; "idle" keeps every WAL alive while "busy" is flushed again and again.
void WriteThroughManyLogs(QuietDatabase& db) {
  PutRows(db.get(), db.family(1), {0, 1});
  for (uint32_t round = 0; round < 4; ++round) {
    PutRows(db.get(), db.family(0), {0, 120, round, 3000, 50});
    PutRows(db.get(), db.family(2), {0, 60, round, 30000, 0});
    if (round == 2) Require(db->SyncWAL());
    if (round == 3) Require(db->FlushWAL(false));
    db.Flush(2);
    PutRows(db.get(), db.family(2), {100, 140, 10 + round, 3000, 0});
  }
}

class WriteModeTwinTest : public testing::TestWithParam<Mode> {};

TEST_P(WriteModeTwinTest, SameAnswersAndLogsThroughReopening) {
  ExpectTwins([](TwinSide& side) {
    const rocksdb::Options options = QuietOptions(side.env(), GetParam().tweak);
    {
      QuietDatabase db(options, side / "db", MoreFamilies());
      WriteThroughManyLogs(db);
      db.SayContents(side, "before closing");
      Require(db->FlushWAL(false));
      SayWals(side, "before closing", db.get());
    }
    {
      QuietDatabase db(options, side / "db", MoreFamilies());
      db.SayContents(side, "after reopening");
      PutRows(db.get(), db.family(1), {0, 300, 7, 10000, 0});
      SayWals(side, "after reopening", db.get());
    }
    // The log that this leaves is compared byte for byte.
    const QuietDatabase reader(options, side / "db", MoreFamilies(), Access::kReadOnly);
    reader.SayContents(side, "read-only");
  });
}

INSTANTIATE_TEST_SUITE_P(
    All, WriteModeTwinTest,
    testing::Values(
        Mode{"Default", nullptr},
        Mode{"TwoWriteQueues", [](rocksdb::Options* o) { o->two_write_queues = true; }},
        Mode{"Pipelined", [](rocksdb::Options* o) { o->enable_pipelined_write = true; }},
        Mode{"Unordered", [](rocksdb::Options* o) { o->unordered_write = true; }},
        Mode{"SequentialMemtable",
             [](rocksdb::Options* o) { o->allow_concurrent_memtable_write = false; }},
        Mode{"ManualWalFlush", [](rocksdb::Options* o) { o->manual_wal_flush = true; }},
        Mode{"WalBytesPerSync", [](rocksdb::Options* o) { o->wal_bytes_per_sync = 64 << 10; }},
        Mode{"StrictWalBytesPerSync",
             [](rocksdb::Options* o) {
               o->wal_bytes_per_sync = 64 << 10;
               o->strict_bytes_per_sync = true;
             }},
        Mode{"Fsync", [](rocksdb::Options* o) { o->use_fsync = true; }},
        Mode{"MmapReads", [](rocksdb::Options* o) { o->allow_mmap_reads = true; }},
        Mode{"MmapWrites", [](rocksdb::Options* o) { o->allow_mmap_writes = true; }},
        Mode{"DirectReads", [](rocksdb::Options* o) { o->use_direct_reads = true; }},
        Mode{"DirectFlush",
             [](rocksdb::Options* o) { o->use_direct_io_for_flush_and_compaction = true; }},
        Mode{"SmallFileBuffer",
             [](rocksdb::Options* o) { o->writable_file_max_buffer_size = 4096; }},
        Mode{"ChecksumHandoff",
             [](rocksdb::Options* o) {
               o->enable_blob_files = true;
               o->checksum_handoff_file_types.Add(rocksdb::FileType::kWalFile);
               o->checksum_handoff_file_types.Add(rocksdb::FileType::kBlobFile);
             }},
        Mode{"AtomicFlush", [](rocksdb::Options* o) { o->atomic_flush = true; }},
        Mode{"NotFlushedByRecovery",
             [](rocksdb::Options* o) { o->avoid_flush_during_recovery = true; }},
        Mode{"FlushedByShutdown",
             [](rocksdb::Options* o) { o->avoid_flush_during_shutdown = false; }},
        Mode{"LogSizesInManifest",
             [](rocksdb::Options* o) { o->track_and_verify_wals_in_manifest = true; }}),
    [](const auto& param_info) { return param_info.param.name; });

// --- one large record ----------------------------------------------------------------------------

// More than a WAL's ring holds, as one record.
void WriteHugeBatch(QuietDatabase& db, bool sync) {
  rocksdb::WriteBatch batch;
  for (uint32_t row = 0; row < 2500; ++row) {
    Require(batch.Put(db.family(row % 3), RowKey(5000 + row), MakeValue(row, 3000)));
  }
  Require(batch.Delete(db.family(2), RowKey(5002)));
  rocksdb::WriteOptions write_options;
  write_options.sync = sync;
  Require(db->Write(write_options, &batch));
}

class HugeBatchTwinTest : public testing::TestWithParam<Mode> {};

TEST_P(HugeBatchTwinTest, ABatchLargerThanTheRing) {
  ExpectTwins([](TwinSide& side) {
    rocksdb::Options options = QuietOptions(side.env(), GetParam().tweak);
    options.avoid_flush_during_recovery = true;
    {
      QuietDatabase db(options, side / "db", MoreFamilies());
      PutRows(db.get(), db.family(0), {0, 50});
      WriteHugeBatch(db, /*sync=*/false);
      PutRows(db.get(), db.family(0), {0, 50, 1, 10000, 10});
      WriteHugeBatch(db, /*sync=*/true);
    }
    const QuietDatabase db(options, side / "db", MoreFamilies());
    db.SayContents(side, "after reopening");
  });
}

INSTANTIATE_TEST_SUITE_P(
    All, HugeBatchTwinTest,
    testing::Values(Mode{"Default", nullptr},
                    Mode{"TwoWriteQueues", [](rocksdb::Options* o) { o->two_write_queues = true; }},
                    Mode{"ManualWalFlush", [](rocksdb::Options* o) { o->manual_wal_flush = true; }},
                    Mode{"SmallFileBuffer",
                         [](rocksdb::Options* o) { o->writable_file_max_buffer_size = 4096; }}),
    [](const auto& param_info) { return param_info.param.name; });

// --- several writers -----------------------------------------------------------------------------

// Each thread writes keys of its own, some synced, and deletes every seventh again.
void WriteFromFourThreads(rocksdb::DB* db) {
  constexpr uint32_t kThreads = 4;
  constexpr uint32_t kRows = 250;
  std::vector<std::future<void>> writers;
  for (uint32_t thread = 0; thread < kThreads; ++thread) {
    writers.push_back(std::async(std::launch::async, [db, thread] {
      const uint32_t from = thread * 10000;
      for (uint32_t row = from; row < from + kRows; ++row) {
        PutRows(db, db->DefaultColumnFamily(), {row, row + 1, thread, 5000, 40});
        if (row % 7 == 0) Require(db->Delete(rocksdb::WriteOptions(), RowKey(row)));
      }
    }));
  }
  for (int i = 0; i < 20; ++i) {
    Require(i % 2 == 0 ? db->SyncWAL() : db->FlushWAL(true));  // beside the writers
  }
  for (std::future<void>& writer : writers) writer.get();
}

class ConcurrentWritersTwinTest : public testing::TestWithParam<Mode> {};

TEST_P(ConcurrentWritersTwinTest, EveryWriterFindsItsRowsAgain) {
  ExpectTwins(
      [](TwinSide& side) {
        const rocksdb::Options options = QuietOptions(side.env(), GetParam().tweak);
        {
          const QuietDatabase db(options, side / "db");
          WriteFromFourThreads(db.get());
          db.SayContents(side, "before closing");
        }
        const QuietDatabase db(options, side / "db");
        db.SayContents(side, "after reopening");
        side.Say("last sequence number", db->GetLatestSequenceNumber());
      },
      Files::kNamesOnly);
}

INSTANTIATE_TEST_SUITE_P(
    All, ConcurrentWritersTwinTest,
    testing::Values(
        Mode{"Default", nullptr},
        Mode{"TwoWriteQueues", [](rocksdb::Options* o) { o->two_write_queues = true; }},
        Mode{"Pipelined", [](rocksdb::Options* o) { o->enable_pipelined_write = true; }},
        Mode{"Unordered", [](rocksdb::Options* o) { o->unordered_write = true; }},
        Mode{"UnorderedTwoQueues",
             [](rocksdb::Options* o) {
               o->unordered_write = true;
               o->two_write_queues = true;
             }},
        Mode{"SequentialMemtable",
             [](rocksdb::Options* o) { o->allow_concurrent_memtable_write = false; }},
        Mode{"ManualWalFlush", [](rocksdb::Options* o) { o->manual_wal_flush = true; }}),
    [](const auto& param_info) { return param_info.param.name; });

// --- tables that come from elsewhere -------------------------------------------------------------

void MakeTable(const rocksdb::Options& options, const std::string& path, const Rows& rows) {
  rocksdb::SstFileWriter writer(rocksdb::EnvOptions(), options);
  Require(writer.Open(path));
  for (uint32_t row = rows.from; row < rows.to; ++row) {
    Require(writer.Put(RowKey(row), RowValue(row, rows.version, rows.size_max)));
  }
  Require(writer.Finish());
}

TEST(IngestionTwinTest, TablesComeInBesideALogThatHasTheSameRows) {
  ExpectTwins([](TwinSide& side) {
    const rocksdb::Options options = QuietOptions(side.env());
    MakeTable(options, side / "new.sst", {50, 100, 9});
    MakeTable(options, side / "moved.sst", {500, 600, 9});
    {
      QuietDatabase db(options, side / "db", MoreFamilies());
      PutRows(db.get(), db.family(0), {0, 80});
      PutRows(db.get(), db.family(1), {0, 80});
      side.Say("over unflushed rows",
               db->IngestExternalFile({side / "new.sst"}, rocksdb::IngestExternalFileOptions()));
      rocksdb::IngestExternalFileOptions move;
      move.move_files = true;
      side.Say("moved", db->IngestExternalFile({side / "moved.sst"}, move));
      PutRows(db.get(), db.family(0), {60, 70, 3, 10000, 1});
      db.SayContents(side, "after ingestion");
      SayWals(side, "after ingestion", db.get());
    }
    const QuietDatabase db(options, side / "db", MoreFamilies());
    db.SayContents(side, "after reopening");
  });
}

}  // namespace
}  // namespace bloom_lfs::test

// Databases with blob files, in one process: every way of writing, reading and getting rid of them.

#include <gtest/gtest.h>
#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/sst_file_manager.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/database.h"
#include "tests/support/files.h"
#include "tests/support/quiet_database.h"
#include "tests/support/twin.h"

namespace bloom_lfs::test {
namespace {

struct Mode {
  const char* name;
  Tweak tweak;
};

rocksdb::Options BlobOptions(TwinSide& side, const Tweak& tweak = nullptr) {
  return QuietOptions(side.env(), [&](rocksdb::Options* options) {
    options->enable_blob_files = true;
    options->min_blob_size = 300;
    options->blob_file_size = 150 << 10;
    options->enable_blob_garbage_collection = true;
    options->blob_garbage_collection_age_cutoff = 1.0;
    if (tweak) tweak(options);
  });
}

// Names, sizes and contents as the kernel shows them now, with the database still open: a blob file
// that RocksDB has finished must be whole for everybody.
void SayBlobFiles(TwinSide& side, rocksdb::DB* db, const std::string& when) {
  AwaitDeletions(db);
  side.Say("blob files", when);
  for (const std::string& name : BlobFiles(side / "db")) {
    side.SayBytes(name, ReadFile(side / ("db/" + name)));
  }
}

// By key, many keys at once, forwards and backwards.
void SayReads(TwinSide& side, rocksdb::DB* db) {
  std::vector<std::string> names;
  for (uint32_t row = 0; row < 130; row += 3) names.push_back(RowKey(row));
  std::string got;
  for (const std::string& name : names) {
    std::string value;
    const rocksdb::Status status = db->Get(rocksdb::ReadOptions(), name, &value);
    got += status.ok() ? value : status.ToString();
  }
  side.SayBytes("one by one", got);
  const std::vector<rocksdb::Slice> keys(names.begin(), names.end());
  std::vector<rocksdb::PinnableSlice> values(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  db->MultiGet(rocksdb::ReadOptions(), db->DefaultColumnFamily(), keys.size(), keys.data(),
               values.data(), statuses.data(), /*sorted_input=*/true);
  got.clear();
  for (size_t i = 0; i < keys.size(); ++i) {
    got += statuses[i].ok() ? values[i].ToString() : statuses[i].ToString();
  }
  side.SayBytes("at once", got);
  side.SayContents("forwards", db);
  got.clear();
  const std::unique_ptr<rocksdb::Iterator> rows(db->NewIterator(rocksdb::ReadOptions()));
  for (rows->SeekToLast(); rows->Valid(); rows->Prev()) got += rows->value().ToString();
  side.Say("backwards", rows->status());
  side.SayBytes("backwards", got);
}

void Compact(rocksdb::DB* db) {
  Require(db->CompactRange(rocksdb::CompactRangeOptions(), nullptr, nullptr));
  AwaitQuiet(db);
}

// Four tables with their blob files, the later ones overwriting much of the earlier ones.
void WriteTables(QuietDatabase& db) {
  for (uint32_t round = 0; round < 4; ++round) {
    PutRows(db.get(), db.family(0), {round * 10, 100 + round * 10, round, 30000, 0});
    Require(db->Delete(rocksdb::WriteOptions(), RowKey(round * 5)));
    db.Flush();
  }
}

class BlobTwinTest : public testing::TestWithParam<Mode> {};

TEST_P(BlobTwinTest, WrittenReadCompactedAndReopened) {
  ExpectTwins([](TwinSide& side) {
    const rocksdb::Options options = BlobOptions(side, GetParam().tweak);
    {
      QuietDatabase db(options, side / "db");
      WriteTables(db);
      PutRows(db.get(), db.family(0), {90, 120, 7, 30000, 10});  // in the WAL only
      SayBlobFiles(side, db.get(), "when written");
      SayReads(side, db.get());
      Compact(db.get());
      SayBlobFiles(side, db.get(), "when compacted");
      SayReads(side, db.get());
      side.Say("checksums", db->VerifyChecksum());
    }
    QuietDatabase db(options, side / "db");
    SayReads(side, db.get());
    SayBlobFiles(side, db.get(), "when reopened");
    Compact(db.get());
    SayReads(side, db.get());
  });
}

// As far as this build of RocksDB can compress.
Tweak CompressedBy(rocksdb::CompressionType type) {
  return [type](rocksdb::Options* options) {
    if (Supports(type)) options->blob_compression_type = type;
  };
}

INSTANTIATE_TEST_SUITE_P(
    All, BlobTwinTest,
    testing::Values(
        Mode{"Default", nullptr}, Mode{"EveryValue", [](auto* o) { o->min_blob_size = 0; }},
        Mode{"OneFilePerTable", [](auto* o) { o->blob_file_size = 1 << 30; }},
        Mode{"OneFilePerValue",
             [](auto* o) {
               o->min_blob_size = 8000;
               o->blob_file_size = 1;
             }},
        Mode{"NoCollection", [](auto* o) { o->enable_blob_garbage_collection = false; }},
        Mode{"CollectionOfTheOlderHalf",
             [](auto* o) { o->blob_garbage_collection_age_cutoff = 0.5; }},
        Mode{"FromLevelOne", [](auto* o) { o->blob_file_starting_level = 1; }},
        Mode{"Zstd", CompressedBy(rocksdb::kZSTD)},
        Mode{"Lz4", CompressedBy(rocksdb::kLZ4Compression)},
        Mode{"Cached",
             [](auto* o) {
               o->blob_cache = rocksdb::NewLRUCache(1 << 20);
               o->prepopulate_blob_cache = rocksdb::PrepopulateBlobCache::kFlushOnly;
             }},
        Mode{"CompactionReadahead", [](auto* o) { o->blob_compaction_readahead_size = 1 << 20; }},
        Mode{"DirectWrites", [](auto* o) { o->use_direct_io_for_flush_and_compaction = true; }},
        Mode{"DirectReads", [](auto* o) { o->use_direct_reads = true; }},
        Mode{"DirectReadsAndWrites",
             [](auto* o) {
               o->use_direct_reads = true;
               o->use_direct_io_for_flush_and_compaction = true;
             }},
        Mode{"MmapReads", [](auto* o) { o->allow_mmap_reads = true; }},
        Mode{"MmapWrites", [](auto* o) { o->allow_mmap_writes = true; }},
        Mode{"SmallFileBuffer", [](auto* o) { o->writable_file_max_buffer_size = 4096; }},
        Mode{"BytesPerSync", [](auto* o) { o->bytes_per_sync = 32 << 10; }},
        Mode{"Fsync", [](auto* o) { o->use_fsync = true; }},
        Mode{"ChecksumHandoff",
             [](auto* o) { o->checksum_handoff_file_types.Add(rocksdb::FileType::kBlobFile); }},
        Mode{"FewOpenFiles", [](auto* o) { o->max_open_files = 20; }},
        Mode{"DeletedByAnotherThread", [](auto* o) { o->avoid_unnecessary_blocking_io = true; }}),
    [](const auto& param_info) { return param_info.param.name; });

// --- readers and deletion ------------------------------------------------------------------------

TEST(BlobReadersTwinTest, IteratorsAndPinnedValuesOutliveTheFilesTheyCameFrom) {
  ExpectTwins([](TwinSide& side) {
    QuietDatabase db(BlobOptions(side), side / "db");
    WriteTables(db);
    const rocksdb::Snapshot* const snapshot = db->GetSnapshot();
    rocksdb::ReadOptions at_snapshot;
    at_snapshot.snapshot = snapshot;
    std::unique_ptr<rocksdb::Iterator> rows(db->NewIterator(at_snapshot));
    rows->SeekToFirst();
    side.SayBytes("first", rows->value().ToString());
    rocksdb::PinnableSlice pinned;
    Require(db->Get(rocksdb::ReadOptions(), db.family(0), RowKey(50), &pinned));
    db->ReleaseSnapshot(snapshot);
    PutRows(db.get(), db.family(0), {0, 130, 9, 30000, 0});
    db.Flush();
    Compact(db.get());
    SayBlobFiles(side, db.get(), "with an iterator");
    side.SayBytes("pinned", pinned.ToString());
    std::string got;
    for (; rows->Valid(); rows->Next()) got += rows->value().ToString();
    side.Say("iterated", rows->status());
    side.SayBytes("iterated", got);
    rows.reset();
    AwaitQuiet(db.get());
    Compact(db.get());
    SayReads(side, db.get());
  });
}

TEST(BlobDeletionTwinTest, RangesOfFiles) {
  ExpectTwins([](TwinSide& side) {
    QuietDatabase db(BlobOptions(side), side / "db");
    for (uint32_t round = 0; round < 4; ++round) {
      PutRows(db.get(), db.family(0), {round * 100, round * 100 + 60, round, 30000, 0});
      db.Flush();
      rocksdb::CompactRangeOptions bottom;
      bottom.change_level = true;
      const std::string from = RowKey(round * 100);
      const std::string to = RowKey(round * 100 + 99);
      const rocksdb::Slice first = from;
      const rocksdb::Slice last = to;
      Require(db->CompactRange(bottom, &first, &last));
      AwaitQuiet(db.get());
    }
    const std::string from = RowKey(100);
    const std::string to = RowKey(299);
    const rocksdb::Slice first = from;
    const rocksdb::Slice last = to;
    side.Say("delete", rocksdb::DeleteFilesInRange(db.get(), db.family(0), &first, &last));
    AwaitQuiet(db.get());
    SayBlobFiles(side, db.get(), "when deleted");
    side.SayContents("left", db.get());
  });
}

void AwaitEmptyTrash(rocksdb::SstFileManager* manager) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (manager->GetTotalTrashSize() > 0) {
    if (std::chrono::steady_clock::now() > give_up) throw std::runtime_error("trash remains");
    std::this_thread::yield();
  }
}

// Blob files and WALs alike are renamed to *.trash and cut shorter step by step.
TEST(BlobDeletionTwinTest, InStepsThroughTheTrash) {
  ExpectTwins([](TwinSide& side) {
    rocksdb::Options options = BlobOptions(side);
    rocksdb::Status status;
    options.sst_file_manager.reset(rocksdb::NewSstFileManager(
        side.env(), nullptr, "", /*rate_bytes_per_sec=*/256 << 20, true, &status,
        /*max_trash_db_ratio=*/1e9, /*bytes_max_delete_chunk=*/20000));
    Require(status);
    QuietDatabase db(options, side / "db");
    WriteTables(db);
    Compact(db.get());
    AwaitEmptyTrash(options.sst_file_manager.get());
    SayBlobFiles(side, db.get(), "when deleted");
    SayWals(side, "when deleted", db.get());
    SayReads(side, db.get());
  });
}

TEST(BlobDeletionTwinTest, TheWholeDatabase) {
  ExpectTwins([](TwinSide& side) {
    const rocksdb::Options options = BlobOptions(side);
    {
      QuietDatabase db(options, side / "db", {"other"});
      WriteTables(db);
      PutRows(db.get(), db.family(1), {0, 50, 0, 30000, 10});
    }
    side.Say("destroy", rocksdb::DestroyDB(side / "db", options));
    side.Say("directory", side.env()->FileExists(side / "db"));
  });
}

}  // namespace
}  // namespace bloom_lfs::test

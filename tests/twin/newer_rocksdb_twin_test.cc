// What RocksDB has learned since 9.10, as far as the RocksDB has it that this is built with
// (plugin/rocksdb_versions.h).

#include <gtest/gtest.h>
#include <rocksdb/file_system.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "plugin/rocksdb_versions.h"
#include "tests/support/files.h"
#include "tests/support/quiet_database.h"
#include "tests/twin/twin_database.h"

namespace bloom_lfs::test {
namespace {

namespace fs = std::filesystem;

// What somebody finds who opens a copy of the living database.
[[maybe_unused]] void SayCopy(TwinSide& side, const rocksdb::Options& options,
                              const std::string& name) {
  CopyThroughEnv(side, side / "db", side / name);
  TwinDatabase copy(side, options, side / name);
  if (copy) copy.SayContents(name);
}

// From 9.1 on RocksDB recycles under point-in-time recovery; before, it drops the wish.
TEST(RecycledLogsTwinTest, UnderPointInTimeRecoveryOldRecordsAreNotTakenForNewOnes) {
  ExpectTwins(
      [](TwinSide& side) {
        rocksdb::Options options = TwinOptions(side);
        options.recycle_log_file_num = 2;
        options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
        {
          TwinDatabase db(side, options, side / "db");
          for (uint64_t round = 0; round < 5; ++round) {
            // Each log is shorter than the one whose place it takes.
            const uint64_t rows = 300 - 50 * round;
            db.Write(1000 * round, 1000 * round + rows, 500, 0, round % 2 == 0);
            SayCopy(side, options, "copy" + std::to_string(round));
            db.SwitchLog();
          }
          db.Write(9000, 9010, 100, 0, true);
        }
        TwinDatabase(side, options, side / "db").SayContents("reopened");
      },
      Files::kNamesOnly);
}

#if BLOOM_LFS_HAS_TRACK_AND_VERIFY_WALS
TEST(VerifiedLogsTwinTest, AHoleBetweenLogsIsNoticedAlike) {
  const std::vector<std::function<void(const std::string&)>> losses = {
      [](const std::string&) {}, [](const std::string& log) { fs::remove(log); },
      [](const std::string& log) { fs::resize_file(log, fs::file_size(log) - 1); },
      [](const std::string& log) { fs::resize_file(log, 0); }};
  ExpectTwins(
      [&](TwinSide& side) {
        rocksdb::Options options = TwinOptions(side);
        options.track_and_verify_wals = true;
        {
          rocksdb::Options writing = options;
          SwitchLogsOften(&writing);
          TwinDatabase db(side, writing, side / "source");
          for (uint64_t log = 0; log < 4; ++log) {
            db.Write(100 * log, 100 * log + 30, 900, 0, true);
            db.Write(100 * log + 30, 100 * log + 31, 200'000, 0, log < 3);
          }
        }
        AwaitEndOfRings(side / "source");
        const std::vector<std::string> logs = LogFiles(side / "source");
        side.Say("logs", logs.size());
        for (size_t log = 0; log < logs.size(); ++log) {
          for (size_t loss = 0; loss < losses.size(); ++loss) {
            const std::string name = std::to_string(log) + "_" + std::to_string(loss);
            const std::string path = side / name;
            CopyTree(side / "source", path);
            losses[loss](path + "/" + logs[log]);
            TwinDatabase db(side, options, path);
            if (db) db.SayContents(name);
          }
        }
      },
      Files::kNamesOnly);
}
#endif

#if BLOOM_LFS_HAS_FLUSH_WAL_OPTIONS
TEST(FlushWalOptionsTwinTest, WhatIsFlushedIsThereAndWhatIsNotIsNot) {
  ExpectTwins([](TwinSide& side) {
    rocksdb::Options options = TwinOptions(side);
    options.manual_wal_flush = true;
    TwinDatabase db(side, options, side / "db");
    for (const bool sync : {false, true}) {
      for (const auto priority : {rocksdb::Env::IO_TOTAL, rocksdb::Env::IO_USER}) {
        const uint64_t from = sync * 200 + (priority == rocksdb::Env::IO_USER) * 100;
        db.Write(from, from + 50);
        SayWals(side, "not flushed", db.get());
        rocksdb::FlushWALOptions flush;
        flush.sync = sync;
        flush.rate_limiter_priority = priority;
        side.Say("flush", db->FlushWAL(flush));
        SayWals(side, "flushed", db.get());
        SayCopy(side, options, "copy" + std::to_string(from));
      }
    }
  });
}
#endif

#if BLOOM_LFS_HAS_REUSE_MANIFEST
TEST(ReusedManifestTwinTest, OpensWithoutANewManifestFindTheLogs) {
  ExpectTwins([](TwinSide& side) {
    rocksdb::Options options = TwinOptions(side);
    options.reuse_manifest_on_open = true;
    for (uint64_t round = 0; round < 5; ++round) {
      TwinDatabase db(side, options, side / "db");
      db.SayContents("opened");
      SayNames(side, "names", side / "db");
      db.Write(100 * round, 100 * round + 60, 2000, 0, round % 2 == 0);
      SayCopy(side, options, "copy" + std::to_string(round));
      if (round % 2 == 1) db.SwitchLog();
    }
  });
}
#endif

#if BLOOM_LFS_HAS_ASYNC_WAL_PRECREATE
TEST(PrecreatedLogsTwinTest, ALogThatIsMadeAheadChangesNothing) {
  ExpectTwins(
      [](TwinSide& side) {
        rocksdb::Options options = TwinOptions(side);
        options.async_wal_precreate = true;
        for (uint64_t round = 0; round < 3; ++round) {
          TwinDatabase db(side, options, side / "db");
          for (uint64_t log = 0; log < 4; ++log) {
            const uint64_t from = 1000 * round + 100 * log;
            db.Write(from, from + 60, 2000, 0, log % 2 == 0);
            SayCopy(side, options, "copy" + std::to_string(from));
            db.SwitchLog();
          }
          db.Write(1000 * round + 900, 1000 * round + 910);
          side.Say("close", db.Close());
        }
        TwinDatabase(side, options, side / "db").SayContents("reopened");
        // Which numbers the logs get is a race between the thread that makes them and the writer.
      },
      Files::kNone);
}
#endif

#if BLOOM_LFS_HAS_BLOB_DIRECT_WRITE
rocksdb::Options DirectWriteOptions(const TwinSide& side) {
  rocksdb::Options options = TwinOptions(side);
  options.enable_blob_files = true;
  options.enable_blob_direct_write = true;
  options.blob_direct_write_partitions = 2;
  options.min_blob_size = 100;
  options.blob_file_size = 200 << 10;
  options.allow_concurrent_memtable_write = false;
  return options;
}

// Sizes by path and by handle, and a read through the handle: RocksDB opens readers early.
void SayOpenBlobFiles(TwinSide& side, const std::string& when) {
  rocksdb::FileSystem& files = *side.env()->GetFileSystem();
  for (const std::string& name : BlobFiles(side / "db")) {
    const std::string path = side / ("db/" + name);
    uint64_t by_path = 0;
    side.Say(when + " size of " + name, files.GetFileSize(path, {}, &by_path, nullptr));
    std::unique_ptr<rocksdb::FSRandomAccessFile> reader;
    side.Say("open", files.NewRandomAccessFile(path, {}, &reader, nullptr));
    uint64_t by_handle = 0;
    side.Say("size", reader->GetFileSize(&by_handle));
    side.Say("by path", by_path);
    side.Say("by handle", by_handle);
    std::string metadata;
    side.Say("metadata", reader->GetFileOpenMetadata(&metadata));
    std::string bytes(by_handle + 1, '\0');
    rocksdb::Slice read;
    side.Say("read", reader->Read(0, bytes.size(), {}, &read, bytes.data(), nullptr));
    side.SayBytes(name, read.ToString());
  }
}

TEST(BlobDirectWriteTwinTest, ValuesAreReadBeforeTheirFileIsClosed) {
  ExpectTwins([](TwinSide& side) {
    const rocksdb::Options options = DirectWriteOptions(side);
    {
      TwinDatabase db(side, options, side / "db");
      for (uint64_t round = 0; round < 4; ++round) {
        db.Write(100 * round, 100 * round + 70, 3000, 0, round % 2 == 0);
        db.SayContents("before the flush");
        SayOpenBlobFiles(side, "before the flush");
        db.Write(100 * round + 70, 100 * round + 90, 50'000);
        db.SayContents("grown");
        if (round % 2 == 1) {
          db.SwitchLog();
          AwaitQuiet(db.get());
          SayOpenBlobFiles(side, "flushed");
        }
      }
      db.SwitchLog();
    }
    TwinDatabase db(side, options, side / "db");
    if (db) db.SayContents("reopened");
  });
}

// RocksDB does not replay what refers to a blob file that no MANIFEST names; the plugin must leave
// it at the same answer.
TEST(BlobDirectWriteTwinTest, ACopyOfTheLivingDatabaseGivesTheSameAnswer) {
  ExpectTwins([](TwinSide& side) {
    const rocksdb::Options options = DirectWriteOptions(side);
    TwinDatabase db(side, options, side / "db");
    db.Write(0, 50, 3000, 0, true);
    db.SwitchLog();
    SayCopy(side, options, "flushed");
    db.Write(100, 150, 3000, 0, true);
    SayCopy(side, options, "not_flushed");
  });
}
#endif

#if BLOOM_LFS_HAS_OPEN_CONTRACT
TEST(OpenContractTwinTest, FilesWithAContractHaveTheirBytes) {
  using rocksdb::FileOpenContract;
  ExpectTwins([](TwinSide& side) {
    rocksdb::FileSystem& files = *side.env()->GetFileSystem();
    rocksdb::FileOptions options;
    options.open_contract =
        FileOpenContract::kNoReopenForWrite | FileOpenContract::kNoReadersWhileOpenForWrite;
    for (const std::string name : {"000007.log", "000008.blob", "000009.sst"}) {
      std::unique_ptr<rocksdb::FSWritableFile> file;
      side.Say("create", files.NewWritableFile(side / name, options, &file, nullptr));
      for (int piece = 0; piece < 9; ++piece) {
        side.Say("append",
                 file->Append(std::string(7000, static_cast<char>('a' + piece)), {}, nullptr));
      }
      side.Say("sync", file->Sync({}, nullptr));
      side.Say("close", file->Close({}, nullptr));
      side.Say("sync by path", files.SyncFile(side / name, options, {}, true, nullptr));
      side.SayBytes(name, ReadFile(side / name));
    }
    side.Say("sync nothing", files.SyncFile(side / "000010.log", options, {}, false, nullptr));
  });
}
#endif

}  // namespace
}  // namespace bloom_lfs::test

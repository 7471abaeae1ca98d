// Files of a live database that somebody copies by other means than its FileSystem: cp, rsync,
// snapshots. What stock's files would hold at that moment, the plugin's hold too.

#include <gtest/gtest.h>
#include <rocksdb/utilities/backup_engine.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "plugin/rocksdb_versions.h"
#include "tests/support/files.h"
#include "tests/twin/twin_database.h"

namespace bloom_lfs::test {
namespace {

namespace fs = std::filesystem;

constexpr rocksdb::WALRecoveryMode kRecoveryModes[] = {
    rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords,
    rocksdb::WALRecoveryMode::kAbsoluteConsistency, rocksdb::WALRecoveryMode::kPointInTimeRecovery,
    rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords};

// As cp does it: whole files, whatever the FileSystem says.
void CopyWhole(const std::string& from, const std::string& to) {
  fs::create_directories(to);
  for (const auto& entry : fs::directory_iterator(from)) {
    if (entry.is_regular_file() && entry.path().filename() != "LOCK") {
      fs::copy_file(entry.path(), to + "/" + entry.path().filename().string());
    }
  }
}

// Opens a copy without the plugin, as who restores it may, in every recovery mode.
void SayCopy(TwinSide& side, const std::string& what, const std::string& copy) {
  for (const rocksdb::WALRecoveryMode mode : kRecoveryModes) {
    const std::string opened = copy + "." + std::to_string(static_cast<int>(mode));
    fs::copy(copy, opened);
    rocksdb::Options options = TwinOptions(side);
    options.env = rocksdb::Env::Default();
    options.wal_recovery_mode = mode;
    std::unique_ptr<rocksdb::DB> db;
    const rocksdb::Status status = rocksdb::DB::OpenForReadOnly(options, opened, OpenInto(&db));
    side.Say(what + ", mode " + std::to_string(static_cast<int>(mode)), status);
    if (status.ok()) side.SayContents(what, db.get());
    db.reset();
    fs::remove_all(opened);
  }
  fs::remove_all(copy);
}

struct Workload {
  const char* name;
  uint64_t rows;
  size_t row_bytes;
  uint64_t sync_every;  // 0: never
  bool manual_flush;
};
constexpr Workload kWorkloads[] = {{"Unsynced", 300, 100, 0, false},
                                   {"UnsyncedMuch", 1000, 8000, 0, false},  // rings go round
                                   {"Synced", 60, 100, 1, false},
                                   {"SyncedNowAndThen", 100, 3000, 7, false},
                                   {"ManualFlush", 300, 100, 0, true}};

class CopiedFilesTwinTest : public testing::TestWithParam<Workload> {
 protected:
  static rocksdb::Options OptionsOf(const TwinSide& side) {
    rocksdb::Options options = TwinOptions(side);
    options.manual_wal_flush = GetParam().manual_flush;
    return options;
  }
  static void Write(TwinDatabase& db, uint64_t from, uint64_t to) {
    for (uint64_t row = from; row < to; ++row) {
      const bool sync = GetParam().sync_every > 0 && row % GetParam().sync_every == 0;
      db.Write(row, row + 1, GetParam().row_bytes, 0, sync);
    }
  }
};

INSTANTIATE_TEST_SUITE_P(All, CopiedFilesTwinTest, testing::ValuesIn(kWorkloads),
                         [](const auto& param_info) { return std::string(param_info.param.name); });

TEST_P(CopiedFilesTwinTest, ALockedLogIsInItsFile) {
  if (!kLockWalFlushesTheLog && !GetParam().manual_flush) {
    GTEST_SKIP() << "LockWAL calls nothing in this version";
  }
  ExpectTwins([](TwinSide& side) {
    TwinDatabase db(side, OptionsOf(side), side / "db");
    for (uint64_t round = 0; round < 3; ++round) {
      // One row more each time: a copy right behind a sync, one row later, two rows later.
      Write(db, round * GetParam().rows, (round + 1) * GetParam().rows + round);
      side.Say("LockWAL", db->LockWAL());
      CopyWhole(side / "db", side / "copy");
      side.Say("UnlockWAL", db->UnlockWAL());
      SayCopy(side, "copy", side / "copy");
    }
  });
}

// The procedure of RocksDB's documentation for tools that copy by themselves.
TEST_P(CopiedFilesTwinTest, ListedSizesAreInTheFiles) {
  ExpectTwins([](TwinSide& side) {
    TwinDatabase db(side, OptionsOf(side), side / "db");
    for (uint64_t round = 0; round < 3; ++round) {
      Write(db, round * GetParam().rows, (round + 1) * GetParam().rows + round);
      side.Say("FlushWAL", db->FlushWAL(false));
      Require(db->DisableFileDeletions());
      rocksdb::VectorLogPtr logs;
      side.Say("GetSortedWalFiles", db->GetSortedWalFiles(logs));
      CopyWhole(side / "db", side / "copy");
      for (const auto& log : logs) {
        const std::string copied = side / "copy" + log->PathName();
        side.Say("listed", log->SizeFileBytes());
        side.Say("copied less",
                 static_cast<uint64_t>(fs::file_size(copied) < log->SizeFileBytes()));
        fs::resize_file(copied, log->SizeFileBytes());
      }
      Require(EnableFileDeletions(db.get()));
      SayCopy(side, "copy", side / "copy");
    }
  });
}

TEST_P(CopiedFilesTwinTest, StorageInfoIsInTheFiles) {
  ExpectTwins([](TwinSide& side) {
    TwinDatabase db(side, OptionsOf(side), side / "db");
    Write(db, 0, GetParam().rows);
    rocksdb::LiveFilesStorageInfoOptions options;
    options.wal_size_for_flush = UINT64_MAX;
    std::vector<rocksdb::LiveFileStorageInfo> files;
    Require(db->GetLiveFilesStorageInfo(options, &files));
    fs::create_directories(side / "copy");
    for (const auto& file : files) {
      const std::string to = side / "copy/" + file.relative_filename;
      if (!file.replacement_contents.empty()) {
        WriteFile(to, file.replacement_contents);
        continue;
      }
      fs::copy_file(file.directory + "/" + file.relative_filename, to);
      if (file.trim_to_size) {
        side.Say("copied less", static_cast<uint64_t>(fs::file_size(to) < file.size));
        fs::resize_file(to, file.size);
      }
    }
    SayCopy(side, "copy", side / "copy");
  });
}

TEST_P(CopiedFilesTwinTest, SizesByPathAreInTheFiles) {
  ExpectTwins([](TwinSide& side) {
    TwinDatabase db(side, OptionsOf(side), side / "db");
    Write(db, 0, GetParam().rows);
    side.Say("FlushWAL", db->FlushWAL(false));
    const std::string log = NewestLog(side / "db");
    uint64_t size = 0;
    Require(side.env()->GetFileSize(log, &size));
    side.Say("size", size);
    side.Say("less in the file", static_cast<uint64_t>(fs::file_size(log) < size));
    Write(db, GetParam().rows, GetParam().rows + 5);
    side.Say("FlushWAL", db->FlushWAL(false));
    std::vector<rocksdb::Env::FileAttributes> attributes;
    Require(side.env()->GetChildrenFileAttributes(side / "db", &attributes));
    for (const auto& file : attributes) {
      if (file.name == fs::path(log).filename()) {
        side.Say("size in the list", file.size_bytes);
        side.Say("less in the file", static_cast<uint64_t>(fs::file_size(log) < file.size_bytes));
      }
    }
  });
}

}  // namespace
}  // namespace bloom_lfs::test

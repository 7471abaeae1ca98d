#include "tests/support/quiet_database.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "plugin/rocksdb_versions.h"
#include "tests/support/workload.h"

namespace bloom_lfs::test {

rocksdb::Options QuietOptions(rocksdb::Env* env, const Tweak& tweak) {
  rocksdb::Options options;
  options.env = env;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.compression = rocksdb::kNoCompression;
  options.disable_auto_compactions = true;
  options.write_buffer_size = 256 << 20;
  options.max_file_opening_threads = 1;  // the default starts 16 for every opening
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  if (tweak) tweak(&options);
  return options;
}

QuietDatabase::QuietDatabase(const rocksdb::Options& options, const std::string& path,
                             const std::vector<std::string>& more_families, Access access) {
  std::vector<rocksdb::ColumnFamilyDescriptor> families = {
      {rocksdb::kDefaultColumnFamilyName, options}};
  for (const std::string& name : more_families) families.emplace_back(name, options);
  Require(access == Access::kReadWrite
              ? rocksdb::DB::Open(options, path, families, &families_, OpenInto(&db_))
              : rocksdb::DB::OpenForReadOnly(options, path, families, &families_, OpenInto(&db_)));
}

QuietDatabase::~QuietDatabase() {
  for (rocksdb::ColumnFamilyHandle* family : families_) {
    db_->DestroyColumnFamilyHandle(family).PermitUncheckedError();
  }
}

void QuietDatabase::SayContents(TwinSide& side, const std::string& when) const {
  for (rocksdb::ColumnFamilyHandle* family : families_) {
    side.SayContents(family->GetName() + " " + when, db_.get(), family);
  }
}

void QuietDatabase::Flush(size_t family) {
  Require(db_->Flush(rocksdb::FlushOptions(), families_.at(family)));
  AwaitQuiet(db_.get());
}

void AwaitQuiet(rocksdb::DB* db) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  for (const std::string& property : {rocksdb::DB::Properties::kNumRunningFlushes,
                                      rocksdb::DB::Properties::kNumRunningCompactions}) {
    uint64_t running = 1;
    while (db->GetIntProperty(property, &running) && running > 0) {
      if (std::chrono::steady_clock::now() > give_up) {
        throw std::runtime_error(property + " is still " + std::to_string(running));
      }
      std::this_thread::yield();
    }
  }
}

void AwaitDeletions(rocksdb::DB* db) {
  // Of RocksDB's methods this one waits for them; what it lists is of no interest.
  rocksdb::VectorLogPtr logs;
  Require(db->GetSortedWalFiles(logs));
}

std::string RowKey(uint32_t row) { return "row-" + std::to_string(1000000 + row); }

std::string RowValue(uint32_t row, uint32_t version, uint64_t size_max) {
  Random random(MixSeed(row, version));
  return MakeValue(random.Next(), random.Skewed(1, size_max));
}

void PutRows(rocksdb::DB* db, rocksdb::ColumnFamilyHandle* family, const Rows& rows) {
  for (uint32_t row = rows.from; row < rows.to; ++row) {
    rocksdb::WriteOptions write_options;
    write_options.sync = rows.sync_every != 0 && row % rows.sync_every == 0;
    Require(
        db->Put(write_options, family, RowKey(row), RowValue(row, rows.version, rows.size_max)));
  }
}

std::vector<std::string> BlobFiles(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() == ".blob") names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

void SayWals(TwinSide& side, const std::string& when, rocksdb::DB* db) {
  rocksdb::VectorLogPtr wals;
  side.Say("WALs " + when, db->GetSortedWalFiles(wals));
  for (const auto& wal : wals) {
    side.Say(wal->PathName() + (wal->Type() == rocksdb::kArchivedLogFile ? " archived" : " alive") +
                 ", first sequence number " + std::to_string(wal->StartSequence()),
             wal->SizeFileBytes());
  }
}

}  // namespace bloom_lfs::test

#include "tests/support/database.h"

#include <rocksdb/convenience.h>

#include <algorithm>
#include <stdexcept>

#include "plugin/rocksdb_versions.h"
#include "tests/support/workload.h"

namespace bloom_lfs::test {
namespace {

std::string Key(uint32_t row) { return "row-" + std::to_string(1000000 + row); }

// Mostly small; every hundredth row is larger than the ring of a WAL.
std::string Value(uint32_t row, uint32_t version) {
  Random random(MixSeed(row, version));
  const size_t size = row % 100 == 99 ? (9 << 20) + random.Below(1 << 20) : random.Skewed(1, 30000);
  return MakeValue(random.Next(), size);
}

}  // namespace

void Require(const rocksdb::Status& s) {
  if (!s.ok()) throw std::runtime_error(s.ToString());
}

bool Supports(rocksdb::CompressionType type) {
  const std::vector<rocksdb::CompressionType> all = rocksdb::GetSupportedCompressions();
  return std::find(all.begin(), all.end(), type) != all.end();
}

rocksdb::Options DatabaseOptions(rocksdb::Env* env, const Tweak& tweak) {
  rocksdb::Options options;
  options.env = env;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.compression = rocksdb::kNoCompression;
  options.disable_auto_compactions = true;
  options.write_buffer_size = 256 << 20;
  if (tweak) tweak(&options);
  return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> DatabaseFamilies(const rocksdb::Options& options) {
  return {{rocksdb::kDefaultColumnFamilyName, options}, {"pinned", options}};
}

Database::Database(const std::string& path, With with, const Tweak& tweak, Mode mode) : env_(with) {
  const rocksdb::Options options = DatabaseOptions(env_.get(), tweak);
  const auto families = DatabaseFamilies(options);
  switch (mode) {
    case Mode::kReadWrite:
      Require(rocksdb::DB::Open(options, path, families, &families_, OpenInto(&db_)));
      break;
    case Mode::kReadOnly:
      Require(rocksdb::DB::OpenForReadOnly(options, path, families, &families_, OpenInto(&db_)));
      break;
    case Mode::kSecondary:
      Require(rocksdb::DB::OpenAsSecondary(options, path, path + ".secondary", families, &families_,
                                           OpenInto(&db_)));
      break;
  }
}

Database::~Database() {
  for (rocksdb::ColumnFamilyHandle* family : families_) db_->DestroyColumnFamilyHandle(family);
}

void Database::Write(uint32_t from, uint32_t to, uint32_t version, bool sync) {
  rocksdb::WriteOptions write_options;
  write_options.sync = sync;
  for (uint32_t row = from; row < to; ++row) {
    Require(db_->Put(write_options, Family(row), Key(row), Value(row, version)));
  }
}

void Database::SwitchLog() {
  Require(db_->Put(rocksdb::WriteOptions(), "switch", "log"));
  Require(db_->Flush(rocksdb::FlushOptions()));
}

std::string Database::Missing(uint32_t from, uint32_t to, uint32_t version) const {
  for (uint32_t row = from; row < to; ++row) {
    std::string value;
    const rocksdb::Status s = db_->Get(rocksdb::ReadOptions(), Family(row), Key(row), &value);
    if (!s.ok()) return "row " + std::to_string(row) + ": " + s.ToString();
    if (value != Value(row, version)) return "row " + std::to_string(row) + " has another value";
  }
  return "";
}

}  // namespace bloom_lfs::test

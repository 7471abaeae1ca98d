#include "tests/support/row_database.h"

#include <cstdarg>

#include "plugin/rocksdb_versions.h"
#include "tests/support/workload.h"

namespace bloom_lfs::test {
namespace {

std::string Key(int row) { return "row-" + std::to_string(10000 + row); }

std::string Value(int row) {
  Random random(static_cast<uint64_t>(row));
  return MakeValue(static_cast<uint64_t>(row), random.Skewed(10, 100000));
}

// RocksDB's debug builds abort when their own info log cannot be written.
class SilentLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

rocksdb::Options RowOptions(const TestEnv& env) {
  rocksdb::Options options;
  options.env = env.get();
  options.info_log = std::make_shared<SilentLogger>();
  options.create_if_missing = true;
  options.compression = rocksdb::kNoCompression;
  return options;
}

}  // namespace

rocksdb::Status OpenRows(const TestEnv& env, const std::string& path,
                         std::unique_ptr<rocksdb::DB>* result, bool one_log) {
  result->reset();
  rocksdb::Options options = RowOptions(env);
  options.write_buffer_size = one_log ? 1 << 30 : 1 << 20;
  options.avoid_flush_during_recovery = one_log;
  return rocksdb::DB::Open(options, path, OpenInto(result));
}

rocksdb::Status OpenRowsForReading(const TestEnv& env, const std::string& path,
                                   std::unique_ptr<rocksdb::DB>* result) {
  result->reset();
  return rocksdb::DB::OpenForReadOnly(RowOptions(env), path, OpenInto(result));
}

rocksdb::Status PutRow(rocksdb::DB* db, int row, bool sync) {
  rocksdb::WriteOptions write_options;
  write_options.sync = sync;
  return db->Put(write_options, Key(row), Value(row));
}

std::string CheckRows(rocksdb::DB* db, int rows) {
  for (int row = 0; row < rows; ++row) {
    std::string value;
    const rocksdb::Status status = db->Get(rocksdb::ReadOptions(), Key(row), &value);
    if (!status.ok() || value != Value(row)) {
      return "row " + std::to_string(row) + " of " + std::to_string(rows) + ": " +
             (status.ok() ? "another value" : status.ToString());
    }
  }
  return "ok";
}

}  // namespace bloom_lfs::test

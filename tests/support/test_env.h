// The one place that knows how the tests reach the plugin.

#pragma once

#include <rocksdb/env.h>
#include <rocksdb/options.h>

#include <memory>
#include <string>

namespace bloom_lfs::test {

// The FileSystem URI under test: "bloom_lfs", or what BLOOM_LFS_TEST_URI says. Setting that to the
// empty string runs the tests on stock RocksDB, which shows whether a test asks for more than
// RocksDB promises.
std::string FsUri();

// False when the tests run on stock RocksDB.
bool PluginUnderTest();

// Which FileSystem a database is opened with.
enum class With { kStock, kPlugin };

const char* Name(With with);

// An Env and what keeps it alive. Every plugin Env is a new object, as in a real program.
class TestEnv {
 public:
  explicit TestEnv(With with);
  // From any URI; throws std::runtime_error with RocksDB's message if it is refused.
  explicit TestEnv(const std::string& fs_uri);

  rocksdb::Env* get() const { return env_; }
  rocksdb::Env* operator->() const { return env_; }

 private:
  std::shared_ptr<rocksdb::Env> guard_;
  rocksdb::Env* env_ = nullptr;
};

}  // namespace bloom_lfs::test

// A thousand databases in one process: memory, descriptors and threads that the plugin adds.
#include <dirent.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <sys/resource.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "lss/ring/ring_budget.h"
#include "plugin/default_runtime.h"
#include "plugin/rocksdb_versions.h"
#include "tests/support/database.h"
#include "tests/support/deferred_work.h"
#include "tests/support/temp_dir.h"
#include "tests/support/workload.h"

namespace bloom_lfs::test {
namespace {

constexpr uint64_t kBudget = 512ULL << 20;  // the default of ring_budget_bytes

#if defined(__SANITIZE_ADDRESS__)
constexpr size_t kDatabases = 150;  // a thousand take ten times as long
#else
constexpr size_t kDatabases = 1000;
#endif

size_t CountEntries(const std::string& directory) {
  size_t count = 0;
  DIR* dir = opendir(directory.c_str());
  while (dir != nullptr && readdir(dir) != nullptr) {
    ++count;
  }
  if (dir != nullptr) {
    closedir(dir);
  }
  return count;
}

size_t Descriptors() { return CountEntries("/proc/self/fd"); }
size_t Threads() { return CountEntries("/proc/self/task"); }

// Open databases, each with one live log. All share one Env, as those of one program do.
class Databases {
 public:
  Databases(const std::string& directory, With with, size_t count) : env_(with) {
    for (size_t i = 0; i < count; ++i) {
      std::unique_ptr<rocksdb::DB> db;
      Require(rocksdb::DB::Open(Options(), directory + std::to_string(i), OpenInto(&db)));
      all_.push_back(std::move(db));
    }
  }
  rocksdb::Options Options() const {
    rocksdb::Options options;
    options.env = env_.get();
    options.create_if_missing = true;
    options.max_open_files = 16;
    options.max_file_opening_threads = 1;
    options.write_buffer_size = 1 << 20;
    options.stats_dump_period_sec = 0;
    options.enable_blob_files = true;
    return options;
  }
  void PutInEach(uint64_t round, bool sync) {
    rocksdb::WriteOptions write;
    write.sync = sync;
    for (size_t i = 0; i < all_.size(); ++i) {
      Require(all_[i]->Put(write, "key" + std::to_string(round), MakeValue(i + round, 700)));
    }
  }
  void Check(uint64_t round) {
    for (size_t i = 0; i < all_.size(); ++i) {
      std::string value;
      Require(all_[i]->Get(rocksdb::ReadOptions(), "key" + std::to_string(round), &value));
      ASSERT_EQ(value, MakeValue(i + round, 700)) << "database " << i;
    }
  }
  rocksdb::DB* operator[](size_t i) { return all_[i].get(); }

 private:
  TestEnv env_;
  std::vector<std::unique_ptr<rocksdb::DB>> all_;
};

size_t DatabasesWithinLimits() {
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  // Ten descriptors each, and some for everybody.
  return std::min<size_t>(kDatabases, limit.rlim_cur / 10 - 10);
}

TEST(ManyDatabasesTest, RingsStayWithinTheBudgetAndEveryDatabaseIsServed) {
  const TempDir dir;
  const size_t count = DatabasesWithinLimits();
  ASSERT_GE(count, 90U) << "too few descriptors allowed for this test";
  Databases databases(dir / "db", With::kPlugin, count);
  EXPECT_LE(DefaultRingBudget()->bytes_in_use(), kBudget);
  databases.PutInEach(0, /*sync=*/true);
  for (uint64_t round = 1; round < 4; ++round) {
    databases.PutInEach(round, /*sync=*/false);
  }
  EXPECT_LE(DefaultRingBudget()->bytes_in_use(), kBudget);
  EXPECT_GT(DefaultRingBudget()->bytes_in_use(), count * 8192) << "each has a ring";
  for (uint64_t round = 0; round < 4; ++round) {
    databases.Check(round);
  }
  // The last one got the smallest ring; a bulk load and a flush with blobs must go through it.
  for (uint64_t i = 0; i < 50; ++i) {
    Require(databases[count - 1]->Put(rocksdb::WriteOptions(), "bulk" + std::to_string(i),
                                      MakeValue(i, 100000)));
  }
  Require(databases[count - 1]->Flush(rocksdb::FlushOptions()));
  std::string value;
  Require(databases[count - 1]->Get(rocksdb::ReadOptions(), "bulk7", &value));
  EXPECT_EQ(value, MakeValue(7, 100000));
  EXPECT_LE(DefaultRingBudget()->bytes_in_use(), kBudget);
}

TEST(ManyDatabasesTest, OneMoreDescriptorPerLiveFileAndNoThreadPerFile) {
  constexpr size_t kFew = 60;
  const TempDir dir;
  size_t stock_descriptors = 0;
  {
    Databases warm_up(dir / "warm_stock", With::kStock, 1);  // what is made once per process
    warm_up.PutInEach(0, true);
    const size_t before = Descriptors();
    Databases databases(dir / "stock", With::kStock, kFew);
    databases.PutInEach(0, true);
    stock_descriptors = Descriptors() - before;
  }
  Databases warm_up(dir / "warm_plugin", With::kPlugin, 1);
  for (uint64_t round = 0; round < 5; ++round) {
    warm_up.PutInEach(round, true);
  }
  AwaitDeferredWork();
  const size_t before = Descriptors();
  const size_t threads_before = Threads();
  Databases databases(dir / "plugin", With::kPlugin, kFew);
  for (uint64_t round = 0; round < 5; ++round) {
    databases.PutInEach(round, true);
  }
  AwaitDeferredWork();
  EXPECT_LE(Descriptors() - before, stock_descriptors + kFew);
  // A flusher, if nobody had filled a buffer before; and more for deferred work if there was much.
  EXPECT_LE(Threads(), threads_before + lss::Maintenance::kThreadsMax);
}

}  // namespace
}  // namespace bloom_lfs::test

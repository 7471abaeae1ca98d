// The flash tier under RocksDB: the same answers, fewer reads, warm after a restart and a kill.
#include "plugin/flash/flash_cache.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <random>
#include <string>

#include "plugin/flash/flash_by_environment.h"
#include "plugin/rocksdb_versions.h"
#include "rocksdb/cache.h"
#include "rocksdb/convenience.h"
#include "rocksdb/db.h"
#include "rocksdb/sst_file_writer.h"
#include "rocksdb/table.h"
#include "tests/support/flash_fixture.h"

namespace bloom_lfs {
namespace {

namespace fs = std::filesystem;
using rocksdb::ReadOptions;
using rocksdb::WriteOptions;

using FlashCacheTest = FlashFixture;

// Whether a cache of class Made cannot be made from the text, and the error names the option.
template <typename Made>
void ExpectRefused(const std::string& text, const std::string& option) {
  std::shared_ptr<Made> cache;
  const rocksdb::Status status = Made::CreateFromString(rocksdb::ConfigOptions(), text, &cache);
  EXPECT_FALSE(status.ok()) << text;
  EXPECT_NE(status.ToString().find(option), std::string::npos) << status.ToString();
}

TEST_F(FlashCacheTest, BlocksThatLeaveTheBlockCacheComeFromTheTier) {
  Open(true);
  Fill(0, kRows);
  ReadAll(0, kRows);
  const uint64_t before = Hits();
  ReadAll(0, kRows);
  EXPECT_GT(Hits() - before, kBlocks / 2);
}

TEST_F(FlashCacheTest, TheTierIsWarmAfterARestart) {
  Open(true);
  Fill(0, kRows);
  ReadAll(0, kRows);
  Open(true);
  ReadAll(0, kRows);
  EXPECT_GT(Hits(), kBlocks * 8 / 10);
}

TEST_F(FlashCacheTest, TheTierIsWarmAfterAKill) {
  Open(true);
  Fill(0, kRows);
  CloseAll();
  const pid_t child = fork();
  if (child == 0) {
    std::unique_ptr<rocksdb::DB> db;
    const rocksdb::Status status =
        rocksdb::DB::Open(MakeOptions(true), directory_ / "db", OpenInto(&db));
    if (!status.ok() || !tier_->store()->AwaitOpen()) {
      _exit(1);
    }
    std::string value;
    for (uint64_t number = 0; number < kRows; ++number) {
      db->Get(ReadOptions(), RowKey(number), &value);
    }
    for (int i = 0; i < 3; ++i) {
      tier_->store()->AwaitIdle();
    }
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  Open(true);
  ReadAll(0, kRows);
  // A ring of 4 MiB may be gone, of 8.
  EXPECT_GT(Hits(), kBlocks * 4 / 10);
}

TEST_F(FlashCacheTest, MultiGetReadsItsBlocksTogether) {
  Open(true);
  Fill(0, kRows);
  ReadAll(0, kRows);
  const uint64_t before = Hits();
  for (uint64_t begin = 0; begin < kRows; begin += 500) {
    std::vector<std::string> names;
    for (uint64_t i = 0; i < 32; ++i) {
      names.push_back(RowKey((begin + i * 601) % kRows));
    }
    std::vector<rocksdb::Slice> keys(names.begin(), names.end());
    std::vector<rocksdb::PinnableSlice> values(keys.size());
    std::vector<rocksdb::Status> statuses(keys.size());
    db_->MultiGet(ReadOptions(), db_->DefaultColumnFamily(), keys.size(), keys.data(),
                  values.data(), statuses.data());
    for (uint64_t i = 0; i < keys.size(); ++i) {
      ASSERT_TRUE(statuses[i].ok());
      ASSERT_EQ(values[i].ToString(), RowValue((begin + i * 601) % kRows));
    }
  }
  EXPECT_GT(Hits() - before, 500U);
}

TEST_F(FlashCacheTest, TwoDatabasesShareATier) {
  Open(true);
  Fill(0, kRows / 2);
  std::unique_ptr<rocksdb::DB> other;
  ASSERT_TRUE(rocksdb::DB::Open(MakeOptions(true), directory_ / "other", OpenInto(&other)).ok());
  for (uint64_t number = 0; number < kRows / 2; ++number) {
    ASSERT_TRUE(other->Put(WriteOptions(), RowKey(number), "other").ok());
  }
  ASSERT_TRUE(other->Flush({}).ok());
  std::string value;
  for (int round = 0; round < 2; ++round) {
    ReadAll(0, kRows / 2);
    for (uint64_t number = 0; number < kRows / 2; ++number) {
      ASSERT_TRUE(other->Get(ReadOptions(), RowKey(number), &value).ok());
      ASSERT_EQ(value, "other");
    }
  }
}

// What they share stays warm for both; their later files have the same names.
TEST_F(FlashCacheTest, CopiesThatWentTheirOwnWaysGetTheirOwnRows) {
  constexpr uint64_t kAll = kRows / 2;
  constexpr uint64_t kOwn = kAll / 2;
  Open(true);
  Fill(0, kAll);
  ReadAll(0, kAll);
  CloseAll();
  fs::copy(directory_ / "db", directory_ / "copy", fs::copy_options::recursive);
  for (const uint64_t salt : {1, 2}) {
    Open(true, salt == 1 ? "db" : "copy");
    ReadAll(0, kAll);
    EXPECT_GT(Hits(), kBlocks / 4) << "of what they share";
    Fill(0, kOwn, salt);
    ReadAll(0, kOwn, salt);
    const uint64_t before = Hits();
    ReadAll(0, kOwn, salt);
    EXPECT_GT(Hits() - before, kBlocks / 16);
  }
  for (const uint64_t salt : {1, 2}) {
    Open(true, salt == 1 ? "db" : "copy");
    ReadAll(0, kOwn, salt);
    ReadAll(kOwn, kAll);
    EXPECT_GT(Hits(), kBlocks / 4);
  }
}

#if !BLOOM_LFS_HAS_CREATE_CONTEXT
// RocksDB 7.8 has a second block cache, of compressed blocks, under the keys of the first.
TEST_F(FlashCacheTest, ACacheOfCompressedBlocksGetsNothing) {
  tier_ = std::make_shared<FlashCache>(flash_);
  const auto cache_of = [this](size_t bytes) {
    rocksdb::LRUCacheOptions cache;
    cache.capacity = bytes;
    cache.num_shard_bits = 0;
    cache.secondary_cache = tier_;
    return rocksdb::NewLRUCache(cache);
  };
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache_of(1 << 20);
  table.block_cache_compressed = cache_of(512 << 10);
  rocksdb::Options options = MakeOptions(false);
  options.compression = rocksdb::kSnappyCompression;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  ASSERT_TRUE(rocksdb::DB::Open(options, directory_ / "db", OpenInto(&db_)).ok());
  ASSERT_TRUE(tier_->store()->AwaitOpen());
  Fill(0, kRows);
  for (int round = 0; round < 3; ++round) {
    ReadAll(0, kRows);
  }
  EXPECT_GT(Hits(), kBlocks) << "the other one is served";
}
#else
TEST_F(FlashCacheTest, ABlockCacheOnATierIsMadeFromAnOptionString) {
  const std::string tier = "path=" + flash_.path + ";size=64M;memory=8M";
  for (const char* kind : {"lru", "hyper_clock"}) {
    rocksdb::Options options = MakeOptions(false);
    const rocksdb::Status status = rocksdb::GetOptionsFromString(
        rocksdb::ConfigOptions(), options,
        "block_based_table_factory={block_cache={id=bloom_lfs_flash://;capacity=1M;cache=" +
            std::string(kind) + ";" + tier + "}}",
        &options);
    ASSERT_TRUE(status.ok()) << status.ToString();
    const auto* const table = options.table_factory->GetOptions<rocksdb::BlockBasedTableOptions>();
    EXPECT_STREQ(table->block_cache->Name(), "bloom_lfs_flash");
    EXPECT_EQ(table->block_cache->GetCapacity(), 1U << 20);
    ASSERT_TRUE(rocksdb::DB::Open(options, directory_ / "db", OpenInto(&db_)).ok());
    tier_ = std::make_shared<FlashCache>(flash_);  // shares the store
    ASSERT_TRUE(tier_->store()->AwaitOpen());
    Fill(0, kRows);
    ReadAll(0, kRows);
    const uint64_t before = Hits();
    ReadAll(0, kRows);
    EXPECT_GT(Hits(), before + kBlocks / 2) << kind;
    CloseAll();
  }
}

TEST_F(FlashCacheTest, ABlockCacheOfBadOptionsIsRefusedByName) {
  const auto refused = [](const std::string& text, const std::string& option) {
    ExpectRefused<rocksdb::Cache>("id=bloom_lfs_flash://;" + text, option);
  };
  refused("capacity=1M", "path");
  refused("path=/tmp/x;size=1", "size");
  refused("path=/tmp/x;size=128M;cache=magic", "lru, hyper_clock");
}
#endif

// What the loader does for programs that say nothing of it. The variable is read once.
TEST_F(FlashCacheTest, TheEnvironmentPutsATierUnderCaches) {
  const std::string text = "path=" + flash_.path + ";size=64M;memory=8M";
  setenv("BLOOM_LFS_FLASH", text.c_str(), 1);
  rocksdb::LRUCacheOptions small;
  small.capacity = 1 << 20;
  small.num_shard_bits = 0;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = OnFlash(
      small, [](const rocksdb::LRUCacheOptions& options) { return rocksdb::NewLRUCache(options); });
  rocksdb::Options options = MakeOptions(false);
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  ASSERT_TRUE(rocksdb::DB::Open(options, directory_ / "db", OpenInto(&db_)).ok());
  tier_ = std::make_shared<FlashCache>(flash_);  // shares the store
  ASSERT_TRUE(tier_->store()->AwaitOpen());
  Fill(0, kRows);
  ReadAll(0, kRows);
  const uint64_t before = Hits();
  ReadAll(0, kRows);
  EXPECT_GT(Hits(), before + kBlocks / 2);
  // Who has a secondary cache keeps it.
  small.secondary_cache = tier_;
  static const rocksdb::SecondaryCache* kept = nullptr;
  OnFlash(small, [](const rocksdb::LRUCacheOptions& given) {
    kept = given.secondary_cache.get();
    return std::shared_ptr<rocksdb::Cache>();
  });
  EXPECT_EQ(kept, tier_.get());
  db_.reset();
  unsetenv("BLOOM_LFS_FLASH");
}

TEST_F(FlashCacheTest, IsMadeFromItsName) {
  std::shared_ptr<rocksdb::SecondaryCache> cache;
  const std::string text =
      "id=bloom_lfs_flash;path=" + flash_.path +
      ";size=128M;memory=16M;policy=lru;write_rate=1M;admit=all;io_uring=false";
  rocksdb::Status status =
      rocksdb::SecondaryCache::CreateFromString(rocksdb::ConfigOptions(), text, &cache);
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_STREQ(cache->Name(), "bloom_lfs_flash");
  const std::string printed = cache->GetPrintableOptions();
  EXPECT_NE(printed.find("size: 134217728\n"), std::string::npos) << printed;
  EXPECT_NE(printed.find("policy: lru\n"), std::string::npos) << printed;
  EXPECT_NE(access(flash_.path.c_str(), F_OK), 0) << "nothing is made before it is used";
}

TEST_F(FlashCacheTest, BadOptionsAreRefusedByName) {
  const auto refused = [](const std::string& text, const std::string& option) {
    ExpectRefused<rocksdb::SecondaryCache>("id=bloom_lfs_flash;" + text, option);
  };
  refused("size=128M", "path");
  refused("path=/tmp/x;size=1", "size");
  refused("path=/tmp/x;size=128M;policy=magic", "s3_fifo, lru");
  refused("path=/tmp/x;size=128M;admit=1", "reused");
  refused("path=/tmp/x;size=128M;memory=lots", "memory");
  refused("path=/tmp/x;size=128M;io_uring=maybe", "io_uring");
}

TEST_F(FlashCacheTest, ADirectoryThatCannotBeUsedCostsNothingButTheTier) {
  flash_.path = "/proc/no/such/place";
  CloseAll();
  ASSERT_TRUE(rocksdb::DB::Open(MakeOptions(true), directory_ / "db", OpenInto(&db_)).ok());
  Fill(0, 2000);
  ReadAll(0, 2000);
  EXPECT_FALSE(tier_->store()->AwaitOpen());
  ReadAll(0, 2000);
  EXPECT_STREQ(tier_->figures().state, "off");
}

}  // namespace
}  // namespace bloom_lfs

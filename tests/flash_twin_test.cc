// One database on the flash tier and one without it: after the same operations they give the same
// answers. The tier is full, its log goes round under the database's blocks, and it is closed and
// recovers now and then.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "plugin/flash/flash_cache.h"
#include "rocksdb/cache.h"
#include "rocksdb/db.h"
#include "rocksdb/sst_file_writer.h"
#include "rocksdb/table.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs {
namespace {

using rocksdb::ColumnFamilyHandle;
using rocksdb::Status;

constexpr uint64_t kKeys = 8000;

std::string KeyOf(uint64_t number) {
  std::string key = std::to_string(number % kKeys);
  return std::string(16 - key.size(), '0') + key;
}

std::string ValueOf(uint64_t number) {
  std::string value;
  std::mt19937_64 random(number);
  while (value.size() < 400) {
    value += static_cast<char>('a' + random() % 26);
  }
  return value;
}

// A database with three column families, the last of which comes and goes.
class Side {
 public:
  explicit Side(std::string path) : path_(std::move(path)) {}
  ~Side() { Close(); }
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;

  // Without a tier if `tier` is null.
  void Open(const std::shared_ptr<rocksdb::SecondaryCache>& tier) {
    Close();
    rocksdb::LRUCacheOptions cache;
    cache.capacity = 64 << 10;
    cache.num_shard_bits = 0;
    cache.secondary_cache = tier;
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = rocksdb::NewLRUCache(cache);
    table.cache_index_and_filter_blocks = true;
    rocksdb::Options options;
    options.create_if_missing = true;
    options.create_missing_column_families = true;
    options.compression = rocksdb::kNoCompression;
    options.write_buffer_size = 128 << 10;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const char* name : {"default", "second", "third"}) {
      families.emplace_back(name, options);
    }
    const Status status = rocksdb::DB::Open(options, path_, families, &families_, OpenInto(&db_));
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  void Close() {
    for (ColumnFamilyHandle* family : families_) {
      EXPECT_TRUE(db_->DestroyColumnFamilyHandle(family).ok());
    }
    families_.clear();
    db_.reset();
  }
  // Drops the last family, and makes it anew.
  Status Renew() {
    const rocksdb::Options options = db_->GetOptions(families_.back());
    Status status = db_->DropColumnFamily(families_.back());
    status = db_->DestroyColumnFamilyHandle(families_.back());
    families_.pop_back();
    ColumnFamilyHandle* made = nullptr;
    status = db_->CreateColumnFamily(options, "third", &made);
    if (status.ok()) {
      families_.push_back(made);
    }
    return status;
  }
  rocksdb::DB* db() const { return db_.get(); }
  ColumnFamilyHandle* family(uint64_t number) const { return families_[number % families_.size()]; }

 private:
  const std::string path_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<ColumnFamilyHandle*> families_;
};

class FlashTwinTest : public testing::TestWithParam<const char*> {
 protected:
  // What all the tier's lives have done.
  struct Totals {
    uint64_t hits = 0;
    uint64_t cleaned_bytes = 0;
    uint64_t cleaned_pages = 0;
    uint64_t recovered = 0;
  };

  void OpenTier() {
    FlashOptions flash;
    flash.path = directory_ / "tier";
    flash.size = 64 << 20;  // the least
    flash.memory = 8 << 20;
    flash.policy = GetParam();
    tier_ = std::make_shared<FlashCache>(flash);
    tier_->store();  // it begins to recover
  }
  // Nothing of the tier stays in this process.
  void CloseTier() {
    ASSERT_TRUE(tier_->store()->AwaitOpen());
    const lss::PageFigures figures = tier_->figures();
    totals_.hits += figures.hits();
    totals_.cleaned_bytes += figures.cleaned_bytes;
    totals_.cleaned_pages += figures.cleaned_pages;
    totals_.recovered += figures.recovered_words + figures.recovered_pages;
    on_flash_->Close();
    ASSERT_EQ(tier_.use_count(), 1);
    tier_.reset();
  }
  // Blocks of somebody else, who reads them at once, so that every policy writes them.
  void ShareTheTier(uint64_t blocks) {
    lss::PageStore* const store = tier_->store();
    ASSERT_TRUE(store->AwaitOpen());
    lss::PageCopy copy;
    const std::string block(4096, 'o');
    for (uint64_t i = 0; i < blocks; ++i) {
      const lss::PageKey key = {lss::MixBits(++others_), 0};
      while (!store->Insert(key, {block.data(), block.size()}, 0, 0)) {
        ASSERT_FALSE(store->off());
        store->AwaitIdle();
      }
      others_hits_ += store->Lookup(key, &copy) ? 1 : 0;
    }
  }

  using Operation = std::function<Status(const Side&)>;
  void Both(const Operation& operation) {
    for (const Side* side : {on_flash_.get(), stock_.get()}) {
      const Status status = operation(*side);
      ASSERT_TRUE(status.ok()) << status.ToString();
    }
  }
  void WriteAtRandom() {
    const uint64_t family = random_();
    const std::string key = KeyOf(random_());
    const uint64_t what = random_() % 12;
    if (what == 0) {
      Both([&](const Side& side) {
        return side.db()->DeleteRange({}, side.family(family), key, key + "5");
      });
    } else if (what == 1) {
      Both([&](const Side& side) { return side.db()->Delete({}, side.family(family), key); });
    } else {
      const std::string value = ValueOf(random_());
      Both([&](const Side& side) { return side.db()->Put({}, side.family(family), key, value); });
    }
  }
  void Ingest(uint64_t family, const std::string& key) {
    const std::string file = directory_ / "ingested";
    const std::string value = ValueOf(random_());
    Both([&](const Side& side) {
      rocksdb::SstFileWriter writer({}, side.db()->GetOptions());
      Status status = writer.Open(file);
      if (status.ok()) {
        status = writer.Put(key, value);
      }
      if (status.ok()) {
        status = writer.Finish();
      }
      rocksdb::IngestExternalFileOptions options;
      options.move_files = true;
      return status.ok() ? side.db()->IngestExternalFile(side.family(family), {file}, options)
                         : status;
    });
  }
  void ReshapeAtRandom() {
    const uint64_t family = random_();
    switch (random_() % 8) {
      case 0:
        Both([&](const Side& side) {
          return side.db()->CompactRange({}, side.family(family), nullptr, nullptr);
        });
        break;
      case 1:
        ASSERT_TRUE(on_flash_->Renew().ok());
        ASSERT_TRUE(stock_->Renew().ok());
        break;
      case 2:
        Ingest(family, KeyOf(random_()));
        break;
      default:
        Both([&](const Side& side) { return side.db()->Flush({}, side.family(family)); });
    }
  }
  void CompareGet() {
    const uint64_t family = random_();
    const std::string key = KeyOf(random_());
    std::string mine;
    std::string its;
    const Status status = on_flash_->db()->Get({}, on_flash_->family(family), key, &mine);
    ASSERT_EQ(status.code(), stock_->db()->Get({}, stock_->family(family), key, &its).code());
    ASSERT_EQ(mine, its) << key;
  }
  void CompareMultiGet() {
    const uint64_t family = random_();
    constexpr size_t kAsked = 16;
    std::vector<std::string> keys;
    keys.reserve(kAsked);
    for (size_t i = 0; i < kAsked; ++i) {
      keys.push_back(KeyOf(random_()));
    }
    const std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
    const auto ask = [&](const Side& side) {
      std::vector<rocksdb::PinnableSlice> values(keys.size());
      std::vector<Status> statuses(keys.size());
      side.db()->MultiGet({}, side.family(family), keys.size(), slices.data(), values.data(),
                          statuses.data());
      std::vector<std::string> answers;
      for (size_t i = 0; i < keys.size(); ++i) {
        answers.push_back(statuses[i].ToString() + values[i].ToString());
      }
      return answers;
    };
    ASSERT_EQ(ask(*on_flash_), ask(*stock_));
  }
  void CompareScan() {
    const uint64_t family = random_();
    const std::string from = KeyOf(random_());
    const auto scan = [&](const Side& side) {
      const std::unique_ptr<rocksdb::Iterator> rows(
          side.db()->NewIterator({}, side.family(family)));
      std::string text;
      int count = 0;
      for (rows->Seek(from); rows->Valid() && count < 200; rows->Next(), ++count) {
        text += rows->key().ToString() + rows->value().ToString();
      }
      return text + rows->status().ToString();
    };
    ASSERT_EQ(scan(*on_flash_), scan(*stock_));
  }

  test::TempDir directory_;
  std::mt19937_64 random_{11};
  std::shared_ptr<FlashCache> tier_;
  uint64_t others_ = 0;
  uint64_t others_hits_ = 0;
  Totals totals_;
  std::unique_ptr<Side> on_flash_ = std::make_unique<Side>(directory_ / "on_flash");
  std::unique_ptr<Side> stock_ = std::make_unique<Side>(directory_ / "stock");
};

TEST_P(FlashTwinTest, RandomOperationsGiveTheSameAnswersWithAndWithoutATier) {
  constexpr uint64_t kFull = 15000;  // blocks
  OpenTier();
  ASSERT_NO_FATAL_FAILURE(ShareTheTier(kFull));
  ASSERT_NO_FATAL_FAILURE(on_flash_->Open(tier_));
  ASSERT_NO_FATAL_FAILURE(stock_->Open(nullptr));
  for (int step = 0; step < 6000; ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    const uint64_t what = random_() % 200;
    if (what == 0) {
      ASSERT_NO_FATAL_FAILURE(ReshapeAtRandom());
    } else if (what < 60) {
      ASSERT_NO_FATAL_FAILURE(WriteAtRandom());
    } else if (what < 65) {
      ASSERT_NO_FATAL_FAILURE(CompareMultiGet());
    } else if (what < 68) {
      ASSERT_NO_FATAL_FAILURE(CompareScan());
    } else {
      ASSERT_NO_FATAL_FAILURE(CompareGet());
    }
    if (step % 200 == 199) {
      ASSERT_NO_FATAL_FAILURE(ShareTheTier(kFull / 20));  // a lap and a half in all
    }
    if (step % 2000 == 1999) {
      ASSERT_NO_FATAL_FAILURE(CloseTier());
      OpenTier();
      ASSERT_NO_FATAL_FAILURE(on_flash_->Open(tier_));  // while it recovers
    }
  }
  ASSERT_NO_FATAL_FAILURE(CloseTier());
  EXPECT_GT(totals_.hits - others_hits_, 1000U);
  EXPECT_GT(totals_.cleaned_bytes, 64U << 20) << "it went round";
  EXPECT_GT(totals_.cleaned_pages, kFull);
  EXPECT_GT(totals_.recovered, kFull / 2) << "it was closed and found its blocks again";
}

INSTANTIATE_TEST_SUITE_P(Policies, FlashTwinTest, testing::Values("s3_fifo", "lru"),
                         [](const testing::TestParamInfo<const char*>& policy) {
                           return std::string(policy.param);
                         });

}  // namespace
}  // namespace bloom_lfs

// A database whose block cache of 1 MiB is over a flash tier of its own.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "plugin/flash/flash_cache.h"
#include "plugin/rocksdb_versions.h"
#include "rocksdb/db.h"
#include "tests/support/flash_rows.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs {

inline constexpr uint64_t kRows = 20000;  // 8 MB
inline constexpr uint64_t kBlocks = kRows * 430 / 4096;

class FlashFixture : public testing::Test {
 protected:
  FlashFixture() {
    flash_.path = directory_ / "tier";
    flash_.size = 64 << 20;
    flash_.memory = 8 << 20;
  }
  ~FlashFixture() override { CloseAll(); }

  // `with_tier`: a block cache of 1 MiB over the tier; otherwise without.
  rocksdb::Options MakeOptions(bool with_tier) {
    if (with_tier) {
      tier_ = std::make_shared<FlashCache>(flash_);
    }
    return OptionsOver(with_tier ? tier_ : nullptr);
  }
  void Open(bool with_tier, const std::string& name = "db") {
    CloseAll();
    const rocksdb::Status status =
        rocksdb::DB::Open(MakeOptions(with_tier), directory_ / name, OpenInto(&db_));
    ASSERT_TRUE(status.ok()) << status.ToString();
    if (with_tier) {
      ASSERT_TRUE(tier_->store()->AwaitOpen());
    }
  }
  void CloseAll() {
    db_.reset();
    tier_.reset();
  }
  // The value of each row is that of the row `salt` further on.
  void Fill(uint64_t from, uint64_t to, uint64_t salt = 0) {
    for (uint64_t number = from; number < to; ++number) {
      ASSERT_TRUE(db_->Put(rocksdb::WriteOptions(), RowKey(number), RowValue(number + salt)).ok());
    }
    ASSERT_TRUE(db_->Flush({}).ok());
    ASSERT_TRUE(db_->CompactRange({}, nullptr, nullptr).ok());
  }
  void ReadAll(uint64_t from, uint64_t to, uint64_t salt = 0) {
    std::string value;
    for (uint64_t number = from; number < to; ++number) {
      ASSERT_TRUE(db_->Get(rocksdb::ReadOptions(), RowKey(number), &value).ok()) << number;
      ASSERT_EQ(value, RowValue(number + salt));
    }
  }
  uint64_t Hits() const { return tier_->figures().hits(); }

  test::TempDir directory_;
  FlashOptions flash_;
  std::shared_ptr<FlashCache> tier_;
  std::unique_ptr<rocksdb::DB> db_;
};

}  // namespace bloom_lfs

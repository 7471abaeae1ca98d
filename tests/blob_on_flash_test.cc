// Blob values on the flash tier: the right ones or those of the file, warm after a restart.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>

#include "lss/base/crc32c.h"
#include "plugin/blob_format.h"
#include "plugin/blob_record.h"
#include "plugin/bloom_lfs_file_system.h"
#include "plugin/flash/blob_identity.h"
#include "plugin/flash/blob_tier.h"
#include "plugin/flash/flash_options.h"
#include "plugin/flash/flash_stores.h"
#include "plugin/rocksdb_versions.h"
#include "rocksdb/db.h"
#include "rocksdb/env.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs {
namespace {

namespace fs = std::filesystem;

std::string BytesOf(uint64_t number, size_t length) {
  std::string bytes(length, '\0');
  std::mt19937_64 random(number);
  for (char& byte : bytes) {
    byte = static_cast<char>(random());
  }
  return bytes;
}

void Write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// --- which file is which ---

class BlobIdentityTest : public testing::Test {
 protected:
  BlobIdentityTest() { Write(path_, BytesOf(1, 100000)); }

  // 0: none.
  static uint64_t IdOf(const std::string& path, bool may_name = true) {
    return IdentifyBlobFile(path, may_name).value_or(BlobIdentity()).id;
  }

  test::TempDir directory_;
  const std::string path_ = directory_ / "000001.blob";
};

TEST_F(BlobIdentityTest, StaysUnderAnotherNameAndALink) {
  const uint64_t id = IdOf(path_);
  ASSERT_NE(id, 0U);
  EXPECT_EQ(IdOf(path_), id);
  EXPECT_EQ(IdentifyBlobFile(path_, false)->size, 100000U);
  fs::create_hard_link(path_, directory_ / "link");
  fs::rename(path_, directory_ / "000002.blob");
  EXPECT_EQ(IdOf(directory_ / "000002.blob"), id);
  EXPECT_EQ(IdOf(directory_ / "link"), id);
}

TEST_F(BlobIdentityTest, OfFilesOfTheSameBytesIsTheirOwn) {
  Write(directory_ / "other", BytesOf(1, 100000));
  EXPECT_NE(IdOf(path_), IdOf(directory_ / "other"));
}

TEST_F(BlobIdentityTest, IsGivenByTheWriterOrAnOwnerAndNobodyElse) {
  EXPECT_EQ(IdOf(path_, false), 0U);
  NameBlobFile(path_);
  EXPECT_NE(IdOf(path_, false), 0U);
  const std::string other = directory_ / "other";
  Write(other, BytesOf(1, 1000));
  const uint64_t given = IdOf(other);
  EXPECT_NE(given, 0U);
  EXPECT_EQ(IdOf(other, false), given);
}

// As restoring a backup over a database does: same file, same attribute, perhaps the same size and,
// where the copy keeps it, any time.
TEST_F(BlobIdentityTest, ChangesWhenTheFileIsWrittenOver) {
  const uint64_t id = IdOf(path_);
  struct stat before = {};
  ASSERT_EQ(stat(path_.c_str(), &before), 0);
  for (const size_t changed : {size_t{0}, size_t{50000}, size_t{99999}}) {
    std::string bytes = BytesOf(1, 100000);
    bytes[changed] = static_cast<char>(bytes[changed] + 1);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // more than a tick of its clock
    Write(path_, bytes);
    EXPECT_NE(IdOf(path_), id) << changed;
  }
  const timespec times[] = {before.st_atim, before.st_mtim};
  ASSERT_EQ(utimensat(AT_FDCWD, path_.c_str(), times, 0), 0);
  EXPECT_NE(IdOf(path_), id) << "the same time, other bytes at an end";
  Write(path_, BytesOf(1, 99999));
  ASSERT_EQ(utimensat(AT_FDCWD, path_.c_str(), times, 0), 0);
  EXPECT_NE(IdOf(path_), id) << "another size";
}

TEST_F(BlobIdentityTest, IsNoneWhereThereIsNoFileOrNoAttribute) {
  EXPECT_EQ(IdOf(directory_ / "none"), 0U);
  EXPECT_EQ(IdOf("/proc/self/status"), 0U);
}

// --- databases ---

class BlobOnFlashTest : public testing::Test {
 protected:
  BlobOnFlashTest() {
    tier_.path = directory_ / "tier";
    tier_.size = 64 << 20;
    tier_.memory = 8 << 20;
  }
  ~BlobOnFlashTest() override { db_.reset(); }

  void Open(const std::string& name = "db") {
    db_.reset();
    store_.reset();
    PluginOptions plugin;
    plugin.blob_flash = "path=" + tier_.path + ";size=64M;memory=8M;background_threads_miss=" +
                        (tier_.background_threads_miss ? "true" : "false");
    env_ = rocksdb::NewCompositeEnv(
        std::make_shared<BloomLfsFileSystem>(rocksdb::FileSystem::Default(), plugin));
    rocksdb::Options options;
    options.env = env_.get();
    options.create_if_missing = true;
    options.use_direct_reads = true;
    options.enable_blob_files = true;
    options.compression = rocksdb::kNoCompression;
    const rocksdb::Status status = rocksdb::DB::Open(options, directory_ / name, OpenInto(&db_));
    ASSERT_TRUE(status.ok()) << status.ToString();
    store_ = SharedPageStore(tier_);
    ASSERT_TRUE(store_->AwaitOpen());
  }
  static std::string KeyOf(uint64_t number) { return "key" + std::to_string(number); }
  static std::string ValueOf(uint64_t number) { return BytesOf(number, 1000 + number % 9000); }
  void Fill(uint64_t salt = 0) {
    for (uint64_t number = 0; number < kRows; ++number) {
      ASSERT_TRUE(db_->Put({}, KeyOf(number), ValueOf(number + salt)).ok());
    }
    ASSERT_TRUE(db_->Flush({}).ok());
  }
  void ReadAll(uint64_t salt = 0) {
    std::string value;
    for (uint64_t number = 0; number < kRows; ++number) {
      ASSERT_TRUE(db_->Get({}, KeyOf(number), &value).ok());
      ASSERT_EQ(value, ValueOf(number + salt)) << number;
    }
  }
  uint64_t Hits() const {
    const lss::PageFigures figures = store_->figures();
    return figures.flash_hits + figures.memory_hits;
  }

  static constexpr uint64_t kRows = 1500;
  test::TempDir directory_;
  FlashOptions tier_;
  std::unique_ptr<rocksdb::Env> env_;
  std::unique_ptr<rocksdb::DB> db_;
  std::shared_ptr<lss::PageStore> store_;  // the one that the files share
};

TEST_F(BlobOnFlashTest, ValuesComeFromTheTierAlsoAfterARestart) {
  ASSERT_NO_FATAL_FAILURE(Open());
  Fill();
  ReadAll();
  EXPECT_EQ(Hits(), 0U);
  ReadAll();
  EXPECT_GT(Hits(), kRows * 9 / 10);
  store_->AwaitIdle();
  ASSERT_NO_FATAL_FAILURE(Open());
  ReadAll();
  EXPECT_GT(Hits(), kRows * 9 / 10) << "since the restart";
}

TEST_F(BlobOnFlashTest, MultiGetTakesWhatIsThereAndReadsTheRest) {
  ASSERT_NO_FATAL_FAILURE(Open());
  Fill();
  std::string value;
  for (uint64_t number = 0; number < kRows; number += 3) {
    ASSERT_TRUE(db_->Get({}, KeyOf(number), &value).ok());
  }
  std::vector<std::string> keys;
  for (uint64_t number = 0; number < kRows; ++number) {
    keys.push_back(KeyOf(number));
  }
  const std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
  std::vector<rocksdb::PinnableSlice> values(kRows);
  std::vector<rocksdb::Status> statuses(kRows);
  db_->MultiGet({}, db_->DefaultColumnFamily(), kRows, slices.data(), values.data(),
                statuses.data());
  for (uint64_t number = 0; number < kRows; ++number) {
    ASSERT_TRUE(statuses[number].ok());
    ASSERT_EQ(values[number].ToString(), ValueOf(number)) << number;
  }
  EXPECT_GT(Hits(), kRows / 4);
}

// Garbage collection reads every value once, and writes it anew.
TEST_F(BlobOnFlashTest, GarbageCollectionIsServedOnlyIfTheOptionSaysSo) {
  for (const bool miss : {true, false}) {
    tier_.background_threads_miss = miss;
    tier_.path = directory_ / (miss ? "misses" : "serves");
    ASSERT_NO_FATAL_FAILURE(Open(miss ? "db" : "other"));
    Fill();
    ReadAll();
    const lss::PageFigures before = store_->figures();
    rocksdb::CompactRangeOptions all;
    all.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    all.blob_garbage_collection_policy = rocksdb::BlobGarbageCollectionPolicy::kForce;
    all.blob_garbage_collection_age_cutoff = 1;
    ASSERT_TRUE(db_->CompactRange(all, nullptr, nullptr).ok());
    const lss::PageFigures after = store_->figures();
    if (miss) {
      EXPECT_EQ(after.hits() + after.misses, before.hits() + before.misses) << "nobody asked";
    } else {
      EXPECT_GT(after.hits() - before.hits(), kRows * 9 / 10);
    }
    ReadAll();
  }
}

// Two databases that began as copies of each other, and whose later files have the same names.
TEST_F(BlobOnFlashTest, CopiesThatWentTheirOwnWaysGetTheirOwnValues) {
  ASSERT_NO_FATAL_FAILURE(Open());
  Fill();
  db_.reset();
  fs::copy(directory_ / "db", directory_ / "copy", fs::copy_options::recursive);
  ASSERT_NO_FATAL_FAILURE(Open());
  Fill(1);
  ReadAll(1);
  ReadAll(1);
  ASSERT_NO_FATAL_FAILURE(Open("copy"));
  Fill(2);
  ReadAll(2);
  ReadAll(2);
  ASSERT_NO_FATAL_FAILURE(Open());
  ReadAll(1);
}

// The files of one database written over those of another, in place.
TEST_F(BlobOnFlashTest, FilesThatAreWrittenOverAreReadAnew) {
  for (const char* name : {"db", "other"}) {
    ASSERT_NO_FATAL_FAILURE(Open(name));
    Fill(name == std::string("db") ? 0 : 7);
  }
  ASSERT_NO_FATAL_FAILURE(Open());
  ReadAll();
  ReadAll();
  db_.reset();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // more than a tick of its clock
  for (const auto& file : fs::directory_iterator(directory_ / "db")) {
    if (!fs::exists(directory_ / "other" / file.path().filename())) {
      fs::remove_all(file);
    }
  }
  for (const auto& file : fs::directory_iterator(directory_ / "other")) {
    if (file.is_regular_file()) {
      std::ifstream from(file.path(), std::ios::binary);
      std::ofstream(fs::path(directory_ / "db") / file.path().filename(),
                    std::ios::binary | std::ios::trunc)
          << from.rdbuf();
    }
  }
  ASSERT_NO_FATAL_FAILURE(Open());
  ReadAll(7);
  ReadAll(7);
}

// A disk may return wrong bytes once; kept, they would be wrong for ever.
TEST_F(BlobOnFlashTest, WhatIsNoIntactRecordIsNotKept) {
  ASSERT_NO_FATAL_FAILURE(Open());
  Fill();
  ReadAll();
  rocksdb::ReadOptions unchecked;
  unchecked.verify_checksums = false;
  const auto inserted = [this] { return store_->figures().inserted; };
  const uint64_t before = inserted();
  std::string value;
  for (uint64_t number = 0; number < 100; ++number) {
    ASSERT_TRUE(db_->Get(unchecked, KeyOf(number), &value).ok());
    ASSERT_EQ(value, ValueOf(number));
  }
  EXPECT_EQ(inserted(), before) << "a value without its record says nothing of itself";
}

TEST_F(BlobOnFlashTest, ReadsThroughThePageCacheAndBadOptionsLeaveTheFileAlone) {
  const std::string path = directory_ / "000001.blob";
  Write(path, BytesOf(1, 8192));
  const auto is_on_flash = [&](bool direct, const std::string& options, bool may_name) {
    rocksdb::FileOptions file_options;
    file_options.use_direct_reads = direct;
    std::unique_ptr<rocksdb::FSRandomAccessFile> file;
    EXPECT_TRUE(rocksdb::FileSystem::Default()
                    ->NewRandomAccessFile(path, file_options, &file, nullptr)
                    .ok());
    const rocksdb::FSRandomAccessFile* const plain = file.get();
    BlobTier tier;
    return tier.Put(std::move(file), path, options, may_name).get() != plain;
  };
  const std::string tier = "path=" + tier_.path + ";size=64M;memory=8M";
  EXPECT_FALSE(is_on_flash(true, tier, false)) << "nobody has named it";
  EXPECT_TRUE(is_on_flash(true, tier, true));
  EXPECT_TRUE(is_on_flash(true, tier, false));
  EXPECT_FALSE(is_on_flash(false, tier, true));
  EXPECT_FALSE(is_on_flash(true, "", true));
  EXPECT_FALSE(is_on_flash(true, "path=/x;size=1", true));
}

// --- records ---

TEST(BlobRecordTest, IsIntactFromItsFirstToItsLastByteOnly) {
  std::string record(32, '\0');
  const std::string key = "key";
  const std::string value = "value";
  const uint64_t lengths[] = {key.size(), value.size()};
  memcpy(record.data(), lengths, sizeof(lengths));
  record += key + value;
  const uint32_t header = blob_format::Mask(lss::Crc32c(0, record.data(), 24));
  const uint32_t blob = blob_format::Mask(lss::Crc32c(0, record.data() + 32, record.size() - 32));
  memcpy(record.data() + 24, &header, sizeof(header));
  memcpy(record.data() + 28, &blob, sizeof(blob));
  EXPECT_TRUE(IsIntactBlobRecord(record.data(), record.size()));
  for (size_t length = 0; length < record.size(); ++length) {
    EXPECT_FALSE(IsIntactBlobRecord(record.data(), length)) << length;
  }
  EXPECT_FALSE(IsIntactBlobRecord((record + "x").data(), record.size() + 1));
  for (size_t at = 0; at < record.size(); ++at) {
    std::string damaged = record;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    EXPECT_FALSE(IsIntactBlobRecord(damaged.data(), damaged.size())) << at;
  }
}

}  // namespace
}  // namespace bloom_lfs

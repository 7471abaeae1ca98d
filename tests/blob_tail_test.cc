// Where a blob file ends, on files that RocksDB itself has written.
#include "plugin/blob_tail.h"

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/database.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"
#include "tests/support/workload.h"

namespace bloom_lfs::test {
namespace {

constexpr size_t kHeader = 30;
constexpr size_t kRecordHeader = 32;
constexpr size_t kFooter = 32;

BlobTail Scan(const std::string& bytes) {
  return FindBlobTail(
      [&bytes](uint64_t offset, size_t n, char* scratch) -> int64_t {
        const size_t got = offset < bytes.size() ? std::min<size_t>(n, bytes.size() - offset) : 0;
        std::memcpy(scratch, bytes.data() + (got > 0 ? offset : 0), got);
        return static_cast<int64_t>(got);
      },
      bytes.size());
}

class BlobTailTest : public testing::Test {
 protected:
  // One blob file with a record for every size; sets `ends_` to where they end.
  void SetUp() override {
    const TempDir dir;
    {
      Database db(dir / "db", With::kStock, [](rocksdb::Options* options) {
        options->enable_blob_files = true;
        options->min_blob_size = 0;
      });
      for (size_t i = 0; i < kSizes.size(); ++i) {
        Require(db->Put(rocksdb::WriteOptions(), Key(i), MakeValue(i, kSizes[i])));
      }
      Require(db->Flush(rocksdb::FlushOptions()));
    }
    for (const auto& entry : std::filesystem::directory_iterator(dir / "db")) {
      if (entry.path().extension() == ".blob") {
        file_ = ReadFile(entry.path().string());
      }
    }
    uint64_t end = kHeader;
    for (size_t i = 0; i < kSizes.size(); ++i) {
      end += kRecordHeader + Key(i).size() + kSizes[i];
      ends_.push_back(end);
    }
    ASSERT_EQ(file_.size(), end + kFooter);
  }
  static std::string Key(size_t i) { return "key" + std::to_string(100 + i); }
  // The end of the last whole record that lies below `length`.
  uint64_t WholeBelow(uint64_t length) const {
    uint64_t whole = length >= kHeader ? kHeader : 0;
    for (const uint64_t end : ends_) {
      whole = end <= length ? end : whole;
    }
    return whole;
  }

  const std::vector<size_t> kSizes = {1, 100, 4096, 1, 300000, 600001, 33, 5000};
  std::string file_;
  std::vector<uint64_t> ends_;
};

TEST_F(BlobTailTest, AWholeFileEndsBehindItsFooter) {
  const BlobTail tail = Scan(file_);
  EXPECT_EQ(tail.stop, BlobTailStop::kFooter);
  EXPECT_EQ(tail.end, file_.size());
  EXPECT_EQ(tail.records, kSizes.size());
  EXPECT_TRUE(tail.SafeToTrim());
}

TEST_F(BlobTailTest, WhatLiesBehindTheFooterDoesNotCount) {
  for (const std::string& behind : {std::string(100000, '\0'), std::string(31, 'x'), file_}) {
    EXPECT_EQ(Scan(file_ + behind).end, file_.size());
  }
}

TEST_F(BlobTailTest, ATornFileEndsBehindItsLastWholeRecord) {
  std::vector<uint64_t> lengths = {0, 1, 4, 30, 31, 61, 62};
  for (const uint64_t end : ends_) {
    for (const uint64_t length : {end - 1, end, end + 1, end + kRecordHeader}) {
      lengths.push_back(std::min<uint64_t>(length, file_.size() - 1));
    }
  }
  for (const uint64_t length : lengths) {
    const BlobTail torn = Scan(file_.substr(0, length));
    EXPECT_EQ(torn.end, WholeBelow(length)) << length << ": " << torn.ToString();
    EXPECT_TRUE(torn.SafeToTrim());
    const BlobTail zeros = Scan(file_.substr(0, length) + std::string(70000, '\0'));
    EXPECT_EQ(zeros.end, WholeBelow(length)) << length << " and zeros: " << zeros.ToString();
  }
}

TEST_F(BlobTailTest, AHoleEndsTheFileThoughGoodRecordsFollow) {
  std::string holed = file_;
  const uint64_t page = 8192;
  std::fill(holed.begin() + page, holed.begin() + 2 * page, '\0');
  const BlobTail tail = Scan(holed);
  EXPECT_EQ(tail.end, WholeBelow(page));
  EXPECT_EQ(tail.stop, BlobTailStop::kBadChecksum);
}

TEST_F(BlobTailTest, EveryFlippedBitOfTheFirstRecordsIsSeen) {
  for (size_t at = kHeader; at < ends_[1]; ++at) {
    std::string bad = file_;
    bad[at] = static_cast<char>(bad[at] ^ 16);
    EXPECT_EQ(Scan(bad).end, at < ends_[0] ? kHeader : ends_[0]) << at;
  }
}

TEST_F(BlobTailTest, ALengthBeyondTheFileIsATornRecordAndNeverRead) {
  // Lengths that add up to something small again.
  std::string bad = file_.substr(0, kHeader + kRecordHeader);
  const uint64_t key = UINT64_MAX - 10;
  std::memcpy(bad.data() + kHeader, &key, sizeof(key));
  EXPECT_EQ(Scan(bad + std::string(1000, 'x')).end, kHeader);
}

TEST_F(BlobTailTest, AForeignFileIsLeftAlone) {
  std::string later = file_;
  later[4] = 2;  // version
  for (const std::string& bytes : {later, std::string("something else altogether, quite long")}) {
    const BlobTail tail = Scan(bytes);
    EXPECT_EQ(tail.stop, BlobTailStop::kUnknown);
    EXPECT_FALSE(tail.SafeToTrim());
  }
}

TEST_F(BlobTailTest, AReadErrorIsNoTail) {
  const BlobTail tail = FindBlobTail(
      [this](uint64_t offset, size_t n, char* scratch) -> int64_t {
        if (offset + n > 10000) {
          return -EIO;
        }
        std::memcpy(scratch, file_.data() + offset, n);
        return static_cast<int64_t>(n);
      },
      file_.size());
  EXPECT_EQ(tail.stop, BlobTailStop::kReadError);
  EXPECT_EQ(tail.error, EIO);
  EXPECT_FALSE(tail.SafeToTrim());
}

}  // namespace
}  // namespace bloom_lfs::test

// FindWalTail on logs that RocksDB itself wrote, damaged in every place.
//
// Where the records end is known without any parsing: the file's size after each Put.

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "plugin/rocksdb_versions.h"
#include "plugin/wal_tail.h"
#include "tests/support/database.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wal_builder.h"

namespace bloom_lfs {
namespace {

using test::Payload;

constexpr size_t kBlock = 32768;

struct Log {
  std::string bytes;
  std::vector<uint64_t> ends;   // 0 and where each Put's record ends
  uint64_t metadata = 0;        // records in front of the first Put's
  size_t trailer_size_max = 6;  // one less than a header
  std::function<void(rocksdb::Options*)> tweak;
};

rocksdb::Options BaseOptions(const std::function<void(rocksdb::Options*)>& tweak) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.write_buffer_size = 256 << 20;
  options.compression = rocksdb::kNoCompression;
  if (tweak) tweak(&options);
  return options;
}

std::unique_ptr<rocksdb::DB> Open(const rocksdb::Options& options, const std::string& path) {
  std::unique_ptr<rocksdb::DB> db;
  const rocksdb::Status s = rocksdb::DB::Open(options, path, OpenInto(&db));
  if (!s.ok()) throw std::runtime_error(s.ToString());
  return db;
}

std::string Key(size_t i) { return "key" + std::to_string(100000 + i); }

// Values are half repetitive, so that wal_compression has something to do and fragments all the
// same.
std::string Value(size_t n, size_t i) {
  return Payload(n / 2, static_cast<uint32_t>(i)) + std::string(n - n / 2, 'v');
}

void Put(rocksdb::DB* db, size_t i, size_t value_size) {
  const rocksdb::Status s = db->Put(rocksdb::WriteOptions(), Key(i), Value(value_size, i));
  if (!s.ok()) throw std::runtime_error(s.ToString());
}

Log WriteLog(const std::vector<size_t>& value_sizes,
             const std::function<void(rocksdb::Options*)>& tweak = nullptr) {
  const test::TempDir dir;
  const rocksdb::Options options = BaseOptions(tweak);
  auto db = Open(options, dir.path());
  const std::string path = test::NewestLog(dir.path());
  Log log;
  log.tweak = tweak;
  log.trailer_size_max = options.recycle_log_file_num > 0 ? 10 : 6;
  log.ends.push_back(std::filesystem::file_size(path));
  log.metadata = log.ends[0] > 0 ? 1 : 0;
  for (size_t i = 0; i < value_sizes.size(); ++i) {
    Put(db.get(), i, value_sizes[i]);
    log.ends.push_back(std::filesystem::file_size(path));
  }
  db.reset();
  log.bytes = test::ReadFile(path);
  EXPECT_EQ(log.bytes.size(), log.ends.back());
  return log;
}

void Recyclable(rocksdb::Options* options) {
  options->recycle_log_file_num = 2;
  options->wal_recovery_mode = rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords;
}

void Compressed(rocksdb::Options* options) { options->wal_compression = rocksdb::kZSTD; }

// Small enough to be damaged at every byte, and yet with fragments over three blocks.
const std::vector<size_t> kSmallLog = {0, 10, 100, 1000, 30000, 3, 8000, 33000, 1, 50};

struct Kind {
  const char* name;
  std::function<void(rocksdb::Options*)> tweak;
};

const std::vector<Kind>& Kinds() {
  static const std::vector<Kind> kinds = {{"legacy", nullptr},
                                          {"recyclable", Recyclable},
                                          {"compressed", Compressed},
                                          {"recyclable_compressed", [](rocksdb::Options* options) {
                                             Recyclable(options);
                                             Compressed(options);
                                           }}};
  return kinds;
}

WalTail Scan(const std::string& bytes, uint64_t size) {
  const TailReadFunction read = [&](uint64_t offset, size_t n, char* scratch) -> int64_t {
    if (offset >= size) return 0;
    const size_t count = std::min<size_t>(n, static_cast<size_t>(size - offset));
    std::memcpy(scratch, bytes.data() + offset, count);
    return static_cast<int64_t>(count);
  };
  return FindWalTail(read, size);
}

// The end of the last record that lies wholly in front of `damage`.
uint64_t LastEndBefore(const Log& log, uint64_t damage) {
  const auto behind = std::upper_bound(log.ends.begin(), log.ends.end(), damage);
  return behind == log.ends.begin() ? 0 : *(behind - 1);
}

uint64_t RecordsUpTo(const Log& log, uint64_t end) {
  const auto found = std::find(log.ends.begin(), log.ends.end(), end);
  if (found == log.ends.end()) return 0;
  return log.metadata + static_cast<uint64_t>(found - log.ends.begin());
}

bool InTrailer(const Log& log, uint64_t offset) {
  return kBlock - offset % kBlock <= log.trailer_size_max && log.bytes[offset] == '\0';
}

class WalTailDamageTest : public testing::TestWithParam<size_t> {
 protected:
  const Log& Small() {
    static std::map<size_t, Log> logs;
    if (logs.count(GetParam()) == 0)
      logs[GetParam()] = WriteLog(kSmallLog, Kinds()[GetParam()].tweak);
    return logs[GetParam()];
  }
};

INSTANTIATE_TEST_SUITE_P(All, WalTailDamageTest, testing::Range<size_t>(0, 4),
                         [](const auto& param_info) { return Kinds()[param_info.param].name; });

TEST_P(WalTailDamageTest, WholeLog) {
  std::vector<size_t> sizes = kSmallLog;
  for (size_t i = 0; i < 2000; ++i) sizes.push_back(i % 100 == 0 ? 100000 : i);
  sizes.push_back(9 << 20);
  const Log log = WriteLog(sizes, Kinds()[GetParam()].tweak);
  const WalTail tail = Scan(log.bytes, log.bytes.size());
  EXPECT_EQ(tail.end, log.bytes.size()) << tail.ToString();
  EXPECT_EQ(tail.records, sizes.size() + log.metadata);
  EXPECT_EQ(tail.stop, WalTailStop::kEndOfFile);
}

TEST_P(WalTailDamageTest, TruncatedAtEveryLength) {
  const Log& log = Small();
  for (uint64_t size = 0; size < log.bytes.size(); ++size) {
    const WalTail tail = Scan(log.bytes, size);
    const uint64_t expected = LastEndBefore(log, size);
    ASSERT_EQ(tail.end, expected) << "size " << size << ": " << tail.ToString();
    ASSERT_EQ(tail.records, RecordsUpTo(log, expected)) << "size " << size;
    // Without a record's header and its batch's nothing shows that it is a log.
    ASSERT_EQ(tail.SafeToTrim(), expected > 0 || size == 0 || tail.begins_like_a_log)
        << "size " << size;
    ASSERT_TRUE(size < 23 || tail.SafeToTrim()) << "size " << size;
  }
}

TEST_P(WalTailDamageTest, FlippedAtEveryByte) {
  const Log& log = Small();
  std::string bytes = log.bytes;
  std::mt19937 random(1);
  uint64_t harmless = 0;
  for (uint64_t at = 0; at < bytes.size(); ++at) {
    bytes[at] = static_cast<char>(bytes[at] ^ (1 + random() % 255));
    const WalTail tail = Scan(bytes, bytes.size());
    bytes[at] = log.bytes[at];
    if (tail.end == bytes.size()) {
      ASSERT_TRUE(InTrailer(log, at)) << "an undetected flip at " << at;
      ++harmless;
      continue;
    }
    const uint64_t expected = LastEndBefore(log, at);
    ASSERT_EQ(tail.end, expected) << "flip at " << at << ": " << tail.ToString();
    ASSERT_EQ(tail.records, RecordsUpTo(log, expected)) << "flip at " << at;
  }
  EXPECT_LE(harmless, log.trailer_size_max * (bytes.size() / kBlock));
}

// A sector or a page that never reached the disk, in front of others that did.
TEST_P(WalTailDamageTest, ZeroedSectorsAndPages) {
  const Log& log = Small();
  for (const size_t length : {size_t{512}, size_t{4096}, kBlock}) {
    for (uint64_t start = 0; start < log.bytes.size(); start += 512) {
      std::string bytes = log.bytes;
      const uint64_t stop = std::min<uint64_t>(start + length, bytes.size());
      uint64_t damage = start;  // the first byte that really changes
      while (damage < stop && bytes[damage] == '\0') ++damage;
      std::fill(bytes.begin() + static_cast<ptrdiff_t>(start),
                bytes.begin() + static_cast<ptrdiff_t>(stop), '\0');
      const WalTail tail = Scan(bytes, bytes.size());
      const uint64_t expected = damage == stop ? bytes.size() : LastEndBefore(log, damage);
      ASSERT_EQ(tail.end, expected) << length << " zeros at " << start << ": " << tail.ToString();
    }
  }
}

TEST_P(WalTailDamageTest, PreparedSpaceBehindTheTail) {
  const Log& log = Small();
  for (const uint64_t end : log.ends) {
    const std::string bytes = log.bytes.substr(0, end) + std::string(100000, '\0');
    const WalTail tail = Scan(bytes, bytes.size());
    EXPECT_EQ(tail.end, end) << tail.ToString();
    EXPECT_EQ(tail.stop, WalTailStop::kZeros);
  }
}

// RocksDB's strictest reader is the judge: what the scan keeps of a damaged log opens without a
// complaint and holds exactly the records that the scan counted.
TEST_P(WalTailDamageTest, RocksDbAcceptsWhatIsKept) {
  const test::TempDir dir;
  const rocksdb::Options options = BaseOptions(Kinds()[GetParam()].tweak);
  Open(options, dir / "new").reset();  // its log is replaced by the damaged one
  const Log& log = Small();
  std::mt19937 random(7);
  for (int round = 0; round < 12; ++round) {
    const std::string path = dir / ("db" + std::to_string(round));
    test::CopyTree(dir / "new", path);
    std::string bytes = log.bytes;
    bytes[random() % bytes.size()] ^= '\x10';
    const WalTail tail = Scan(bytes, bytes.size());
    test::WriteFile(test::NewestLog(path), bytes.substr(0, tail.end));

    rocksdb::Options strict = options;
    strict.recycle_log_file_num = 0;
    strict.wal_recovery_mode = rocksdb::WALRecoveryMode::kAbsoluteConsistency;
    const auto db = Open(strict, path);
    const uint64_t kept = tail.records - std::min(tail.records, log.metadata);
    std::string value;
    for (size_t i = 0; i < kSmallLog.size(); ++i) {
      const rocksdb::Status s = db->Get(rocksdb::ReadOptions(), Key(i), &value);
      ASSERT_EQ(s.ok(), i < kept) << "record " << i << " of " << kept << ": " << s.ToString();
      if (s.ok()) {
        ASSERT_EQ(value, Value(kSmallLog[i], i));
      }
    }
  }
}

// Records steered by the file's size to leave every possible room at a block's end.
// (Not compressed: then the size of a record cannot be steered.)
void CheckTrailersOfEveryLength(const std::function<void(rocksdb::Options*)>& tweak) {
  const test::TempDir dir;
  const auto db = Open(BaseOptions(tweak), dir.path());
  const std::string path = test::NewestLog(dir.path());
  Put(db.get(), 0, 1000);
  uint64_t size = std::filesystem::file_size(path);
  const uint64_t overhead = size - 1000;  // of a record in one piece, value length in two bytes
  std::vector<uint64_t> ends;
  for (size_t room = 0; room <= 40; ++room) {
    // A first record takes us to the middle of a block, a second to `room` bytes from its end.
    Put(db.get(), 1, kBlock + 5000);
    size = std::filesystem::file_size(path);
    ends.push_back(size);
    const uint64_t target = kBlock - size % kBlock - room - overhead;
    const uint64_t longer_varint = target >= 16384 ? 1 : 0;
    Put(db.get(), 2, target - longer_varint);
    size = std::filesystem::file_size(path);
    ends.push_back(size);
    ASSERT_EQ((kBlock - size % kBlock) % kBlock, room) << "the steering is wrong";
  }
  const std::string bytes = test::ReadFile(path);
  for (const uint64_t end : ends) {
    EXPECT_EQ(Scan(bytes, end).end, end);
    EXPECT_EQ(Scan(bytes, std::min<uint64_t>(end + 3, bytes.size())).end, end);
  }
}

TEST(WalTailTrailerTest, TrailersOfEveryLengthLegacy) { CheckTrailersOfEveryLength(nullptr); }

TEST(WalTailTrailerTest, TrailersOfEveryLengthRecyclable) {
  CheckTrailersOfEveryLength(Recyclable);
}

// A file that really was recycled, with its former life behind the tail.
TEST(WalTailRecycledTest, TheFormerLifeIsNotPartOfTheLog) {
  for (const bool compressed : {false, true}) {
    if (compressed && !test::Supports(rocksdb::kZSTD))
      continue;  // RocksDB would not compress the log
    const test::TempDir dir;
    rocksdb::Options options = BaseOptions(Recyclable);
    if (compressed) Compressed(&options);
    const auto db = Open(options, dir.path());
    std::string path;
    for (int i = 0; i < 50; ++i) {
      for (size_t j = 0; j < 20; ++j) Put(db.get(), j, 3000);
      ASSERT_TRUE(db->Flush(rocksdb::FlushOptions()).ok());
      path = test::NewestLog(dir.path());
      if (std::filesystem::file_size(path) > 30000) break;
    }
    ASSERT_GT(std::filesystem::file_size(path), 30000u) << "no log was recycled in 50 rounds";
    const auto log_number =
        static_cast<uint32_t>(std::stoul(std::filesystem::path(path).filename().string()));

    const auto scan = [&] {
      const std::string bytes = test::ReadFile(path);
      const TailReadFunction read = [&](uint64_t offset, size_t n, char* scratch) -> int64_t {
        const size_t at = std::min<size_t>(static_cast<size_t>(offset), bytes.size());
        const size_t count = std::min(n, bytes.size() - at);
        std::memcpy(scratch, bytes.data() + at, count);
        return static_cast<int64_t>(count);
      };
      return FindWalTail(read, bytes.size(), log_number);
    };
    const uint64_t metadata = compressed ? 1 : 0;
    EXPECT_EQ(scan().records, metadata) << scan().ToString();
    for (size_t i = 0; i < 7; ++i) {
      // The same sizes as before: the old records lie exactly where the next new one will begin.
      Put(db.get(), i, 3000);
      const WalTail tail = scan();
      EXPECT_EQ(tail.records, i + 1 + metadata) << tail.ToString();
      EXPECT_TRUE(tail.SafeToTrim());
    }
    if (!compressed) {
      EXPECT_EQ(scan().stop, WalTailStop::kForeignLogNumber) << scan().ToString();
    }
  }
}

}  // namespace
}  // namespace bloom_lfs

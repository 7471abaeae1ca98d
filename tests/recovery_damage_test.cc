// Rings that are damaged, cut short, or nothing of the kind. Whatever they hold: no crash, no hang,
// and no byte in the log that its owner did not append.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "lss/base/crc32c.h"
#include "lss/recovery/recovery.h"
#include "tests/support/dead_log.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using bloom_lfs::test::ReadFile;
using bloom_lfs::test::TempDir;
using bloom_lfs::test::WriteFile;
using test::DeadLog;
using test::Exists;
using test::ReadLog;
using test::Stream;

constexpr size_t kFixedEnd = offsetof(RingHeader, fixed_checksum) + sizeof(uint32_t);

class RecoveryDamageTest : public testing::Test {
 protected:
  // In its second lap, bytes on either side of the watermark.
  RecoveryDamageTest() {
    log_.stream = Stream(25000);
    log_.hi_stable = 15000;
    log_.durable = 10000;
    log_.committed = 24500;
    log_.behind = std::string(5000, '\0');
    ring_path_ = log_.MakeAt(path_);
    intact_ = ReadFile(ring_path_);
    intact_.resize(RingFileBytes(4096, 4));  // the reserve may have gone
  }

  void PutRing(const std::string& bytes) {
    mkdir(rings_.c_str(), 0755);
    WriteFile(path_, log_.File());  // the same inode
    WriteFile(ring_path_, bytes);
    unlink((ring_path_ + kAsideSuffix).c_str());
  }
  std::string Flipped(size_t at, char mask) const {
    std::string bytes = intact_;
    bytes[at] = static_cast<char>(bytes[at] ^ mask);
    return bytes;
  }
  // The case, or R2 (which it cannot be) after an error.
  RingCase Run() {
    std::vector<RecoveredFile> recovered;
    status_ = Recover(rings_, {path_}, {}, &recovered);
    return recovered.size() == 1 ? recovered[0].ring_case : RingCase::kR2OwnerAlive;
  }
  void ExpectLogUntouched() {
    ASSERT_TRUE(ReadFile(path_) == log_.File()) << "now " << ReadFile(path_).size() << " bytes";
  }

  DeadLog log_;
  TempDir dir_;
  const std::string path_ = dir_ / "000007.log";
  const std::string rings_ = dir_ / kRingDirectoryName;
  std::string ring_path_;
  std::string intact_;
  Status status_;
};

TEST_F(RecoveryDamageTest, IntactRingIsReplayed) {
  PutRing(intact_);
  EXPECT_EQ(Run(), RingCase::kR3ProcessKilled);
  EXPECT_TRUE(ReadFile(path_) == log_.Promised());
}

TEST_F(RecoveryDamageTest, EveryBitOfTheChecksummedHeaderCounts) {
  const size_t version = offsetof(RingHeaderFixed, format_version);
  for (size_t at = 0; at < kFixedEnd; ++at) {
    for (int bit = 0; bit < 9; ++bit) {
      SCOPED_TRACE("byte " + std::to_string(at) + ", bit " + std::to_string(bit));
      PutRing(Flipped(at, static_cast<char>(bit < 8 ? 1 << bit : 0xff)));
      const test::Reading reading = ReadLog(path_, ring_path_);
      const RingCase found = Run();
      ASSERT_NO_FATAL_FAILURE(ExpectLogUntouched());
      // A version that is not ours: an earlier one (0) or a later one.
      const bool later = at >= version && at < version + 4 && !(at == version && bit == 0);
      if (later) {
        ASSERT_EQ(reading.status.code(), Status::Code::kNotSupported);
        ASSERT_EQ(status_.code(), Status::Code::kNotSupported);
        ASSERT_TRUE(Exists(ring_path_)) << "its bytes are not ours to drop";
      } else {
        ASSERT_EQ(found, RingCase::kR6Damaged);
        ASSERT_TRUE(reading.bytes == log_.File());
        ASSERT_TRUE(Exists(ring_path_ + kAsideSuffix));
      }
    }
  }
}

// The live part is not covered by the header's checksum. Damage there may cost what was not synced;
// it must never put anything into the log, or tell a reader anything, that was not appended.
TEST_F(RecoveryDamageTest, NoBitOfTheLiveHeaderMakesWrongBytes) {
  size_t untouched = 0;
  size_t complete = 0;
  for (size_t at = kFixedEnd; at < offsetof(RingHeader, base) + 5 * sizeof(uint64_t); ++at) {
    for (int bit = 0; bit < 9; ++bit) {
      SCOPED_TRACE("byte " + std::to_string(at) + ", bit " + std::to_string(bit));
      PutRing(Flipped(at, static_cast<char>(bit < 8 ? 1 << bit : 0xff)));
      const test::Reading reading = ReadLog(path_, ring_path_);
      if (reading.status.ok()) {
        EXPECT_TRUE(reading.bytes == log_.File() || reading.bytes == log_.Promised())
            << "a reader gets " << reading.bytes.size() << " bytes";
      }
      (void)Run();
      EXPECT_TRUE(status_.ok()) << "the database cannot be opened: " << status_.ToString();
      const std::string file = ReadFile(path_);
      untouched += file == log_.File() ? 1 : 0;
      complete += file == log_.Promised() ? 1 : 0;
      EXPECT_TRUE(file == log_.File() || file == log_.Promised())
          << "the log has " << file.size() << " bytes";
    }
  }
  EXPECT_GT(untouched, 0U);
  EXPECT_GT(complete, 0U);
}

// Whole words, as a wild store would leave them.
TEST_F(RecoveryDamageTest, NoWordOfTheLiveHeaderMakesWrongBytes) {
  const uint64_t values[] = {0,
                             1,
                             4095,
                             4096,
                             14999,
                             15001,
                             16384,
                             24499,
                             24501,
                             28672,
                             32768,
                             1ULL << 31,
                             1ULL << 40,
                             1ULL << 63,
                             UINT64_MAX - 4096,
                             UINT64_MAX - 1,
                             UINT64_MAX};
  const size_t words[] = {offsetof(RingHeader, committed), offsetof(RingHeader, hi_stable),
                          offsetof(RingHeader, durable),   offsetof(RingHeader, state),
                          offsetof(RingHeader, base),      offsetof(RingHeader, base) + 8,
                          offsetof(RingHeader, base) + 16, offsetof(RingHeader, base) + 24};
  for (const size_t word : words) {
    for (const uint64_t value : values) {
      SCOPED_TRACE("word at " + std::to_string(word) + " becomes " + std::to_string(value));
      std::string bytes = intact_;
      std::memcpy(&bytes[word], &value, sizeof(value));
      PutRing(bytes);
      const test::Reading reading = ReadLog(path_, ring_path_);
      if (reading.status.ok()) {
        EXPECT_TRUE(reading.bytes == log_.File() || reading.bytes == log_.Promised())
            << "a reader gets " << reading.bytes.size() << " bytes";
      }
      (void)Run();
      EXPECT_TRUE(status_.ok()) << "the database cannot be opened: " << status_.ToString();
      const std::string file = ReadFile(path_);
      EXPECT_TRUE(file == log_.File() || file == log_.Promised())
          << "the log has " << file.size() << " bytes";
    }
  }
}

// Everything behind the checksum at once: nothing to rely on, but nothing may break either.
TEST_F(RecoveryDamageTest, RandomLiveHeadersNeitherCrashNorHang) {
  std::mt19937_64 random(20240502);
  const uint64_t edges[] = {0, 1, 4096, 15000, 24500, 1ULL << 62, UINT64_MAX - 4096, UINT64_MAX};
  for (int round = 0; round < 700; ++round) {
    std::string bytes = intact_;
    for (size_t at = offsetof(RingHeader, committed); at + 8 <= sizeof(RingHeader); at += 8) {
      const uint64_t edge = edges[random() % 8] + random() % 3 - 1;
      const uint64_t value = random() % 2 == 0 ? edge : random() % 40000;
      std::memcpy(&bytes[at], &value, sizeof(value));
    }
    PutRing(bytes);
    (void)ReadLog(path_, ring_path_);
    (void)Run();
    const std::string file = ReadFile(path_);
    ASSERT_LE(file.size(), 1U << 20) << "round " << round << ": a file out of thin air";
    ASSERT_EQ(file.substr(0, 10000), log_.stream.substr(0, std::min<size_t>(10000, file.size())))
        << "round " << round << ": synced bytes were overwritten";
  }
}

TEST_F(RecoveryDamageTest, RingCutShortAtAnyLengthIsNotUsed) {
  std::vector<size_t> lengths;
  for (size_t length = 0; length < intact_.size(); length += length < 8192 ? 61 : 997) {
    lengths.push_back(length);
  }
  lengths.push_back(kPageBytes - 1);
  lengths.push_back(kPageBytes);
  lengths.push_back(intact_.size() - 1);
  for (const size_t length : lengths) {
    SCOPED_TRACE(std::to_string(length) + " bytes");
    PutRing(intact_.substr(0, length));
    EXPECT_TRUE(ReadLog(path_, ring_path_).bytes == log_.File());
    EXPECT_EQ(Run(), length == 0 ? RingCase::kR1Unfinished : RingCase::kR6Damaged);
    EXPECT_TRUE(status_.ok()) << status_.ToString();
    ASSERT_NO_FATAL_FAILURE(ExpectLogUntouched());
  }
}

TEST_F(RecoveryDamageTest, RingWithBytesBehindItsEndIsStillGood) {
  PutRing(intact_ + std::string(12345, 'x'));
  EXPECT_EQ(Run(), RingCase::kR3ProcessKilled);
  EXPECT_TRUE(ReadFile(path_) == log_.Promised());
}

// Sizes that no store would accept, under a checksum that fits.
TEST_F(RecoveryDamageTest, ImpossibleSizesAreDamage) {
  const struct {
    uint32_t buffer_bytes;
    uint32_t buffer_count;
  } sizes[] = {{0, 4},          {4096, 0},          {4097, 4},
               {4096, 1},       {4096, 257},        {1 << 21, 4},
               {UINT32_MAX, 4}, {4096, UINT32_MAX}, {1U << 31, 1U << 31},
               {1 << 20, 256},  {4096, 5}};
  for (const auto& size : sizes) {
    SCOPED_TRACE(std::to_string(size.buffer_bytes) + " x " + std::to_string(size.buffer_count));
    PutRing(intact_);
    test::RewriteRing(ring_path_, [&](RingHeaderFixed* fixed) {
      fixed->buffer_bytes = size.buffer_bytes;
      fixed->buffer_count = size.buffer_count;
    });
    EXPECT_TRUE(ReadLog(path_, ring_path_).bytes == log_.File());
    EXPECT_EQ(Run(), RingCase::kR6Damaged);
    ASSERT_NO_FATAL_FAILURE(ExpectLogUntouched());
  }
}

TEST_F(RecoveryDamageTest, GarbageNeverTouchesTheLog) {
  std::mt19937 random(20240503);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % (random() % 10 == 0 ? 30000 : 6000), '\0');
    for (size_t at = 0; at + 4 <= bytes.size(); at += 4) {
      const auto word = static_cast<uint32_t>(random());
      std::memcpy(&bytes[at], &word, sizeof(word));
    }
    // Some of it looks like a ring for a while.
    const size_t real = random() % 4 == 0 ? random() % (kFixedEnd - 5) : 0;
    bytes.replace(0, std::min(real, bytes.size()), intact_.substr(0, std::min(real, bytes.size())));
    PutRing(bytes);
    const test::Reading reading = ReadLog(path_, ring_path_);
    (void)Run();
    ASSERT_NO_FATAL_FAILURE(ExpectLogUntouched());
    const bool refused = status_.code() == Status::Code::kNotSupported;
    ASSERT_TRUE(status_.ok() || refused) << status_.ToString();
    ASSERT_TRUE(refused || reading.bytes == log_.File()) << "round " << round;
  }
}

// A machine that went down: the same damage, judged by what another boot would find.
TEST_F(RecoveryDamageTest, LiveHeaderIsNotBelievedAfterARestart) {
  std::mt19937_64 random(20240504);
  test::RestartMachine(ring_path_);
  intact_ = ReadFile(ring_path_);
  for (int round = 0; round < 150; ++round) {
    std::string bytes = intact_;
    for (size_t at = offsetof(RingHeader, committed); at + 8 <= sizeof(RingHeader); at += 8) {
      const uint64_t value = random() % 3 == 0 ? random() : random() % 40000;
      std::memcpy(&bytes[at], &value, sizeof(value));
    }
    PutRing(bytes);
    const RingCase found = Run();
    EXPECT_TRUE(found == RingCase::kR5MachineDown || found == RingCase::kR10NotUsed);
    EXPECT_TRUE(status_.ok()) << status_.ToString();
    ASSERT_NO_FATAL_FAILURE(ExpectLogUntouched());  // without a scanner every byte counts
  }
}

}  // namespace
}  // namespace lss

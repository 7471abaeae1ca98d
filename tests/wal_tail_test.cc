// FindWalTail on logs made by hand: everything a RocksDB of any version may write, everything it
// never writes, and an I/O layer that misbehaves. (Logs by RocksDB itself: wal_tail_damage_test.)

#include "plugin/wal_tail.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/support/wal_builder.h"

namespace bloom_lfs {
namespace {

using test::Payload;
using test::WalBuilder;

constexpr size_t kBlock = WalBuilder::kBlockSize;

TailReadFunction Reader(const std::string& bytes) {
  return [&bytes](uint64_t offset, size_t n, char* scratch) -> int64_t {
    if (offset >= bytes.size()) return 0;
    const size_t count = std::min<size_t>(n, bytes.size() - static_cast<size_t>(offset));
    std::memcpy(scratch, bytes.data() + offset, count);
    return static_cast<int64_t>(count);
  };
}

WalTail Scan(const std::string& bytes, std::optional<uint32_t> log_number = std::nullopt) {
  return FindWalTail(Reader(bytes), bytes.size(), log_number);
}

void ExpectTail(const WalTail& tail, uint64_t end, uint64_t records, WalTailStop stop,
                const char* what) {
  EXPECT_EQ(tail.end, end) << what << ": " << tail.ToString();
  EXPECT_EQ(tail.records, records) << what << ": " << tail.ToString();
  EXPECT_STREQ(ToString(tail.stop), ToString(stop)) << what;
  EXPECT_EQ(tail.error, 0) << what;
  EXPECT_GE(tail.stop_offset, tail.end) << what;
}

TEST(WalTailTest, EmptyFile) { ExpectTail(Scan(""), 0, 0, WalTailStop::kEndOfFile, "empty"); }

TEST(WalTailTest, OnlyZeros) {
  for (const size_t n : {size_t{1}, size_t{7}, size_t{4096}, kBlock - 1, kBlock, 3 * kBlock + 5}) {
    ExpectTail(Scan(std::string(n, '\0')), 0, 0, WalTailStop::kZeros, "zeros");
  }
}

TEST(WalTailTest, WholeLogsOfBothHeaderKinds) {
  for (WalBuilder log : {WalBuilder(), WalBuilder(7)}) {
    for (const size_t n : {0, 1, 100, 5000, 40000, 100, 300000, 3}) log.Add(Payload(n));
    ExpectTail(Scan(log.bytes()), log.size(), 8, WalTailStop::kEndOfFile, "whole");
  }
}

// The room left in a block when the next record starts decides between a trailer, an empty FIRST
// fragment and a tiny one; every case, with and without the next record cut off in its first bytes.
TEST(WalTailTest, EveryRoomAtABlocksEnd) {
  for (const size_t header : {size_t{7}, size_t{11}}) {
    for (size_t room = 0; room <= 30; ++room) {
      WalBuilder log = header == 7 ? WalBuilder() : WalBuilder(9);
      log.Add(Payload(kBlock - header - room)).Add(Payload(50));
      ExpectTail(Scan(log.bytes()), log.size(), 2, WalTailStop::kEndOfFile, "room at block's end");
      for (uint64_t cut = log.ends()[0]; cut < log.ends()[1]; ++cut) {
        const WalTail tail = Scan(log.bytes().substr(0, cut));
        ASSERT_EQ(tail.end, log.ends()[0]) << "room " << room << " cut " << cut;
        ASSERT_EQ(tail.records, 1u) << "room " << room << " cut " << cut;
      }
    }
  }
}

// A trailer holds nothing, so nothing in it can be damaged: readers skip it unseen.
TEST(WalTailTest, GarbageInATrailerIsIgnored) {
  for (const size_t header : {size_t{7}, size_t{11}}) {
    WalBuilder log = header == 7 ? WalBuilder() : WalBuilder(3);
    log.Add(Payload(kBlock - 2 * header + 1)).Add(Payload(100));
    std::string bytes = log.bytes();
    for (size_t i = kBlock - header + 1; i < kBlock; ++i) {
      ASSERT_EQ(bytes[i], '\0');
      bytes[i] = '\x05';
    }
    ExpectTail(Scan(bytes), log.size(), 2, WalTailStop::kEndOfFile, "trailer");
  }
}

TEST(WalTailTest, ZerosBehindTheLastRecord) {
  WalBuilder log;
  log.Add(Payload(100)).Add(Payload(70000));
  for (const size_t zeros : {1, 6, 7, 4096, 40000, 200000}) {
    ExpectTail(Scan(log.bytes() + std::string(zeros, '\0')), log.size(), 2, WalTailStop::kZeros,
               "prepared space");
  }
}

TEST(WalTailTest, ZerosInsideAFragmentedRecord) {
  WalBuilder log;
  log.Add(Payload(100)).Add(Payload(100000));
  for (size_t block = 1; block <= 3; ++block) {
    std::string bytes = log.bytes();
    std::fill(bytes.begin() + static_cast<ptrdiff_t>(block * kBlock), bytes.end(), '\0');
    ExpectTail(Scan(bytes), log.ends()[0], 1, WalTailStop::kZeros, "zeros between fragments");
  }
}

TEST(WalTailTest, NothingBehindAHoleCounts) {
  WalBuilder log;
  for (int i = 0; i < 20; ++i) log.Add(Payload(3000, static_cast<uint32_t>(i)));
  std::string bytes = log.bytes();
  std::fill_n(bytes.begin() + static_cast<ptrdiff_t>(log.ends()[4]), 7, '\0');
  ExpectTail(Scan(bytes), log.ends()[4], 5, WalTailStop::kZeros, "a hole of one header");
}

TEST(WalTailTest, RecycledFileWithOldRecordsBehindTheNew) {
  WalBuilder old_life(41);
  for (int i = 0; i < 30; ++i) old_life.Add(Payload(2000));
  WalBuilder new_life(42);
  for (int i = 0; i < 3; ++i) new_life.Add(Payload(2000, 2));
  const std::string bytes = new_life.bytes() + old_life.bytes().substr(new_life.size());
  ExpectTail(Scan(bytes), new_life.size(), 3, WalTailStop::kForeignLogNumber, "first decides");
  ExpectTail(Scan(bytes, 42), new_life.size(), 3, WalTailStop::kForeignLogNumber, "name decides");
  ExpectTail(Scan(bytes, 41), 0, 0, WalTailStop::kForeignLogNumber, "wrong name");
}

// The compression record carries no log number, so old records right behind it look like the
// first of this log to anyone who does not know the file's number.
TEST(WalTailTest, RecycledFileWithOnlyTheCompressionRecordNeedsTheNumber) {
  WalBuilder old_life(41);
  old_life.AddCompressionType().Add(Payload(2000)).Add(Payload(2000));
  ExpectTail(Scan(old_life.bytes(), 42), 11, 1, WalTailStop::kForeignLogNumber, "number known");
  ExpectTail(Scan(old_life.bytes(), 41), old_life.size(), 3, WalTailStop::kEndOfFile, "its own");
}

TEST(WalTailTest, MetadataRecordsOfLaterVersions) {
  for (WalBuilder log : {WalBuilder(), WalBuilder(12)}) {
    log.AddCompressionType().AddMetadata(130, Payload(24)).AddMetadata(10, Payload(6));
    log.Add(Payload(500)).AddMetadata(10, Payload(12)).Add(Payload(50000));
    ExpectTail(Scan(log.bytes()), log.size(), 6, WalTailStop::kEndOfFile, "metadata");
  }
}

// Such a record is not fragmented: the rest of the block becomes zeros, which are no hole.
TEST(WalTailTest, ZeroPaddingInFrontOfAMetadataRecord) {
  for (const size_t header : {size_t{7}, size_t{11}}) {
    for (size_t room = 0; room < header + 24; ++room) {
      WalBuilder log = header == 7 ? WalBuilder() : WalBuilder(12);
      log.Add(Payload(kBlock - header - room)).AddMetadata(130, Payload(24)).Add(Payload(100));
      ExpectTail(Scan(log.bytes()), log.size(), 3, WalTailStop::kEndOfFile, "padding");
      ExpectTail(Scan(log.bytes().substr(0, log.ends()[1])), log.ends()[1], 2,
                 WalTailStop::kEndOfFile, "padding, then the end");
      const WalTail cut = Scan(log.bytes().substr(0, log.ends()[1] - 1));
      EXPECT_EQ(cut.end, log.ends()[0]) << "room " << room;
    }
  }
}

// Zeros to a block's end that no metadata record explains are a hole, whatever follows.
TEST(WalTailTest, UnexplainedZerosToABlocksEnd) {
  WalBuilder data;
  data.Add(Payload(1000)).AddRaw(std::string(kBlock - 1007, '\0')).Add(Payload(100));
  ExpectTail(Scan(data.bytes()), 1007, 1, WalTailStop::kZeros, "a data record follows");

  WalBuilder would_fit_in_part;  // data is fragmented, so that no zeros are needed in front of it
  would_fit_in_part.Add(Payload(kBlock - 7 - 20)).AddRaw(std::string(20, '\0')).Add(Payload(100));
  ExpectTail(Scan(would_fit_in_part.bytes()), kBlock - 20, 1, WalTailStop::kZeros, "data follows");

  WalBuilder fragment;
  fragment.Add(Payload(100)).AddPhysical(2, Payload(kBlock - 107 - 7 - 20), false);
  fragment.AddRaw(std::string(20, '\0')).AddMetadata(130, Payload(24));
  ExpectTail(Scan(fragment.bytes()), 107, 1, WalTailStop::kZeros, "inside a fragmented record");

  WalBuilder fits;  // the metadata record would have had room in front of the block's end
  fits.Add(Payload(kBlock - 7 - 60)).AddRaw(std::string(60, '\0')).AddMetadata(130, Payload(24));
  ExpectTail(Scan(fits.bytes()), kBlock - 60, 1, WalTailStop::kZeros, "it would have fitted");

  WalBuilder nothing;
  nothing.Add(Payload(kBlock - 7 - 20)).AddRaw(std::string(20, '\0'));
  ExpectTail(Scan(nothing.bytes()), kBlock - 20, 1, WalTailStop::kZeros, "nothing follows");

  WalBuilder zeros;
  zeros.Add(Payload(kBlock - 7 - 20)).AddRaw(std::string(20 + 3 * kBlock, '\0'));
  ExpectTail(Scan(zeros.bytes()), kBlock - 20, 1, WalTailStop::kZeros, "zeros follow");
  EXPECT_EQ(Scan(zeros.bytes()).stop_offset, kBlock - 20);
}

// Valid, but of a kind only a later version knows: the file must not be trimmed for our ignorance.
TEST(WalTailTest, UnknownTypesForbidTrimming) {
  for (const int type : {0, 12, 13, 60, 127, 128, 129, 132, 133, 255}) {
    for (const bool recyclable_header : {false, true}) {
      WalBuilder log(5);
      log.Add(Payload(100));
      const uint64_t end = log.size();
      log.AddPhysical(static_cast<uint8_t>(type), Payload(30), recyclable_header);
      log.Add(Payload(100));
      const WalTail tail = Scan(log.bytes());
      ExpectTail(tail, end, 1, WalTailStop::kUnknownType, "unknown type");
      EXPECT_FALSE(tail.SafeToTrim());

      std::string damaged = log.bytes();
      damaged[end + 20] ^= 1;  // now it is not a record of any version
      const WalTail garbage = Scan(damaged);
      ExpectTail(garbage, end, 1, WalTailStop::kBadChecksum, "unknown type, damaged");
      EXPECT_TRUE(garbage.SafeToTrim());
    }
  }
}

// RocksDB's encryption above us: what was synced must not be given up for a torn tail.
TEST(WalTailTest, AFileOfWhichNothingReadsLikeALogIsNotTrimmed) {
  WalBuilder log(5);
  log.Add(Payload(5000));
  log.Add(Payload(100));
  std::string encrypted = log.bytes();
  for (char& byte : encrypted) {
    byte = static_cast<char>(byte ^ 0x5c);
  }
  const WalTail tail = Scan(encrypted + std::string(10000, '\0'));
  EXPECT_EQ(tail.end, 0U);
  EXPECT_FALSE(tail.SafeToTrim());
  EXPECT_TRUE(Scan(log.bytes() + encrypted).SafeToTrim());
  EXPECT_TRUE(Scan(std::string(10000, '\0')).SafeToTrim()) << "its first page never arrived";
}

// A log that begins with a record which is not whole is a log all the same.
TEST(WalTailTest, ATornFirstRecordIsTrimmed) {
  for (const size_t size : {3000U, 40000U}) {
    for (const bool recyclable : {false, true}) {
      WalBuilder log = recyclable ? WalBuilder(5) : WalBuilder();
      log.AddBatch(70, 3, Payload(size));
      for (const size_t arrived : {100U, 2000U}) {
        for (const size_t zeros : {0U, 100000U}) {
          const std::string bytes = log.bytes().substr(0, arrived) + std::string(zeros, '\0');
          const WalTail tail = Scan(bytes);
          EXPECT_EQ(tail.end, 0U);
          EXPECT_TRUE(tail.SafeToTrim()) << tail.ToString();
          EXPECT_GE(tail.stop_end, std::min<size_t>(size, 32768)) << tail.ToString();
        }
      }
    }
  }
}

TEST(WalTailTest, RandomBytesAreNotTrimmed) {
  for (uint32_t seed = 0; seed < 20000; ++seed) {
    const std::string bytes = Payload(100, seed);
    EXPECT_FALSE(Scan(bytes).SafeToTrim()) << seed;
  }
}

TEST(WalTailTest, RecordsOutOfSequence) {
  enum : uint8_t { kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4, kCompression = 9, kMeta = 10 };
  const std::vector<std::vector<uint8_t>> wrong = {{kMiddle},
                                                   {kLast},
                                                   {kFirst, kFull},
                                                   {kFirst, kFirst},
                                                   {kFirst, kFirst, kLast},
                                                   {kFirst, kMeta},
                                                   {kCompression},
                                                   {kMiddle, kLast},
                                                   {kFirst, kMiddle, kFull},
                                                   {kFirst, kCompression}};
  for (const std::vector<uint8_t>& types : wrong) {
    WalBuilder log;
    log.Add(Payload(10));
    const uint64_t end = log.size();
    for (const uint8_t type : types) log.AddPhysical(type, Payload(20), false);
    log.AddPhysical(kFull, Payload(20), false);
    ExpectTail(Scan(log.bytes()), end, 1, WalTailStop::kOutOfSequence, "sequence");
  }
  WalBuilder empty_first;  // tolerated in front of a new beginning, but here something follows it
  empty_first.AddPhysical(kFirst, "", false).AddPhysical(kMiddle, Payload(20), false);
  empty_first.AddPhysical(kFull, Payload(20), false);
  ExpectTail(Scan(empty_first.bytes()), 0, 0, WalTailStop::kOutOfSequence, "empty FIRST, MIDDLE");
  WalBuilder twice;
  twice.AddCompressionType().AddCompressionType();
  ExpectTail(Scan(twice.bytes()), 11, 1, WalTailStop::kOutOfSequence, "compression twice");
}

TEST(WalTailTest, EmptyFirstFragmentOfVeryOldWriters) {
  WalBuilder log;
  log.Add(Payload(kBlock - 14)).AddPhysical(2, "", false).Add(Payload(100)).Add(Payload(7));
  ExpectTail(Scan(log.bytes()), log.size(), 3, WalTailStop::kEndOfFile, "empty FIRST");
}

TEST(WalTailTest, LengthBeyondTheBlock) {
  WalBuilder log;
  log.Add(Payload(100));
  std::string bytes = log.bytes() + std::string(40000, 'x');
  bytes[log.size() + 4] = '\xff';
  bytes[log.size() + 5] = '\xff';
  bytes[log.size() + 6] = 1;
  ExpectTail(Scan(bytes), log.size(), 1, WalTailStop::kBadLength, "length");
}

TEST(WalTailTest, ReadErrorsAreErrorsWhereverTheyHappen) {
  WalBuilder log;
  for (int i = 0; i < 40; ++i) log.Add(Payload(30000));
  for (uint64_t bad = 0; bad < log.size(); bad += 9973) {
    const TailReadFunction good = Reader(log.bytes());
    const TailReadFunction failing = [&](uint64_t offset, size_t n, char* scratch) -> int64_t {
      return offset + n > bad ? -EIO : good(offset, n, scratch);
    };
    const WalTail tail = FindWalTail(failing, log.size());
    EXPECT_EQ(tail.error, EIO);
    EXPECT_EQ(tail.stop, WalTailStop::kReadError);
    EXPECT_FALSE(tail.SafeToTrim());
    EXPECT_NE(tail.ToString().find(std::strerror(EIO)), std::string::npos) << tail.ToString();
  }
}

TEST(WalTailTest, ShortAndInterruptedReadsChangeNothing) {
  WalBuilder log(3);
  for (int i = 0; i < 40; ++i) log.Add(Payload(20000));
  std::mt19937 random(1);
  const TailReadFunction good = Reader(log.bytes());
  const TailReadFunction flaky = [&](uint64_t offset, size_t n, char* scratch) -> int64_t {
    if (random() % 4 == 0) return -EINTR;
    return good(offset, 1 + random() % std::min<size_t>(n, 5000), scratch);
  };
  ExpectTail(FindWalTail(flaky, log.size()), log.size(), 40, WalTailStop::kEndOfFile, "flaky");
}

TEST(WalTailTest, AReaderThatClaimsTooMuchIsAnError) {
  const TailReadFunction lying = [](uint64_t, size_t n, char*) -> int64_t {
    return static_cast<int64_t>(n) + 1;
  };
  EXPECT_EQ(FindWalTail(lying, 1000).error, EIO);
}

TEST(WalTailTest, FileShorterThanAnnounced) {
  WalBuilder log;
  log.Add(Payload(100)).Add(Payload(100));
  ExpectTail(FindWalTail(Reader(log.bytes()), log.size() + 100000), log.size(), 2,
             WalTailStop::kEndOfFile, "shorter");
}

TEST(WalTailTest, MemoryIsBounded) {
  const std::string piece = WalBuilder().Add(Payload(kBlock - 7)).bytes();
  size_t largest = 0;
  const TailReadFunction endless = [&](uint64_t offset, size_t n, char* scratch) -> int64_t {
    largest = std::max(largest, n);
    for (size_t done = 0; done < n; done += kBlock) {
      std::memcpy(scratch + done, piece.data(), std::min(kBlock, n - done));
    }
    EXPECT_EQ(offset % kBlock, 0u);
    return static_cast<int64_t>(n);
  };
  const uint64_t size = 1024 * kBlock;
  ExpectTail(FindWalTail(endless, size), size, 1024, WalTailStop::kEndOfFile, "32 MiB");
  EXPECT_LE(largest, 1u << 20);
}

// Random files, and random damage to good ones. Whatever the scan says, it must say the same again
// of what it would keep: the kept part is whole.
TEST(WalTailTest, AnyInputGivesAStableAnswer) {
  std::mt19937 random(20240601);
  for (int round = 0; round < 1500; ++round) {
    std::string bytes;
    if (round % 10 == 0) {
      bytes = Payload(random() % 100000, static_cast<uint32_t>(round));
    } else {
      WalBuilder log = round % 2 == 0 ? WalBuilder() : WalBuilder(77);
      for (int i = 0; i < 12; ++i) {
        if (random() % 3 == 0) log.AddMetadata(10, Payload(random() % 40));
        log.Add(Payload(random() % (random() % 4 == 0 ? 40000 : 300)));
      }
      bytes = log.bytes();
      for (uint32_t i = random() % 4; i > 0; --i) {
        bytes[random() % bytes.size()] = static_cast<char>(random() % 12);
      }
      if (random() % 4 == 0) bytes.erase(random() % bytes.size(), random() % 5000);
    }
    const WalTail tail = Scan(bytes);
    ASSERT_LE(tail.end, bytes.size());
    const WalTail again = Scan(bytes.substr(0, tail.end));
    ExpectTail(again, tail.end, tail.records, WalTailStop::kEndOfFile, "kept part");
  }
}

}  // namespace
}  // namespace bloom_lfs

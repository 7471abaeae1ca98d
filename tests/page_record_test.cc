// Records: what was written is read, and nothing else is taken for one.
#include "lss/pages/page_record.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lss {
namespace {

RecordHead HeadFor(uint32_t length, uint64_t lsn) {
  RecordHead head;
  head.key = {0x1122334455667788, lsn};
  head.lsn = lsn;
  head.store_id = 77;
  head.length = length;
  head.compression = 5;
  head.tier = 2;
  return head;
}

std::string Encoded(uint32_t length, uint64_t lsn) {
  std::string bytes(RecordBytes(length), '?');
  EncodeRecord(HeadFor(length, lsn), std::string(length, 'p').data(), bytes.data());
  return bytes;
}

TEST(PageRecordTest, ComesBackAsItWas) {
  for (const uint32_t length : {1U, 15U, 16U, 17U, 4096U, kMaxPageBytes}) {
    const std::string bytes = Encoded(length, 64 * length);
    RecordHead head;
    ASSERT_TRUE(DecodeRecord(bytes.data(), bytes.size(), &head)) << length;
    EXPECT_EQ(head.key, HeadFor(length, 64 * length).key);
    EXPECT_EQ(head.lsn, 64 * length);
    EXPECT_EQ(head.store_id, 77U);
    EXPECT_EQ(head.length, length);
    EXPECT_EQ(head.compression, 5);
    EXPECT_EQ(head.tier, 2);
    EXPECT_EQ(bytes.size() % 64, 0U);
  }
}

TEST(PageRecordTest, EveryFlippedBitIsSeen) {
  const uint32_t length = 100;
  const std::string good = Encoded(length, 640);
  for (size_t bit = 0; bit < 8 * (kRecordHeaderBytes + length); ++bit) {
    std::string bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    RecordHead head;
    EXPECT_FALSE(DecodeRecord(bytes.data(), bytes.size(), &head)) << "bit " << bit;
  }
}

TEST(PageRecordTest, ARecordThatIsNotAllThereIsNone) {
  const std::string bytes = Encoded(1000, 0);
  for (size_t size = 0; size < kRecordHeaderBytes + 1000; ++size) {
    RecordHead head;
    ASSERT_FALSE(DecodeRecord(bytes.data(), size, &head)) << size;
  }
}

TEST(RecordWalkTest, FindsRecordsAcrossGapsAndDamage) {
  std::string piece(1 << 20, '\0');
  const uint64_t lsn = 5 << 20;
  std::vector<size_t> at;
  const auto put = [&](size_t offset, uint32_t length, uint64_t says) {
    const std::string bytes = Encoded(length, says);
    piece.replace(offset, bytes.size(), bytes);
  };
  put(0, 4000, lsn);
  put(RecordBytes(4000), 100, lsn + RecordBytes(4000));
  put(8192, 70000, lsn + 8192);              // behind zeros
  put(90112, 500, lsn + 90112 - (1 << 30));  // of an earlier lap
  put(94208, 500, lsn + 94208);
  put(98304, 500, lsn + 98304);  // to be damaged
  piece[98304 + 200] ^= 1;
  put(102400, 500, lsn + 102400);
  RecordWalk walk(piece.data(), piece.size(), lsn, 77);
  RecordWalk::Record record;
  while (walk.Next(&record)) {
    EXPECT_EQ(record.head.lsn, lsn + record.offset);
    EXPECT_EQ(record.page[0], 'p');
    at.push_back(record.offset);
  }
  EXPECT_EQ(at, (std::vector<size_t>{0, RecordBytes(4000), 8192, 94208, 102400}));
  RecordWalk other(piece.data(), piece.size(), lsn, 78);
  EXPECT_FALSE(other.Next(&record)) << "another store's";
}

TEST(RecordWalkTest, NothingReadsBehindThePiece) {
  std::string piece(8192, '\0');
  const std::string bytes = Encoded(5000, 4096);
  piece.replace(4096, 4096, bytes.substr(0, 4096));
  const std::vector<char> exact(piece.begin(), piece.end());  // ASan watches its end
  RecordWalk walk(exact.data(), exact.size(), 0, 77);
  RecordWalk::Record record;
  EXPECT_FALSE(walk.Next(&record));
}

}  // namespace
}  // namespace lss

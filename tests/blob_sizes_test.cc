// The mean size of a blob file's records, read off as the bytes pass by.

#include "plugin/blob_sizes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace bloom_lfs {
namespace {

std::string FileHeader(uint32_t version = blob_format::kVersion) {
  std::string header(blob_format::kHeaderBytes, '\0');
  std::memcpy(header.data(), &blob_format::kMagic, 4);
  std::memcpy(header.data() + 4, &version, 4);
  return header;
}

std::string RecordHeader(uint64_t key_bytes, uint64_t value_bytes) {
  std::string header(blob_format::kRecordHeaderBytes, '\0');
  std::memcpy(header.data(), &key_bytes, 8);
  std::memcpy(header.data() + 8, &value_bytes, 8);
  return header;
}

std::string Record(uint64_t key_bytes, uint64_t value_bytes) {
  // Bytes that would be enormous lengths if they were taken for a header.
  return RecordHeader(key_bytes, value_bytes) + std::string(key_bytes + value_bytes, '\xff');
}

std::string Footer() {
  std::string footer(blob_format::kFooterBytes, '\xff');
  std::memcpy(footer.data(), &blob_format::kMagic, 4);
  return footer;
}

uint64_t MeanOf(const std::string& bytes, size_t piece_bytes) {
  BlobSizes sizes;
  for (size_t at = 0; at < bytes.size(); at += piece_bytes) {
    sizes.Observe(bytes.data() + at, std::min(piece_bytes, bytes.size() - at));
  }
  return sizes.MeanRecordBytes();
}

TEST(BlobSizes, MeanCoversHeaderKeyAndValueHoweverTheBytesArrive) {
  const std::string file = FileHeader() + Record(16, 1000) + Record(16, 3000) + Record(0, 0);
  const uint64_t mean = (48 + 1000 + 48 + 3000 + 32) / 3;
  for (const size_t piece : {1UL, 7UL, 29UL, 30UL, 31UL, 32UL, 33UL, 1000UL, file.size()}) {
    EXPECT_EQ(MeanOf(file, piece), mean) << "in pieces of " << piece;
    EXPECT_EQ(MeanOf(file + Footer(), piece), mean) << "complete, in pieces of " << piece;
  }
}

TEST(BlobSizes, ARecordCountsAsSoonAsItsHeaderIsThere) {
  BlobSizes sizes;
  const std::string begin = FileHeader() + RecordHeader(8, 1 << 20);
  sizes.Observe(begin.data(), begin.size() - 1);
  EXPECT_EQ(sizes.MeanRecordBytes(), 0U);
  sizes.Observe(begin.data() + begin.size() - 1, 1);
  EXPECT_EQ(sizes.MeanRecordBytes(), 32U + 8U + (1U << 20));
}

TEST(BlobSizes, NothingIsSaidOfWhatIsNoBlobFile) {
  EXPECT_EQ(MeanOf("", 1), 0U);
  EXPECT_EQ(MeanOf(FileHeader(), 30), 0U);
  EXPECT_EQ(MeanOf(std::string(1 << 20, '\0'), 4096), 0U);
  EXPECT_EQ(MeanOf(FileHeader(2) + Record(16, 1000), 4096), 0U);
}

TEST(BlobSizes, ImpossibleLengthsEndTheCount) {
  const std::string file = FileHeader() + Record(16, 1000);
  for (const uint64_t length : {~uint64_t{0}, uint64_t{1} << 41, ~uint64_t{0} - 47}) {
    EXPECT_EQ(MeanOf(file + RecordHeader(length, 1) + "abc", 5), 1048U);
    EXPECT_EQ(MeanOf(file + RecordHeader(1, length) + "abc", 5), 1048U);
  }
}

}  // namespace
}  // namespace bloom_lfs

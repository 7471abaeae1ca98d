#include "lss/second_place/live_records.h"

#include <gtest/gtest.h>

namespace lss {
namespace {

StreamName Stream(uint64_t number) {
  StreamName name;
  name.number = number;
  return name;
}

uint64_t Oldest(const LiveRecords& records) {
  StreamName stream;
  return records.oldest_lsn(&stream);
}

TEST(LiveRecordsTest, TheOldestIsThatOfTheFileThatIsFarthestBehind) {
  LiveRecords records;
  EXPECT_TRUE(records.empty());
  records.Add(Stream(1), 100, 4096);
  records.Add(Stream(2), 50, 8192);
  records.Add(Stream(1), 200, 12288);
  StreamName stream;
  EXPECT_EQ(records.oldest_lsn(&stream), 4096U);
  EXPECT_EQ(stream, Stream(1));
  records.FileDurable(Stream(1), 99);
  EXPECT_EQ(Oldest(records), 4096U) << "one byte is missing in the file";
  records.FileDurable(Stream(1), 100);
  EXPECT_EQ(records.oldest_lsn(&stream), 8192U);
  EXPECT_EQ(stream, Stream(2));
  records.FileDurable(Stream(2), 1000);
  EXPECT_EQ(Oldest(records), 12288U);
  records.FileDurable(Stream(1), 200);
  EXPECT_TRUE(records.empty());
}

TEST(LiveRecordsTest, RecordsOfOneGroupGoTogether) {
  LiveRecords records;
  records.Add(Stream(1), 10, 4096);
  records.Add(Stream(1), 20, 4096);
  records.FileDurable(Stream(1), 10);
  EXPECT_EQ(Oldest(records), 4096U);
  records.FileDurable(Stream(1), 20);
  EXPECT_TRUE(records.empty());
}

TEST(LiveRecordsTest, ADeletedStreamWantsNothing) {
  LiveRecords records;
  records.Add(Stream(1), 10, 4096);
  records.Add(Stream(2), 10, 8192);
  records.Forget(Stream(1));
  records.Forget(Stream(3));
  EXPECT_EQ(Oldest(records), 8192U);
  records.FileDurable(Stream(1), 10);
  EXPECT_EQ(Oldest(records), 8192U);
}

}  // namespace
}  // namespace lss

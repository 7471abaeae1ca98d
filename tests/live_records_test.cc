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

TEST(LiveRecordsTest, WhatAnAppenderBringsAfterItsStreamIsForgottenIsNotWanted) {
  LiveRecords records;
  records.Enter(Stream(1));
  records.Add(Stream(1), 10, 4096);
  records.Forget(Stream(1));
  records.Add(Stream(1), 20, 8192);
  EXPECT_TRUE(records.empty());
  records.Enter(Stream(1));  // a new log of that name, whose records are wanted
  records.Leave(Stream(1));
  records.Add(Stream(1), 30, 12288);
  EXPECT_EQ(Oldest(records), 12288U);
  records.Forget(Stream(1));
  records.Leave(Stream(1));
  records.Add(Stream(1), 40, 16384);
  EXPECT_EQ(Oldest(records), 16384U) << "nobody is left who was there when it was forgotten";
}

TEST(LiveRecordsTest, ADeletedDatabaseWantsNothing) {
  const auto stream_of = [](uint8_t database, uint64_t number) {
    StreamName name = Stream(number);
    name.database.fill(database);
    return name;
  };
  LiveRecords records;
  EXPECT_FALSE(records.HasDatabase(Uuid{}));
  records.Add(stream_of(5, 0), 10, 4096);
  records.Add(stream_of(5, UINT64_MAX), 10, 8192);
  records.Add(stream_of(4, UINT64_MAX), 10, 12288);
  records.Add(stream_of(6, 0), 10, 16384);
  records.ForgetDatabase(stream_of(7, 0).database);
  records.ForgetDatabase(Uuid{});
  EXPECT_EQ(Oldest(records), 4096U);
  EXPECT_TRUE(records.HasDatabase(stream_of(5, 0).database));
  records.ForgetDatabase(stream_of(5, 0).database);
  EXPECT_FALSE(records.HasDatabase(stream_of(5, 0).database));
  EXPECT_TRUE(records.HasDatabase(stream_of(4, 0).database)) << "the one before it";
  EXPECT_TRUE(records.HasDatabase(stream_of(6, 0).database)) << "the one behind it";
  EXPECT_EQ(Oldest(records), 12288U);
  records.ForgetDatabase(stream_of(4, 0).database);
  records.ForgetDatabase(stream_of(6, 0).database);
  EXPECT_TRUE(records.empty());
}

TEST(LiveRecordsTest, ADatabaseIsThereAsLongAsAStreamOfItWantsSomething) {
  LiveRecords records;
  records.Add(Stream(1), 10, 4096);
  records.Add(Stream(2), 10, 4096);
  records.FileDurable(Stream(1), 10);
  EXPECT_TRUE(records.HasDatabase(Stream(1).database));
  records.FileDurable(Stream(2), 10);
  EXPECT_FALSE(records.HasDatabase(Stream(1).database));
}

}  // namespace
}  // namespace lss

// The bytes of a side log's groups.
#include "lss/second_place/group_format.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "lss/second_place/side_superblock.h"

namespace lss {
namespace {

StreamName Stream(uint64_t number) {
  StreamName name;
  name.database.fill(9);
  name.number = number;
  return name;
}

// A group with these records, as its writer makes it.
struct Group {
  explicit Group(const std::vector<SideRecord>& records) : memory(65536, 'g') {
    head = {5, 77, 8192, 4096, kGroupHeaderBytes};
    for (const SideRecord& record : records) {
      EncodeRecord(record, memory.data() + head.bytes);
      head.bytes += static_cast<uint32_t>(RecordRoom(record.bytes.size));
    }
    SealGroup(head, memory.data());
  }
  GroupHead head;
  std::string memory;
};

Group SomeGroup() {
  return Group(
      {{Stream(1), 100, {"abc", 3}}, {Stream(2), 0, {"", 0}}, {Stream(1), 103, {"defghijkl", 9}}});
}

TEST(GroupFormatTest, RecordsComeBackInOrder) {
  const Group group = SomeGroup();
  GroupHead head;
  ASSERT_TRUE(DecodeGroupHead(group.memory.data(), 8192, &head));
  EXPECT_EQ(head.epoch, 5U);
  EXPECT_EQ(head.writer, 77U);
  EXPECT_EQ(head.durable, 4096U);
  EXPECT_EQ(head.bytes, kGroupHeaderBytes + 3 * kRecordHeadBytes + 8 + 0 + 16);
  ASSERT_TRUE(IsWholeGroup(group.memory.data(), head));
  std::string seen;
  EXPECT_TRUE(ForEachRecord(group.memory.data(), head, [&](const SideRecord& record) {
    EXPECT_EQ(record.stream.database, Stream(1).database);
    seen += std::to_string(record.stream.number) + "@" + std::to_string(record.offset) + ":" +
            std::string(record.bytes.data, record.bytes.size) + " ";
  }));
  EXPECT_EQ(seen, "1@100:abc 2@0: 1@103:defghijkl ");
}

TEST(GroupFormatTest, WhatLiesBehindTheRecordsIsZerosToThePagesEnd) {
  const Group group = SomeGroup();
  EXPECT_EQ(group.memory.find_first_not_of('\0', group.head.bytes), 4096U);
}

TEST(GroupFormatTest, AGroupOfAnotherPlaceIsNone) {
  const Group group = SomeGroup();
  GroupHead head;
  EXPECT_FALSE(DecodeGroupHead(group.memory.data(), 4096, &head));
  EXPECT_FALSE(DecodeGroupHead(group.memory.data(), 8192 + (uint64_t{1} << 40), &head));
}

TEST(GroupFormatTest, AChangedByteIsNoticed) {
  const Group group = SomeGroup();
  for (size_t at = 0; at < group.head.bytes; ++at) {
    for (const int bit : {0, 7}) {
      std::string changed = group.memory;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      GroupHead head;
      EXPECT_FALSE(DecodeGroupHead(changed.data(), 8192, &head) &&
                   IsWholeGroup(changed.data(), head))
          << at;
    }
  }
}

// Who sleeps before it reserves may find another group in the buffer, and gives its room back.
TEST(GroupFormatTest, RoomThatWasGivenBackIsPassedOver) {
  Group group(
      {{Stream(1), 0, {"abc", 3}}, {Stream(2), 5, {"given back", 10}}, {Stream(3), 9, {"d", 1}}});
  memset(group.memory.data() + kGroupHeaderBytes + RecordRoom(3), 0, RecordRoom(10));
  SealGroup(group.head, group.memory.data());
  std::string seen;
  EXPECT_TRUE(ForEachRecord(group.memory.data(), group.head, [&](const SideRecord& record) {
    seen += std::string(record.bytes.data, record.bytes.size);
  }));
  EXPECT_EQ(seen, "abcd");
}

TEST(GroupFormatTest, ARecordThatDoesNotFitHidesThoseBeforeIt) {
  Group group({{Stream(1), 0, {"abc", 3}}, {Stream(2), 5, {"def", 3}}});
  const uint32_t length = 500;
  memcpy(group.memory.data() + kGroupHeaderBytes + RecordRoom(3) + 4, &length, sizeof(length));
  SealGroup(group.head, group.memory.data());
  int seen = 0;
  EXPECT_FALSE(ForEachRecord(group.memory.data(), group.head, [&](const SideRecord&) { ++seen; }));
  EXPECT_EQ(seen, 0);
}

// Whose checksum is right all the same: nobody's writer makes them, and no reader runs away.
TEST(GroupFormatTest, RecordsThatDoNotFillTheirGroupEndTheReading) {
  for (const uint32_t length : {uint32_t{4}, uint32_t{1000}, UINT32_MAX - 7, UINT32_MAX}) {
    Group group({{Stream(1), 0, {"abc", 3}}});
    memcpy(group.memory.data() + kGroupHeaderBytes + 4, &length, sizeof(length));
    SealGroup(group.head, group.memory.data());
    const bool fits = length <= 8;
    EXPECT_EQ(ForEachRecord(group.memory.data(), group.head, [](const SideRecord&) {}), fits)
        << length;
  }
}

TEST(GroupFormatTest, AGroupIsNeverCutByTheLogsEnd) {
  constexpr uint64_t kLog = 10 * 4096;
  constexpr uint64_t kGroup = 3 * 4096;
  EXPECT_EQ(NextGroupAt(0, kLog, kGroup), 0U);
  EXPECT_EQ(NextGroupAt(7 * 4096, kLog, kGroup), 7U * 4096);
  EXPECT_EQ(NextGroupAt(8 * 4096, kLog, kGroup), kLog);
  EXPECT_EQ(NextGroupAt(kLog, kLog, kGroup), kLog);
  EXPECT_EQ(NextGroupAt(3 * kLog + 9 * 4096, kLog, kGroup), 4 * kLog);
}

// --- superblocks ---

SideSuperblock SomeSuperblock() {
  SideSuperblock superblock;
  superblock.place = {1, 2, 3};
  superblock.sequence = 4;
  superblock.epoch = 5;
  superblock.writer = 9;
  superblock.head = 4096;
  superblock.log_bytes = 32768;
  superblock.group_bytes = 8192;
  superblock.epoch_count = 2;
  superblock.epochs[0] = {3, 1, 0, 8192};
  superblock.epochs[1] = {5, 2, 12288, SideEpoch::kOpen};
  return superblock;
}

TEST(SideSuperblockTest, ComesBackAndAChangedByteIsNoticed) {
  std::string page(kPageBytes, 'x');
  EncodeSuperblock(SomeSuperblock(), page.data());
  SideSuperblock read;
  ASSERT_TRUE(DecodeSuperblock(page.data(), &read));
  EXPECT_EQ(read.place, SomeSuperblock().place);
  EXPECT_EQ(read.epochs[1].begin, 12288U);
  EXPECT_EQ(read.head, 4096U);
  const size_t end = page.find_last_not_of('\0') + 1;
  for (size_t at = 0; at < end; ++at) {
    std::string changed = page;
    changed[at] = static_cast<char>(changed[at] ^ 16);
    EXPECT_FALSE(DecodeSuperblock(changed.data(), &read)) << at;
  }
}

TEST(SideSuperblockTest, OneThatMakesNoSenseIsNone) {
  const auto accepted = [](const std::function<void(SideSuperblock*)>& change) {
    SideSuperblock superblock = SomeSuperblock();
    change(&superblock);
    std::string page(kPageBytes, 'x');
    EncodeSuperblock(superblock, page.data());
    SideSuperblock read;
    return DecodeSuperblock(page.data(), &read);
  };
  EXPECT_TRUE(accepted([](SideSuperblock*) {}));
  EXPECT_FALSE(accepted([](SideSuperblock* s) { s->group_bytes = 0; }));
  EXPECT_FALSE(accepted([](SideSuperblock* s) { s->group_bytes = 5000; }));
  EXPECT_FALSE(accepted([](SideSuperblock* s) { s->group_bytes = s->log_bytes = 1 << 22; }));
  EXPECT_FALSE(accepted([](SideSuperblock* s) { s->log_bytes = 8192; }));
  EXPECT_FALSE(accepted([](SideSuperblock* s) { s->log_bytes = 40000; }));
  EXPECT_FALSE(accepted([](SideSuperblock* s) { s->epoch_count = 65; }));
  EXPECT_FALSE(accepted([](SideSuperblock* s) { s->epochs[0].end = SideEpoch::kOpen; }));
  EXPECT_FALSE(accepted([](SideSuperblock* s) { s->epochs[0].end = 16384; })) << "they overlap";
  EXPECT_FALSE(accepted([](SideSuperblock* s) { s->epochs[1].epoch = 3; })) << "twice";
  EXPECT_FALSE(accepted([](SideSuperblock* s) { s->epochs[1].epoch = 6; })) << "not begun";
}

TEST(SideSuperblockTest, ALaterWriterCountsMoreThanALaterSuperblock) {
  const SideSuperblock own = SomeSuperblock();
  SideSuperblock other = own;
  ++other.sequence;
  EXPECT_TRUE(other.IsNewerThan(own));
  ++other.epoch;
  other.sequence = 1;
  EXPECT_TRUE(other.IsNewerThan(own));
  EXPECT_FALSE(own.IsNewerThan(other));
}

TEST(SideSuperblockTest, EpochsBehindTheHeadAreLeftOut) {
  SideSuperblock superblock = SomeSuperblock();
  superblock.DropDeadEpochs();
  EXPECT_EQ(superblock.epoch_count, 2U);
  superblock.head = 8192;
  superblock.DropDeadEpochs();
  ASSERT_EQ(superblock.epoch_count, 1U);
  EXPECT_EQ(superblock.epochs[0].epoch, 5U);
  EXPECT_EQ(superblock.epochs[1].epoch, 0U);
  superblock.head = 1 << 20;
  superblock.DropDeadEpochs();
  EXPECT_EQ(superblock.epoch_count, 1U) << "it may still be written";
}

}  // namespace
}  // namespace lss

// The log of a page store: LSNs, whole buffers, round and round.
#include "lss/pages/page_log.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "lss/base/page_buffer.h"
#include "tests/support/page_parts_fixture.h"

namespace lss {
namespace {

using test::BytesOf;
using test::KeyOf;

class PageLogTest : public test::PagePartsFixture {
 protected:
  uint64_t Append(uint64_t number, const std::string& bytes) {
    RecordHead head;
    head.key = KeyOf(number);
    head.length = static_cast<uint32_t>(bytes.size());
    uint64_t lsn = 0;
    const uint64_t end = log_->EndAfter(head.length);
    EXPECT_TRUE(log_->Append(head, bytes.data(), &lsn).ok());
    EXPECT_EQ(lsn + RecordBytes(head.length), end);
    EXPECT_EQ(log_->head(), end);
    return lsn;
  }
  bool IsAt(uint64_t lsn, uint64_t number, const std::string& bytes) {
    const LogArea& area = space_->file->layout().log;
    const uint64_t place = area.PlaceOf(lsn);
    const uint64_t begin = PageFloor(place);
    const uint64_t length = PageCeil(place + RecordBytes(bytes.size())) - begin;
    PageBuffer pages(length);
    EXPECT_TRUE(space_->file->ReadPages(area.begin + begin, length, pages.data()).ok());
    RecordHead head;
    const char* const at = pages.data() + place - begin;
    return DecodeRecord(at, length - (place - begin), &head) && head.lsn == lsn &&
           head.key == KeyOf(number) && head.store_id == space_->file->store_id() &&
           std::string(at + kRecordHeaderBytes, head.length) == bytes;
  }
  void AwaitStable() {
    ASSERT_TRUE(log_->Flush().ok());
    while (log_->stable() < log_->head()) {
      ASSERT_TRUE(log_->error().ok());
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  }
};

TEST_F(PageLogTest, ARecordNeverCrossesAMiB) {
  OpenFile();
  OpenLog(0);
  for (uint64_t number = 0; number < 200; ++number) {
    const std::string bytes(1 + MixBits(number) % 200000, 'x');
    const uint64_t lsn = Append(number, bytes);
    EXPECT_EQ(lsn / kLayoutUnit, (lsn + RecordBytes(bytes.size()) - 1) / kLayoutUnit);
  }
  const uint64_t lsn = Append(999, std::string(log_->max_page_bytes(), 'y'));
  EXPECT_EQ(lsn % kLayoutUnit, 0U);
}

TEST_F(PageLogTest, WhatIsStableIsInTheFileAlsoInLaterLaps) {
  OpenFile();
  const uint64_t lap = space_->file->layout().log.bytes;
  OpenLog(3 * lap - 2 * kLayoutUnit);
  std::vector<uint64_t> lsns;
  for (uint64_t number = 0; number < 2000; ++number) {
    lsns.push_back(Append(number, BytesOf(number)));
  }
  AwaitStable();
  for (uint64_t number = 0; number < 2000; ++number) {
    EXPECT_TRUE(IsAt(lsns[number], number, BytesOf(number))) << number;
  }
}

TEST_F(PageLogTest, FlushFillsTheBufferAndTheNextRecordBeginsAnother) {
  OpenFile();
  OpenLog(kLayoutUnit);
  Append(1, "abc");
  AwaitStable();
  EXPECT_EQ(log_->head(), 2 * kLayoutUnit);
  EXPECT_EQ(log_->stable(), 2 * kLayoutUnit);
  EXPECT_EQ(Append(2, "def"), 2 * kLayoutUnit);
  AwaitStable();
  AwaitStable();
  EXPECT_EQ(log_->head(), 3 * kLayoutUnit) << "nothing is flushed twice";
}

}  // namespace
}  // namespace lss

#include "lss/pages/page_record.h"

#include <cstring>

#include "lss/base/crc32c.h"

namespace lss {
namespace {

constexpr uint16_t kRecordMagic = 0x6c62;
constexpr uint8_t kWholePage = 1;

// As in the file.
struct Header {
  uint16_t magic;
  uint8_t kind;
  uint8_t compression;
  uint8_t tier;
  uint8_t zeros[3];
  uint32_t length;
  uint32_t store_id;
  uint64_t lsn;
  uint64_t key_high;
  uint64_t key_low;
  uint32_t crc;
  uint32_t more_zeros;
};
static_assert(sizeof(Header) == kRecordHeaderBytes, "the format is that of page_record.h");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the format is little-endian");

uint32_t CrcOf(Header header, const char* page) {
  header.crc = 0;
  return Crc32c(Crc32c(0, &header, sizeof(header)), page, header.length);
}

bool Plausible(const Header& header) {
  return header.magic == kRecordMagic && header.kind == kWholePage && header.length > 0 &&
         header.length <= kMaxPageBytes && header.more_zeros == 0 &&
         (header.zeros[0] | header.zeros[1] | header.zeros[2]) == 0;
}

RecordHead HeadOf(const Header& header) {
  RecordHead head;
  head.key = {header.key_high, header.key_low};
  head.lsn = header.lsn;
  head.store_id = header.store_id;
  head.length = header.length;
  head.compression = header.compression;
  head.tier = header.tier;
  return head;
}

}  // namespace

void EncodeRecord(const RecordHead& head, const char* page, char* destination) {
  Header header = {};
  header.magic = kRecordMagic;
  header.kind = kWholePage;
  header.compression = head.compression;
  header.tier = head.tier;
  header.length = head.length;
  header.store_id = head.store_id;
  header.lsn = head.lsn;
  header.key_high = head.key.high;
  header.key_low = head.key.low;
  header.crc = CrcOf(header, page);
  memcpy(destination, &header, sizeof(header));
  memcpy(destination + sizeof(header), page, head.length);
  const size_t used = sizeof(header) + head.length;
  memset(destination + used, 0, RecordBytes(head.length) - used);
}

bool DecodeHead(const char* bytes, RecordHead* head) {
  Header header;
  memcpy(&header, bytes, sizeof(header));
  if (!Plausible(header)) {
    return false;
  }
  *head = HeadOf(header);
  return true;
}

bool DecodeRecord(const char* bytes, size_t size, RecordHead* head) {
  if (size < sizeof(Header)) {
    return false;
  }
  Header header;
  memcpy(&header, bytes, sizeof(header));
  if (!Plausible(header) || size - sizeof(header) < header.length ||
      header.crc != CrcOf(header, bytes + sizeof(header))) {
    return false;
  }
  *head = HeadOf(header);
  return true;
}

bool RecordWalk::Next(Record* record) {
  while (at_ + kRecordHeaderBytes <= size_) {
    const char* const at = bytes_ + at_;
    RecordHead head;
    if (DecodeHead(at, &head) && head.store_id == store_id_ && head.lsn == lsn_ + at_ &&
        DecodeRecord(at, size_ - at_, &head)) {
      *record = {head, at + kRecordHeaderBytes, at_};
      at_ += RecordBytes(head.length);
      return true;
    }
    at_ = PageFloor(at_) + kPageBytes;
  }
  return false;
}

}  // namespace lss

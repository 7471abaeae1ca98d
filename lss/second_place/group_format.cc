#include "lss/second_place/group_format.h"

#include <cstring>
#include <vector>

#include "lss/base/crc32c.h"

namespace lss {
namespace {

constexpr char kGroupMagic[8] = {'B', 'L', 'F', 'S', 'G', 'R', 'P', '1'};

struct HeaderImage {
  char magic[8];
  uint64_t epoch;
  uint64_t writer;
  uint64_t lsn;
  uint64_t durable;
  uint32_t bytes;
  uint32_t head_crc;  // of all before it
  uint32_t crc;       // of the group, with zeros here
  char zeros[12];
};
static_assert(sizeof(HeaderImage) == kGroupHeaderBytes, "as in the file");
constexpr size_t kHeadCrcBytes = offsetof(HeaderImage, head_crc);

// Not zero, so that a record is told from room that was given back.
constexpr uint32_t kRecordTag = 0x52454331;  // REC1

struct RecordImage {
  uint32_t tag;
  uint32_t length;
  uint64_t offset;
  StreamName stream;
};
static_assert(sizeof(RecordImage) == kRecordHeadBytes, "as in the file");

uint32_t CrcOf(HeaderImage header, const char* group) {
  header.crc = 0;
  const uint32_t crc = Crc32c(0, &header, sizeof(header));
  return Crc32c(crc, group + sizeof(header), header.bytes - sizeof(header));
}

}  // namespace

void EncodeRecord(const SideRecord& record, char* destination) {
  const RecordImage image = {kRecordTag, static_cast<uint32_t>(record.bytes.size), record.offset,
                             record.stream};
  memcpy(destination, &image, sizeof(image));
  memcpy(destination + sizeof(image), record.bytes.data, record.bytes.size);
  const size_t end = sizeof(image) + record.bytes.size;
  memset(destination + end, 0, RecordRoom(record.bytes.size) - end);
}

void SealGroup(const GroupHead& head, char* group) {
  HeaderImage image = {};
  memcpy(image.magic, kGroupMagic, sizeof(kGroupMagic));
  image.epoch = head.epoch;
  image.writer = head.writer;
  image.lsn = head.lsn;
  image.durable = head.durable;
  image.bytes = head.bytes;
  image.head_crc = Crc32c(0, &image, kHeadCrcBytes);
  image.crc = CrcOf(image, group);
  memcpy(group, &image, sizeof(image));
  memset(group + head.bytes, 0, PageCeil(head.bytes) - head.bytes);
}

bool DecodeGroupHead(const char* bytes, uint64_t lsn, GroupHead* head) {
  HeaderImage image;
  memcpy(&image, bytes, sizeof(image));
  if (memcmp(image.magic, kGroupMagic, sizeof(kGroupMagic)) != 0 || image.lsn != lsn ||
      image.bytes < sizeof(image) || image.head_crc != Crc32c(0, &image, kHeadCrcBytes)) {
    return false;
  }
  *head = {image.epoch, image.writer, image.lsn, image.durable, image.bytes};
  return true;
}

bool IsWholeGroup(const char* bytes, const GroupHead& head) {
  HeaderImage image;
  memcpy(&image, bytes, sizeof(image));
  return image.bytes == head.bytes && image.crc == CrcOf(image, bytes);
}

bool ForEachRecord(const char* bytes, const GroupHead& head,
                   const std::function<void(const SideRecord&)>& visit) {
  std::vector<SideRecord> records;
  for (size_t at = kGroupHeaderBytes; at < head.bytes;) {
    uint64_t word = 0;
    if (head.bytes - at < sizeof(word)) {
      return false;
    }
    memcpy(&word, bytes + at, sizeof(word));
    if (word == 0) {
      at += sizeof(word);
      continue;
    }
    RecordImage image;
    if (head.bytes - at < sizeof(image)) {
      return false;
    }
    memcpy(&image, bytes + at, sizeof(image));
    if (image.tag != kRecordTag || RecordRoom(image.length) > head.bytes - at) {
      return false;
    }
    records.push_back({image.stream, image.offset, {bytes + at + sizeof(image), image.length}});
    at += RecordRoom(image.length);
  }
  for (const SideRecord& record : records) {
    visit(record);
  }
  return true;
}

}  // namespace lss

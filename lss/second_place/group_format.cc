#include "lss/second_place/group_format.h"

#include <cstring>

#include "lss/base/crc32c.h"

namespace lss {
namespace {

constexpr char kGroupMagic[8] = {'B', 'L', 'F', 'S', 'G', 'R', 'P', '1'};

struct HeaderImage {
  char magic[8];
  uint64_t epoch;
  uint64_t lsn;
  uint32_t bytes;
  uint32_t head_crc;  // of all before it
  uint32_t crc;       // of the group, with zeros here
  char zeros[28];
};
static_assert(sizeof(HeaderImage) == kGroupHeaderBytes, "as in the file");
constexpr size_t kHeadCrcBytes = offsetof(HeaderImage, head_crc);

struct RecordImage {
  StreamName stream;
  uint64_t offset;
  uint32_t length;
  uint32_t zeros;
};
static_assert(sizeof(RecordImage) == kRecordHeadBytes, "as in the file");

uint32_t CrcOf(HeaderImage header, const char* group) {
  header.crc = 0;
  const uint32_t crc = Crc32c(0, &header, sizeof(header));
  return Crc32c(crc, group + sizeof(header), header.bytes - sizeof(header));
}

}  // namespace

void EncodeRecord(const SideRecord& record, char* destination) {
  RecordImage image = {};
  image.stream = record.stream;
  image.offset = record.offset;
  image.length = static_cast<uint32_t>(record.bytes.size);
  memcpy(destination, &image, sizeof(image));
  memcpy(destination + sizeof(image), record.bytes.data, record.bytes.size);
  const size_t end = sizeof(image) + record.bytes.size;
  memset(destination + end, 0, RecordRoom(record.bytes.size) - end);
}

void SealGroup(const GroupHead& head, char* group) {
  HeaderImage image = {};
  memcpy(image.magic, kGroupMagic, sizeof(kGroupMagic));
  image.epoch = head.epoch;
  image.lsn = head.lsn;
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
  *head = {image.epoch, image.lsn, image.bytes};
  return true;
}

bool IsWholeGroup(const char* bytes, const GroupHead& head) {
  HeaderImage image;
  memcpy(&image, bytes, sizeof(image));
  return image.bytes == head.bytes && image.crc == CrcOf(image, bytes);
}

bool ForEachRecord(const char* bytes, const GroupHead& head,
                   const std::function<void(const SideRecord&)>& visit) {
  size_t at = kGroupHeaderBytes;
  while (at < head.bytes) {
    RecordImage image;
    if (head.bytes - at < sizeof(image)) {
      return false;
    }
    memcpy(&image, bytes + at, sizeof(image));
    if (RecordRoom(image.length) > head.bytes - at) {
      return false;
    }
    visit({image.stream, image.offset, {bytes + at + sizeof(image), image.length}});
    at += RecordRoom(image.length);
  }
  return true;
}

}  // namespace lss

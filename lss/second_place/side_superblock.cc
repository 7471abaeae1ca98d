#include "lss/second_place/side_superblock.h"

#include <cstring>

#include "lss/base/crc32c.h"

namespace lss {
namespace {

constexpr char kSideMagic[8] = {'B', 'L', 'F', 'S', 'S', 'I', 'D', 'E'};
constexpr uint32_t kSideVersion = 1;

struct SideImage {
  char magic[8];
  uint32_t version;
  uint32_t zeros;
  SideSuperblock fields;
  uint32_t crc;  // of all before it
};
constexpr size_t kSideCrcBytes = offsetof(SideImage, crc);

bool MakesSense(const SideSuperblock& fields) {
  return fields.group_bytes >= kPageBytes && IsPageAligned(fields.group_bytes) &&
         fields.log_bytes >= 2 * fields.group_bytes && fields.log_bytes % fields.group_bytes == 0 &&
         (fields.head >= fields.epoch_begin ||
          fields.epoch_begin - fields.head <= fields.log_bytes);
}

}  // namespace

void EncodeSuperblock(const SideSuperblock& superblock, char* page) {
  SideImage image = {};
  memcpy(image.magic, kSideMagic, sizeof(kSideMagic));
  image.version = kSideVersion;
  image.fields = superblock;
  image.crc = Crc32c(0, &image, kSideCrcBytes);
  memset(page, 0, kPageBytes);
  memcpy(page, &image, sizeof(image));
}

bool DecodeSuperblock(const char* page, SideSuperblock* superblock) {
  SideImage image;
  memcpy(&image, page, sizeof(image));
  if (memcmp(image.magic, kSideMagic, sizeof(kSideMagic)) != 0 || image.version != kSideVersion ||
      image.crc != Crc32c(0, &image, kSideCrcBytes) || !MakesSense(image.fields)) {
    return false;
  }
  *superblock = image.fields;
  return true;
}

}  // namespace lss

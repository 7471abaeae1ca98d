#include "lss/pages/page_file_layout.h"

#include <algorithm>
#include <cstring>

#include "lss/pages/checkpoint_format.h"
#include "lss/pages/page_record.h"
#include "lss/pages/page_table.h"
#include "lss/pages/sealed_image.h"

namespace lss {
namespace {

constexpr ImageMagic kSuperblockMagic = {'B', 'L', 'F', 'S', 'P', 'A', 'G', 'E'};
constexpr uint32_t kSuperblockVersion = 1;

// As in the file.
struct SuperblockImage {
  char magic[8];
  uint32_t version;
  uint32_t store_id;
  uint64_t file_bytes;
  uint64_t buckets;
  uint64_t checkpoint_bytes;
  uint64_t log_begin;
  uint64_t log_bytes;
  uint32_t crc;  // of all before it
  uint32_t zeros;
};

uint64_t UnitCeil(uint64_t bytes) { return (bytes + kLayoutUnit - 1) / kLayoutUnit * kLayoutUnit; }

}  // namespace

PageFileLayout PageFileLayout::For(uint64_t store_bytes, uint32_t mean_page_bytes) {
  PageFileLayout layout;
  const uint64_t record = RecordBytes(std::min(mean_page_bytes, kMaxPageBytes));
  layout.buckets = PageTable::BucketsFor(store_bytes / record);
  layout.checkpoint_bytes = UnitCeil(CheckpointBytes(layout.buckets * PageTable::kBucketWords));
  layout.log.begin = layout.checkpoint_begin(2);
  const uint64_t left = store_bytes - std::min(store_bytes, layout.log.begin);
  layout.log.bytes = left / kLayoutUnit * kLayoutUnit;
  layout.file_bytes = layout.log.begin + layout.log.bytes;
  return layout;
}

bool operator==(const PageFileLayout& a, const PageFileLayout& b) {
  return a.file_bytes == b.file_bytes && a.buckets == b.buckets &&
         a.checkpoint_bytes == b.checkpoint_bytes && a.log.begin == b.log.begin &&
         a.log.bytes == b.log.bytes;
}

SuperblockBytes EncodeSuperblock(const Superblock& superblock) {
  SuperblockImage image = {};
  image.store_id = superblock.store_id;
  image.file_bytes = superblock.layout.file_bytes;
  image.buckets = superblock.layout.buckets;
  image.checkpoint_bytes = superblock.layout.checkpoint_bytes;
  image.log_begin = superblock.layout.log.begin;
  image.log_bytes = superblock.layout.log.bytes;
  SealImage(kSuperblockMagic, kSuperblockVersion, &image);
  SuperblockBytes bytes = {};
  memcpy(bytes.data(), &image, sizeof(image));
  return bytes;
}

bool DecodeSuperblock(const char* bytes, Superblock* superblock) {
  SuperblockImage image;
  if (!ReadImage(bytes, kSuperblockMagic, kSuperblockVersion, &image)) {
    return false;
  }
  superblock->store_id = image.store_id;
  superblock->layout.file_bytes = image.file_bytes;
  superblock->layout.buckets = image.buckets;
  superblock->layout.checkpoint_bytes = image.checkpoint_bytes;
  superblock->layout.log = {image.log_begin, image.log_bytes};
  return true;
}

bool HasSuperblockMagic(const char* bytes) {
  return memcmp(bytes, kSuperblockMagic, sizeof(kSuperblockMagic)) == 0;
}

}  // namespace lss

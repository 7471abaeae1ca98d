#include "lss/pages/checkpoint_format.h"

#include <cstring>

#include "lss/base/crc32c.h"
#include "lss/pages/sealed_image.h"

namespace lss {
namespace {

constexpr ImageMagic kHeadMagic = {'B', 'L', 'F', 'S', 'C', 'K', 'P', 'T'};
constexpr uint32_t kHeadVersion = 1;

// As in the file.
struct HeadImage {
  char magic[8];
  uint32_t version;
  uint32_t store_id;
  uint64_t sequence;
  uint64_t words;
  uint64_t recovery_start;
  uint64_t log_end;
  uint32_t crc;  // of all before it
  uint32_t zeros;
};

struct Trailer {
  uint64_t sequence;
  uint32_t number;
  uint32_t crc;  // of all before it
};
static_assert(sizeof(Trailer) == 16, "the format is that of checkpoint_format.h");
constexpr size_t kTrailerAt = kCheckpointBlockBytes - sizeof(Trailer);
constexpr size_t kBlockCrcBytes = kTrailerAt + offsetof(Trailer, crc);

}  // namespace

void EncodeCheckpointHead(const CheckpointHead& head, char* page) {
  HeadImage image = {};
  image.store_id = head.store_id;
  image.sequence = head.sequence;
  image.words = head.words;
  image.recovery_start = head.recovery_start;
  image.log_end = head.log_end;
  SealImage(kHeadMagic, kHeadVersion, &image);
  memset(page, 0, kPageBytes);
  memcpy(page, &image, sizeof(image));
}

bool DecodeCheckpointHead(const char* page, CheckpointHead* head) {
  HeadImage image;
  if (!ReadImage(page, kHeadMagic, kHeadVersion, &image)) {
    return false;
  }
  *head = {image.store_id, image.sequence, image.words, image.recovery_start, image.log_end};
  return true;
}

void SealCheckpointBlock(uint64_t sequence, uint32_t number, char* block) {
  Trailer trailer = {sequence, number, 0};
  memcpy(block + kTrailerAt, &trailer, sizeof(trailer));
  trailer.crc = Crc32c(0, block, kBlockCrcBytes);
  memcpy(block + kTrailerAt, &trailer, sizeof(trailer));
}

bool CheckCheckpointBlock(uint64_t sequence, uint32_t number, const char* block) {
  Trailer trailer;
  memcpy(&trailer, block + kTrailerAt, sizeof(trailer));
  return trailer.sequence == sequence && trailer.number == number &&
         trailer.crc == Crc32c(0, block, kBlockCrcBytes);
}

}  // namespace lss

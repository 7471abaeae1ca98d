#include "lss/second_place/side_superblock.h"

#include <algorithm>
#include <cstring>
#include <tuple>

#include "lss/base/crc32c.h"
#include "lss/ring/ring_options.h"

namespace lss {
namespace {

constexpr char kSideMagic[8] = {'B', 'L', 'F', 'S', 'S', 'I', 'D', 'E'};
constexpr uint64_t kSideVersion = 1;

struct SideImage {
  char magic[8];
  uint64_t version;
  SideSuperblock fields;
  uint64_t crc;  // of all before it
};
constexpr size_t kSideCrcBytes = offsetof(SideImage, crc);
static_assert(sizeof(SideImage) <= kPageBytes, "a superblock is one page");

bool AreEpochs(const SideSuperblock& fields) {
  if (fields.epoch_count > SideSuperblock::kMaxEpochs) {
    return false;
  }
  for (size_t i = 0; i < fields.epoch_count; ++i) {
    const SideEpoch& each = fields.epochs[i];
    const bool is_last = i + 1 == fields.epoch_count;
    if (each.begin > each.end || (each.end == SideEpoch::kOpen && !is_last) ||
        each.epoch > fields.epoch) {
      return false;
    }
    if (!is_last &&
        (fields.epochs[i + 1].begin < each.end || fields.epochs[i + 1].epoch <= each.epoch)) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool IsSideLogSize(uint64_t log_bytes, uint64_t group_bytes) {
  return group_bytes >= kPageBytes && group_bytes <= kMaxBufferBytes &&
         IsPageAligned(group_bytes) && log_bytes >= 2 * group_bytes && log_bytes % group_bytes == 0;
}

bool SideSuperblock::IsNewerThan(const SideSuperblock& other) const {
  return std::tie(epoch, writer, sequence) > std::tie(other.epoch, other.writer, other.sequence);
}

void SideSuperblock::DropDeadEpochs() {
  SideEpoch* const end = epochs.data() + epoch_count;
  SideEpoch* const live = std::find_if(epochs.data(), end, [this](const SideEpoch& each) {
    return each.end > head || each.end == SideEpoch::kOpen;
  });
  std::move(live, end, epochs.data());
  epoch_count = end - live;
  std::fill(epochs.data() + epoch_count, epochs.data() + kMaxEpochs, SideEpoch());
}

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
      image.crc != Crc32c(0, &image, kSideCrcBytes) ||
      !IsSideLogSize(image.fields.log_bytes, image.fields.group_bytes) ||
      !AreEpochs(image.fields)) {
    return false;
  }
  *superblock = image.fields;
  return true;
}

}  // namespace lss

#include "lss/second_place/side_labels.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "lss/base/crc32c.h"
#include "lss/base/page_buffer.h"

namespace lss {
namespace {

constexpr char kLabelMagic[8] = {'B', 'L', 'F', 'S', 'N', 'A', 'M', 'E'};

struct LabelImage {
  char magic[8];
  uint32_t crc;  // of all behind it
  uint32_t length;
  Uuid database;
  char words[SideLabels::kMostWords];
};
static_assert(sizeof(LabelImage) == kLabelBytes, "as in the file");
constexpr size_t kLabelCrcBegin = offsetof(LabelImage, length);

uint32_t CrcOf(const LabelImage& image) {
  return Crc32c(0, reinterpret_cast<const char*>(&image) + kLabelCrcBegin,
                sizeof(image) - kLabelCrcBegin);
}

void EncodeLabel(const Uuid& database, const std::string& words, char* bytes) {
  LabelImage image = {};
  memcpy(image.magic, kLabelMagic, sizeof(kLabelMagic));
  image.length = static_cast<uint32_t>(words.size());
  image.database = database;
  std::copy(words.begin(), words.end(), image.words);
  image.crc = CrcOf(image);
  memcpy(bytes, &image, sizeof(image));
}

bool DecodeLabel(const char* bytes, Uuid* database, std::string* words) {
  LabelImage image;
  memcpy(&image, bytes, sizeof(image));
  if (memcmp(image.magic, kLabelMagic, sizeof(kLabelMagic)) != 0 || image.crc != CrcOf(image) ||
      image.length > sizeof(image.words)) {
    return false;
  }
  *database = image.database;
  words->assign(image.words, image.length);
  return true;
}

Status NoMemory(const Device& device) {
  return Status::FromErrno("name databases on", device.name(), -1, ENOMEM);
}

}  // namespace

std::string SideLabels::Kept(const std::string& words) {
  return words.substr(words.size() - std::min(words.size(), kMostWords));
}

Status SideLabels::Format() {
  PageBuffer pages(kLabelsBytes);
  if (pages.size() < kLabelsBytes) {
    return NoMemory(*device_);
  }
  memset(pages.data(), 0, kLabelsBytes);
  return device_->Write({{pages.data(), kLabelsBytes}}, begin_, WriteKind::kPlain);
}

Status SideLabels::Read() {
  PageBuffer pages(kLabelsBytes);
  if (pages.size() < kLabelsBytes) {
    return NoMemory(*device_);
  }
  size_t read = 0;
  Status status = device_->Read(begin_, kLabelsBytes, pages.data(), &read);
  if (!status.ok()) {
    return status;
  }
  const MutexLock lock(&mutex_);
  for (size_t i = 0; (i + 1) * kLabelBytes <= read; ++i) {
    Label& label = labels_[i];
    label.used = DecodeLabel(pages.data() + i * kLabelBytes, &label.database, &label.words);
  }
  return Status::Ok();
}

Status SideLabels::Set(const Uuid& database, const std::string& words) {
  const MutexLock lock(&mutex_);
  size_t index = IndexOf(database);
  if (index == kLabels) {
    index = FreeIndex();
  }
  if (index == kLabels) {
    return Status::NoSpace(device_->name() + " has names of " + std::to_string(kLabels) +
                           " databases that were not opened again; open them, or trim the place");
  }
  labels_[index] = {true, database, Kept(words)};
  Status status = Write(index);
  if (!status.ok()) {
    labels_[index] = {};
  }
  return status;
}

Status SideLabels::Remove(const Uuid& database) {
  const MutexLock lock(&mutex_);
  const size_t index = IndexOf(database);
  if (index == kLabels) {
    return Status::Ok();
  }
  labels_[index] = {};
  return Write(index);
}

std::map<Uuid, std::string> SideLabels::All() const {
  std::map<Uuid, std::string> all;
  const MutexLock lock(&mutex_);
  for (const Label& label : labels_) {
    if (label.used) {
      all.emplace(label.database, label.words);
    }
  }
  return all;
}

size_t SideLabels::IndexOf(const Uuid& database) const {
  return std::find_if(labels_.begin(), labels_.end(),
                      [&](const Label& each) { return each.used && each.database == database; }) -
         labels_.begin();
}

size_t SideLabels::FreeIndex() const {
  return std::find_if(labels_.begin(), labels_.end(),
                      [](const Label& each) { return !each.used; }) -
         labels_.begin();
}

// The whole page that it is in.
Status SideLabels::Write(size_t index) {
  PageBuffer page(kPageBytes);
  if (page.size() < kPageBytes) {
    return NoMemory(*device_);
  }
  memset(page.data(), 0, kPageBytes);
  const size_t first = index / kPerPage * kPerPage;
  for (size_t i = 0; i < kPerPage; ++i) {
    const Label& label = labels_[first + i];
    if (label.used) {
      EncodeLabel(label.database, label.words, page.data() + i * kLabelBytes);
    }
  }
  return device_->Write({{page.data(), kPageBytes}}, begin_ + first * kLabelBytes,
                        WriteKind::kDurable);
}

}  // namespace lss

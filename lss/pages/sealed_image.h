// The headers of a page store's file: a struct that begins with a magic and a version, and ends
// with a CRC-32C of all before it, in fields of these names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "lss/base/crc32c.h"

namespace lss {

using ImageMagic = char[8];

// To be called last: fills in those three.
template <typename Image>
void SealImage(const ImageMagic& magic, uint32_t version, Image* image) {
  memcpy(image->magic, magic, sizeof(magic));
  image->version = version;
  image->crc = Crc32c(0, image, offsetof(Image, crc));
}

// False: the bytes are no such header, one of another version, or damaged.
template <typename Image>
bool ReadImage(const char* bytes, const ImageMagic& magic, uint32_t version, Image* image) {
  memcpy(image, bytes, sizeof(*image));
  return memcmp(image->magic, magic, sizeof(magic)) == 0 && image->version == version &&
         image->crc == Crc32c(0, image, offsetof(Image, crc));
}

}  // namespace lss

#include "lss/base/boot_id.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "lss/base/per_process.h"
#include "lss/base/unique_fd.h"

namespace lss {
namespace {

std::array<uint8_t, kBootIdBytes> ReadBootId() {
  std::array<uint8_t, kBootIdBytes> id = {};
  const UniqueFd fd(open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  char text[64] = {};
  if (!fd.valid() || read(fd.get(), text, sizeof(text) - 1) <= 0) {
    return id;
  }
  size_t nibbles = 0;
  for (const char* c = text; *c != '\0' && nibbles < 2 * id.size(); ++c) {
    unsigned value = 0;
    if (*c >= '0' && *c <= '9') {
      value = static_cast<unsigned>(*c - '0');
    } else if (*c >= 'a' && *c <= 'f') {
      value = static_cast<unsigned>(*c - 'a') + 10;
    } else {
      continue;
    }
    id[nibbles / 2] = static_cast<uint8_t>(id[nibbles / 2] << 4 | value);
    ++nibbles;
  }
  return id;
}

struct Known {
  const std::array<uint8_t, kBootIdBytes> id = ReadBootId();
};
PerProcess<Known> g_known;  // no guard that a fork could copy half done

}  // namespace

const uint8_t* BootId() { return g_known.Get()->id.data(); }

bool SameBootId(const uint8_t* a, const uint8_t* b) {
  static constexpr uint8_t kUnknown[kBootIdBytes] = {};
  return std::memcmp(a, b, kBootIdBytes) == 0 && std::memcmp(a, kUnknown, kBootIdBytes) != 0;
}

}  // namespace lss

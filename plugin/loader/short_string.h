// std::string as a function of RocksDB returns it, for a library that does without the C++ runtime.
#pragma once

#include <cstddef>
#include <cstring>

namespace bloom_lfs::loader {

// Text of up to 15 characters lies in the object itself, so that nothing has to be released.
struct ShortString {
  explicit ShortString(const char* text) : data(local), size(strnlen(text, sizeof(local) - 1)) {
    std::memcpy(local, text, size);
  }
  ShortString(const ShortString&) = delete;
  ~ShortString() {}  // NOLINT(modernize-use-equals-default): not trivial, as in std::string
  const char* data;
  size_t size;
  char local[16] = {};
};

}  // namespace bloom_lfs::loader

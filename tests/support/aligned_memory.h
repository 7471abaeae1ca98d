// Page aligned memory, as direct I/O wants it.
#pragma once

#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

#include "lss/base/types.h"

namespace lss::test {

class AlignedMemory {
 public:
  explicit AlignedMemory(size_t bytes) : bytes_(bytes) {
    data_ = static_cast<char*>(std::aligned_alloc(kPageBytes, PageCeil(bytes)));
    if (data_ == nullptr) {
      throw std::bad_alloc();
    }
    std::memset(data_, 0, PageCeil(bytes));
  }
  explicit AlignedMemory(const std::string& content) : AlignedMemory(content.size()) {
    std::memcpy(data_, content.data(), content.size());
  }
  ~AlignedMemory() { std::free(data_); }
  AlignedMemory(const AlignedMemory&) = delete;
  AlignedMemory& operator=(const AlignedMemory&) = delete;

  char* data() const { return data_; }
  size_t size() const { return bytes_; }

 private:
  size_t bytes_;
  char* data_ = nullptr;
};

}  // namespace lss::test

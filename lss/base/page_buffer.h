// Memory that begins at a page, for transfers past the page cache.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>

#include "lss/base/types.h"

namespace lss {

class PageBuffer {
 public:
  PageBuffer() = default;
  // At least `bytes`; uninitialised. Empty where there is no memory.
  explicit PageBuffer(size_t bytes) { Reserve(bytes); }

  // Room for `bytes`; what was in it is lost if it has to grow. False: there is no memory.
  bool Reserve(size_t bytes) {
    if (bytes > size_) {
      size_ = PageCeil(bytes);
      bytes_.reset(static_cast<char*>(std::aligned_alloc(kPageBytes, size_)));
      size_ = bytes_ == nullptr ? 0 : size_;
    }
    return bytes <= size_;
  }
  char* data() const { return bytes_.get(); }
  size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(char* bytes) const { std::free(bytes); }
  };
  std::unique_ptr<char, Free> bytes_;
  size_t size_ = 0;
};

}  // namespace lss

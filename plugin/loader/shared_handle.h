#pragma once

#include <cstddef>

namespace bloom_lfs::loader {

// A std::shared_ptr as a function returns it: in memory of the caller's. Never touched here.
struct SharedHandle {
  explicit SharedHandle(std::nullptr_t) : words() {}
  SharedHandle(const SharedHandle&) = delete;
  ~SharedHandle() {}  // NOLINT(modernize-use-equals-default): not trivial, as in shared_ptr
  void* words[2];
};

}  // namespace bloom_lfs::loader

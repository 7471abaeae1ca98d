#include "lss/base/unique_fd.h"

#include <unistd.h>

#include <utility>

namespace lss {

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    Reset();
    fd_ = other.Release();
  }
  return *this;
}

void UniqueFd::Reset() {
  if (fd_ >= 0) {
    close(std::exchange(fd_, -1));
  }
}

int UniqueFd::Release() { return std::exchange(fd_, -1); }

}  // namespace lss

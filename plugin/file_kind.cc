#include "plugin/file_kind.h"

#include <cstdlib>

namespace bloom_lfs {
namespace {

// Length of the leading "digits.log", 0 if the name does not begin like that.
size_t WalPrefixLength(const std::string& name) {
  size_t digits = 0;
  while (digits < name.size() && name[digits] >= '0' && name[digits] <= '9') {
    ++digits;
  }
  return digits > 0 && name.compare(digits, 4, ".log") == 0 ? digits + 4 : 0;
}

}  // namespace

std::string BaseName(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

bool IsWal(const std::string& path) {
  const std::string name = BaseName(path);
  return !name.empty() && WalPrefixLength(name) == name.size();
}

bool IsWalOrTrash(const std::string& path) {
  static const std::string suffix = ".trash";
  const std::string name = BaseName(path);
  const size_t prefix = WalPrefixLength(name);
  return prefix > 0 && (prefix == name.size() ||
                        (name.size() > suffix.size() &&
                         name.compare(name.size() - suffix.size(), suffix.size(), suffix) == 0));
}

uint64_t WalNumber(const std::string& path) {
  return IsWal(path) ? std::strtoull(BaseName(path).c_str(), nullptr, 10) : 0;
}

}  // namespace bloom_lfs

#include "plugin/file_kind.h"

#include <cstdlib>
#include <cstring>

#include "lss/base/posix_file.h"

namespace bloom_lfs {
namespace {

constexpr const char* kWalSuffix = ".log";
constexpr const char* kBlobSuffix = ".blob";

// Length of the leading "digits<suffix>", 0 if the name does not begin like that.
size_t PrefixLength(const std::string& name, const char* suffix) {
  size_t digits = 0;
  while (digits < name.size() && name[digits] >= '0' && name[digits] <= '9') {
    ++digits;
  }
  const size_t length = std::strlen(suffix);
  return digits > 0 && name.compare(digits, length, suffix) == 0 ? digits + length : 0;
}

bool IsWhole(const std::string& path, const char* suffix) {
  const std::string name = lss::BaseNameOf(path);
  return !name.empty() && PrefixLength(name, suffix) == name.size();
}

}  // namespace

bool IsWal(const std::string& path) { return IsWhole(path, kWalSuffix); }

bool IsBlob(const std::string& path) { return IsWhole(path, kBlobSuffix); }

bool IsOursOrTrash(const std::string& path) {
  static const std::string trash = ".trash";
  const std::string name = lss::BaseNameOf(path);
  const size_t prefix = PrefixLength(name, kWalSuffix) + PrefixLength(name, kBlobSuffix);
  return prefix > 0 && (prefix == name.size() ||
                        (name.size() > trash.size() &&
                         name.compare(name.size() - trash.size(), trash.size(), trash) == 0));
}

uint64_t WalNumber(const std::string& path) {
  return IsWal(path) ? std::strtoull(lss::BaseNameOf(path).c_str(), nullptr, 10) : 0;
}

}  // namespace bloom_lfs

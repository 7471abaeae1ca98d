#include "plugin/tool/wal_directory.h"

#include <sys/stat.h>

#include <algorithm>
#include <sstream>
#include <vector>

#include "lss/base/posix_file.h"
#include "plugin/sibling_files.h"
#include "plugin/tool/log_files.h"

namespace bloom_lfs::tool {
namespace {

constexpr size_t kMostOptionBytes = 1 << 20;
constexpr char kWalDirKey[] = "wal_dir=";

bool IsOptionsFile(const std::string& name) {
  return name.rfind("OPTIONS-", 0) == 0 && name.find('.') == std::string::npos &&
         SiblingNumber(name) > 0;
}

bool IsSameDirectory(const std::string& a, const std::string& b) {
  struct stat first = {};
  struct stat second = {};
  return stat(a.c_str(), &first) != 0 || stat(b.c_str(), &second) != 0 ||
         !S_ISDIR(second.st_mode) ||
         (first.st_dev == second.st_dev && first.st_ino == second.st_ino);
}

}  // namespace

std::string OtherWalDirectory(const std::string& directory) {
  std::vector<std::string> names;
  (void)lss::ListDirectory(directory, &names);
  std::string newest;
  for (const std::string& name : names) {
    if (IsOptionsFile(name) && (newest.empty() || SiblingNumber(name) > SiblingNumber(newest))) {
      newest = name;
    }
  }
  lss::UniqueFd fd;
  struct stat st = {};
  const std::string path = directory + "/" + newest;
  if (newest.empty() || !OpenLogFile(path, &fd, &st).ok()) {
    return "";
  }
  std::string text(std::min<size_t>(static_cast<size_t>(st.st_size), kMostOptionBytes), '\0');
  size_t read = 0;
  (void)lss::ReadFully(fd.get(), path, 0, text.size(), text.data(), &read);
  std::istringstream lines(text.substr(0, read));
  for (std::string line; std::getline(lines, line);) {
    const size_t at = line.find(kWalDirKey);
    if (at != std::string::npos && line.find_first_not_of(" \t") == at) {
      const std::string other = line.substr(at + sizeof(kWalDirKey) - 1);
      return other.empty() || IsSameDirectory(directory, other) ? "" : other;
    }
  }
  return "";
}

}  // namespace bloom_lfs::tool

#include "plugin/tool/mount_table.h"

#include <fstream>
#include <sstream>

namespace bloom_lfs::tool {
namespace {

// The kernel writes space, tab, line feed and backslash as three octal digits.
std::string Unescape(const std::string& text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto digit = [&](size_t at) {
      return at < text.size() && text[at] >= '0' && text[at] <= '7' ? text[at] - '0' : -1;
    };
    if (text[i] == '\\' && digit(i + 1) >= 0 && digit(i + 2) >= 0 && digit(i + 3) >= 0) {
      plain += static_cast<char>(digit(i + 1) * 64 + digit(i + 2) * 8 + digit(i + 3));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::optional<std::string> MountIdOf(int fd) {
  std::ifstream info("/proc/self/fdinfo/" + std::to_string(fd));
  std::string word;
  while (info >> word) {
    std::string id;
    if (word == "mnt_id:" && info >> id) {
      return id;
    }
  }
  return std::nullopt;
}

}  // namespace

// id parent major:minor root point options [tag...] - type source options
std::optional<Mount> ParseMountLine(const std::string& line, const std::string& id) {
  std::istringstream words(line);
  std::string own_id;
  std::string skipped;
  std::string options;
  if (!(words >> own_id >> skipped >> skipped >> skipped >> skipped >> options) || own_id != id) {
    return std::nullopt;
  }
  std::string word;
  while (words >> word && word != "-") {
  }
  Mount mount;
  std::string own_options;
  if (!(words >> mount.type >> mount.source >> own_options)) {
    return std::nullopt;
  }
  mount.source = Unescape(mount.source);
  mount.options = options + "," + Unescape(own_options);
  return mount;
}

std::optional<Mount> FindMount(int fd) {
  const std::optional<std::string> id = MountIdOf(fd);
  std::ifstream table("/proc/self/mountinfo");
  std::string line;
  while (id.has_value() && std::getline(table, line)) {
    if (std::optional<Mount> mount = ParseMountLine(line, *id)) {
      return mount;
    }
  }
  return std::nullopt;
}

std::optional<std::string> OptionValue(const std::string& options, const std::string& name) {
  std::istringstream list(options);
  std::string option;
  while (std::getline(list, option, ',')) {
    if (option.compare(0, name.size() + 1, name + "=") == 0) {
      return option.substr(name.size() + 1);
    }
  }
  return std::nullopt;
}

std::optional<std::string> FirstLineOf(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  return std::getline(file, line) ? std::optional<std::string>(line) : std::nullopt;
}

}  // namespace bloom_lfs::tool

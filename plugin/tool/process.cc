#include "plugin/tool/process.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "lss/base/posix_file.h"

namespace bloom_lfs::tool {
namespace {

constexpr size_t kMostCommandBytes = 4096;

std::string ReadProcFile(pid_t pid, const char* name) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/" + name, std::ios::binary);
  std::string text(kMostCommandBytes, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  return text;
}

}  // namespace

std::string CommandOf(pid_t pid) {
  if (pid <= 0) {
    return "";
  }
  std::string words = ReadProcFile(pid, "cmdline");
  if (words.empty()) {
    words = ReadProcFile(pid, "comm");
  }
  while (!words.empty() && (words.back() == '\0' || words.back() == '\n')) {
    words.pop_back();
  }
  std::replace(words.begin(), words.end(), '\0', ' ');
  return words;
}

std::string DescribeProcess(pid_t pid) {
  if (pid == 0) {
    return "no process";
  }
  if (pid < 0) {
    return "a process of another namespace or machine";
  }
  const std::string command = CommandOf(pid);
  const std::string program = lss::BaseNameOf(command.substr(0, command.find(' ')));
  return "process " + std::to_string(pid) + (program.empty() ? "" : " (" + program + ")");
}

}  // namespace bloom_lfs::tool

#include "plugin/tool/report.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace bloom_lfs::tool {
namespace {

// Names of files and commands of processes may hold what a terminal would obey.
std::string Printable(std::string text) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; };
  std::replace_if(text.begin(), text.end(), is_control, '?');
  return text;
}

}  // namespace

void Report::Table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const std::vector<std::string>& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  for (const std::vector<std::string>& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const bool is_last = i + 1 == row.size();
      line += row[i] + std::string(is_last ? 0 : widths[i] - row[i].size() + 2, ' ');
    }
    Line(std::move(line));
  }
}

ExitCode Report::Fail(const lss::Status& status, ExitCode code) {
  return Fail(status.ToString(), code);
}

ExitCode Report::Fail(const std::string& message, ExitCode code) {
  errors_.push_back(message);
  json_["errors"].push_back(message);
  return code;
}

bool Report::Print(bool as_json) const {
  if (as_json) {
    // Names of files need not be UTF-8.
    printf("%s\n", json_.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
    return FlushOutput();
  }
  for (const std::string& line : lines_) {
    printf("%s\n", Printable(line).c_str());
  }
  const bool is_written = FlushOutput();
  for (const std::string& error : errors_) {
    fprintf(stderr, "bloom_lfs: %s\n", Printable(error).c_str());
  }
  return is_written;
}

bool FlushOutput() {
  errno = 0;
  return fflush(stdout) == 0 && ferror(stdout) == 0;
}

}  // namespace bloom_lfs::tool

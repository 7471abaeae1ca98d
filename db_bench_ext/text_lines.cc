#include "db_bench_ext/text_lines.h"

#include <algorithm>
#include <cstddef>

namespace bloom_lfs::bench {

std::vector<std::string_view> SplitLines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = text.find_first_of("\r\n");
    const std::string_view line = text.substr(0, end);
    if (!line.empty()) lines.push_back(line);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::string LastLines(std::string_view text, int max_lines) {
  const std::vector<std::string_view> lines = SplitLines(text);
  const size_t shown = std::min(lines.size(), static_cast<size_t>(std::max(max_lines, 0)));
  std::string tail;
  for (size_t i = lines.size() - shown; i < lines.size(); ++i) {
    const std::string_view line = lines[i].substr(0, lines[i].find_last_not_of(' ') + 1);
    tail.append("  ").append(line).append("\n");
  }
  return tail.empty() ? "  (nothing)\n" : tail;
}

}  // namespace bloom_lfs::bench

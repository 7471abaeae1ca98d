#include "db_bench_ext/text_table.h"

#include <algorithm>
#include <cstddef>

namespace bloom_lfs::bench {
namespace {

// How many columns of a terminal a UTF-8 string takes; all our characters are one column wide.
size_t DisplayWidth(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string RenderMarkdownRow(const TextRow& row) {
  std::string line = "|";
  for (const std::string& cell : row) line += " " + cell + " |";
  return line + "\n";
}

}  // namespace

std::string RenderTable(const std::vector<TextRow>& rows, TableStyle style) {
  std::string text;
  if (style == TableStyle::kMarkdown) {
    for (const TextRow& row : rows) {
      text += RenderMarkdownRow(row);
      if (&row == &rows.front()) text += RenderMarkdownRow(TextRow(row.size(), "---"));
    }
    return text;
  }
  std::vector<size_t> widths(rows.front().size(), 0);
  for (const TextRow& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], DisplayWidth(row[i]));
  }
  for (const TextRow& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += row[i] + std::string(widths[i] - DisplayWidth(row[i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace bloom_lfs::bench

#pragma once

#include <string>
#include <vector>

namespace bloom_lfs::bench {

enum class TableStyle { kText, kMarkdown };

using TextRow = std::vector<std::string>;

// The first row is the head. Columns are as wide as what is in them.
// REQUIRES: a first row, and as many cells in every other
std::string RenderTable(const std::vector<TextRow>& rows, TableStyle style);

}  // namespace bloom_lfs::bench

#pragma once

#include <optional>
#include <string>

#include "db_bench_ext/results_document.h"

namespace bloom_lfs::bench {

// The results in words, as the report begins: "The plugin is better in 5 of 8 rows, ...".
std::string DescribeResults(const ResultsDocument& document);

// One HTML page that needs nothing else: no scripts, nothing to load. It is well-formed XML as
// well. Everything that comes from outside is escaped.
std::string RenderHtml(const ResultsDocument& document,
                       const std::optional<ResultsDocument>& baseline);

}  // namespace bloom_lfs::bench

#pragma once

#include <string>
#include <vector>

#include "db_bench_ext/results_document.h"
#include "db_bench_ext/svg_plot.h"

namespace bloom_lfs::bench {

// How many times as good as stock an arm is, by the median of its pairs' ratios: of a time, a half
// is twice as good. With the figure alone, "1.20×".
ForestRow RatioRow(const std::string& label, Metric metric, const PairSummary& summary,
                   Difference difference);

// The plugin's, with the interval in its figure: "1.20× (1.10–1.35)".
// REQUIRES: row.summary
ForestRow RatioRowOf(const DocumentRow& row);

// Of all rows that have a figure; with sections, of all of them, each by its file system.
std::vector<ForestRow> RatioRowsOf(const ResultsDocument& document);

// These rows as an SVG file of its own, for screens light and dark: colours, ground and words are
// in it. It is an error if there are none.
Result<std::string> RenderRatioPicture(const ResultsDocument& document);

}  // namespace bloom_lfs::bench

// Plots as inline SVG. Colours are classes of the page that holds them (better, worse, none, stock,
// plugin, grid, ink), so that they follow it into the dark and on to paper. No plot is wider than a
// phone; labels stand above what they name.
//
// Labels may hold anything: they are escaped here.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "db_bench_ext/latencies.h"
#include "db_bench_ext/statistics.h"

namespace bloom_lfs::bench {

enum class Tone { kBetter, kWorse, kNone };

struct ForestRow {
  std::string label;
  std::string figure;  // at the right end of the label's line
  double middle = 1;   // above 0
  std::optional<Interval> interval;
  Tone tone = Tone::kNone;
  std::string second_label = {};  // on a line of its own; empty: none
};

// Factors with their intervals, one line each, on a logarithmic axis with a line at 1. `title` is
// what a screen reader says. Empty without rows.
std::string RenderForestPlot(const std::string& title, const std::vector<ForestRow>& rows);

// What such a plot is made of, svg::kWidth wide and ForestHeight high, for a picture that holds
// more.
std::string ForestShapes(const std::vector<ForestRow>& rows);
double ForestHeight(const std::vector<ForestRow>& rows);

struct LatencyLine {
  Latencies us;
  const char* classes;
};

struct LatencyRow {
  std::string label;
  std::vector<LatencyLine> lines;  // from above
};

// Four percentiles of each line of each row, on a logarithmic axis of time. Empty without rows.
std::string RenderLatencyPlot(const std::string& title, const std::vector<LatencyRow>& rows);

}  // namespace bloom_lfs::bench

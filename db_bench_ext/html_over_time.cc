#include "db_bench_ext/html_over_time.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "db_bench_ext/format.h"
#include "db_bench_ext/html_parts.h"
#include "db_bench_ext/statistics.h"
#include "db_bench_ext/svg_time_plot.h"

namespace bloom_lfs::bench {
namespace {

const std::optional<RateSeries>* SeriesOf(const PairSample& pair, const NamedArm& arm) {
  const ArmReading* const reading = arm.reading(pair);
  return reading != nullptr && reading->over_time.has_value() ? &reading->over_time : nullptr;
}

// The pair that is nearest to the arm's median ratio to stock, of those that have a series of both.
const PairSample* TypicalPair(const DocumentRow& row, const NamedArm& arm) {
  std::vector<std::pair<double, const PairSample*>> pairs;
  for (const PairSample& pair : row.pairs) {
    if (!pair.stock.over_time.has_value() || SeriesOf(pair, arm) == nullptr) continue;
    pairs.emplace_back(arm.reading(pair)->metric / pair.stock.metric, &pair);
  }
  if (pairs.empty()) return nullptr;
  std::vector<double> ratios;
  ratios.reserve(pairs.size());
  for (const auto& [ratio, pair] : pairs) ratios.push_back(ratio);
  const double middle = Median(ratios);
  return std::min_element(pairs.begin(), pairs.end(),
                          [middle](const auto& a, const auto& b) {
                            return std::abs(a.first - middle) < std::abs(b.first - middle);
                          })
      ->second;
}

// Of all runs of an arm: how many have a series, and what their stalls were.
struct StallFigures {
  int runs = 0;
  int stalls = 0;
  double longest_s = 0;
  double stalled_s = 0;
  double measured_s = 0;
  double longest_us = 0;  // operation; 0: unknown
};

StallFigures StallsOf(const DocumentRow& row, const NamedArm& arm) {
  StallFigures figures;
  for (const PairSample& pair : row.pairs) {
    const std::optional<RateSeries>* const series = SeriesOf(pair, arm);
    if (series == nullptr) continue;
    ++figures.runs;
    figures.measured_s += (*series)->LengthS();
    figures.longest_us = std::max(figures.longest_us, arm.reading(pair)->longest_us.value_or(0));
    for (const Stall& stall : FindStalls(**series)) {
      ++figures.stalls;
      figures.longest_s = std::max(figures.longest_s, stall.end_s - stall.begin_s);
      figures.stalled_s += stall.end_s - stall.begin_s;
    }
  }
  return figures;
}

std::vector<std::string> StallCells(const DocumentRow& row, const NamedArm& arm) {
  const StallFigures figures = StallsOf(row, arm);
  const auto ms = [](double us) { return FormatCount(us / 1000) + " ms"; };
  return {row.title,
          arm.name,
          FormatDecimal(static_cast<double>(figures.stalls) / figures.runs, 1),
          figures.stalls > 0 ? ms(figures.longest_s * 1e6) : kUnknownFigure,
          FormatDecimal(100 * figures.stalled_s / figures.measured_s, 1) + " %",
          figures.longest_us > 0 ? ms(figures.longest_us) : kUnknownFigure};
}

}  // namespace

std::string RenderOverTime(const ResultsDocument& document) {
  std::string plots;
  std::vector<std::vector<std::string>> table = {
      {"row", "arm", "stalls per run", "longest", "time stalled", "longest operation"}};
  for (const DocumentRow& row : document.rows) {
    const std::vector<NamedArm> arms = ArmsOf(row);
    const NamedArm& stock = arms.front();
    if (StallsOf(row, stock).runs > 0) table.push_back(StallCells(row, stock));
    for (auto arm = arms.begin() + 1; arm != arms.end(); ++arm) {
      const PairSample* const pair = TypicalPair(row, *arm);
      if (pair == nullptr) continue;
      const std::string label = (arm == arms.begin() + 1 ? "" : arm->name + ", ") + row.title;
      plots += RenderTimePlot(
          "Operations per second over the time of a run, stock and " + arm->name + ": " + row.title,
          label, *pair->stock.over_time, **SeriesOf(*pair, *arm));
      table.push_back(StallCells(row, *arm));
    }
  }
  if (plots.empty()) return "";
  return Heading("Over the time of a run") +
         "<p class=\"soft\">Operations per second of <b class=\"stock\">stock</b> (thin line) and "
         "<b class=\"plugin\">plugin</b> (thick line), of the pair nearest to their median "
         "ratio. Stalls, intervals slower than a fifth of their run's mean, are shaded and marked "
         "below the axis: stock above, plugin below. Each further arm, named before its row, "
         "stands in the plugin's place beside stock. Rows with a fixed number of operations end "
         "earlier in the faster arm.</p>\n" +
         plots + Paragraph("Stalls of all pairs; of the longest operation the largest:") +
         Table(table, Columns::kNameArmNumbers);
}

}  // namespace bloom_lfs::bench

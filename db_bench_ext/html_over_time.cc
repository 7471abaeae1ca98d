#include "db_bench_ext/html_over_time.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "db_bench_ext/format.h"
#include "db_bench_ext/html_parts.h"
#include "db_bench_ext/svg_time_plot.h"

namespace bloom_lfs::bench {
namespace {

// The pair that is nearest to the row's median ratio, of those that have a series of both arms.
const PairSample* TypicalPair(const DocumentRow& row) {
  const PairSample* typical = nullptr;
  double nearest = 0;
  for (const PairSample& pair : row.pairs) {
    if (!pair.stock.over_time.has_value() || !pair.plugin.over_time.has_value()) continue;
    const double distance =
        std::abs(pair.plugin.metric / pair.stock.metric - row.summary->median_pair_ratio);
    if (typical != nullptr && distance >= nearest) continue;
    typical = &pair;
    nearest = distance;
  }
  return typical;
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

StallFigures StallsOf(const DocumentRow& row, ArmOfPair arm) {
  StallFigures figures;
  for (const PairSample& pair : row.pairs) {
    const ArmReading& reading = arm(pair);
    if (!reading.over_time.has_value()) continue;
    ++figures.runs;
    figures.measured_s += reading.over_time->LengthS();
    figures.longest_us = std::max(figures.longest_us, reading.longest_us.value_or(0));
    for (const Stall& stall : FindStalls(*reading.over_time)) {
      ++figures.stalls;
      figures.longest_s = std::max(figures.longest_s, stall.end_s - stall.begin_s);
      figures.stalled_s += stall.end_s - stall.begin_s;
    }
  }
  return figures;
}

std::vector<std::string> StallCells(const DocumentRow& row, const char* name, ArmOfPair arm) {
  const StallFigures figures = StallsOf(row, arm);
  const auto ms = [](double us) { return FormatCount(us / 1000) + " ms"; };
  return {row.title,
          name,
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
    const PairSample* const pair = TypicalPair(row);
    if (pair == nullptr) continue;
    plots += RenderTimePlot(
        "Operations per second over the time of a run, stock and plugin: " + row.title, row.title,
        *pair->stock.over_time, *pair->plugin.over_time);
    for (const auto& [name, arm] : kArms) table.push_back(StallCells(row, name, arm));
  }
  if (plots.empty()) return "";
  return Heading("Over the time of a run") +
         "<p class=\"soft\">Operations per second of <b class=\"stock\">stock</b> (thin line) and "
         "<b class=\"plugin\">plugin</b> (thick line), of the pair nearest to the row's median "
         "ratio. Stalls, intervals slower than a fifth of their run's mean, are shaded and marked "
         "below the axis: stock above, plugin below. Rows with a fixed number of operations end "
         "earlier in the faster arm.</p>\n" +
         plots + Paragraph("Stalls of all pairs; of the longest operation the largest:") +
         Table(table, Columns::kNameArmNumbers);
}

}  // namespace bloom_lfs::bench

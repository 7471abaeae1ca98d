#include "db_bench_ext/html_arms.h"

#include <vector>

#include "db_bench_ext/format.h"
#include "db_bench_ext/html_parts.h"
#include "db_bench_ext/ratio_rows.h"
#include "db_bench_ext/svg_plot.h"

namespace bloom_lfs::bench {
namespace {

std::vector<std::string> CellsOfArm(const DocumentRow& row, const ArmSummary& arm) {
  return {row.title,
          arm.arm,
          FormatMetric(row.metric, arm.stock_median),
          FormatMetric(row.metric, arm.median),
          FormatDecimal(arm.ratio, 2) + "×",
          FormatInterval(arm.interval),
          std::to_string(arm.pairs),
          DescribeDifference(arm.difference)};
}

}  // namespace

std::string RenderFurtherArmsHtml(const ResultsDocument& document) {
  std::vector<ForestRow> plotted;
  std::vector<std::vector<std::string>> table = {
      {"row", "arm", "stock", "the arm", "ratio", "95 % interval", "pairs", "beside stock"}};
  std::string absent;
  for (const DocumentRow& row : document.rows) {
    for (const ArmSummary& arm : row.further) {
      plotted.push_back(RatioRow(row.title, row.metric, arm, arm.difference));
      plotted.back().second_label = arm.arm;
      table.push_back(CellsOfArm(row, arm));
    }
    for (const AbsentArm& arm : row.absent) {
      absent += Paragraph(row.title + " has no " + arm.arm + ": " + arm.reason);
    }
  }
  if (plotted.empty() && absent.empty()) return "";
  std::string html = Heading("Further arms, each beside stock");
  if (!plotted.empty()) {
    html +=
        Paragraph(
            "As above: medians of the pairs with 95 % intervals, made in the same rounds as the "
            "pairs of stock and plugin. Right of the dashed line the arm is better.") +
        RenderForestPlot("How many times as good as stock each further arm is, by row", plotted) +
        Table(table, Columns::kNameArmNumbers);
  }
  return html + absent;
}

}  // namespace bloom_lfs::bench

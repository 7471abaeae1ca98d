#include "db_bench_ext/html_latency.h"

#include <vector>

#include "db_bench_ext/html_parts.h"
#include "db_bench_ext/svg_plot.h"

namespace bloom_lfs::bench {
namespace {

// A plot, and the same figures as a table.
struct LatencySection {
  std::vector<LatencyRow> plotted;
  std::vector<std::vector<std::string>> table = {{"row", "arm", "p50", "p99", "p99.9", "p99.99"}};
};

void AddLine(const std::string& name, const std::optional<Latencies>& us, const char* classes,
             LatencyRow* row, LatencySection* section) {
  if (!us.has_value()) return;
  row->lines.push_back({*us, classes});
  std::vector<std::string> cells = {row->label, name};
  for (std::string& cell : LatencyCells(*us)) cells.push_back(std::move(cell));
  section->table.push_back(std::move(cells));
}

LatencySection SectionOf(const ResultsDocument& document, bool beside_fio) {
  LatencySection section;
  for (const DocumentRow& row : document.rows) {
    if (row.beside_fio != beside_fio) continue;
    LatencyRow plotted{row.title, {}};
    for (const NamedArm& arm : ArmsOf(row)) {
      AddLine(arm.name, MedianLatencies(row, arm), arm.classes, &plotted, &section);
    }
    if (plotted.lines.empty()) continue;
    if (beside_fio) AddLine("device", MedianDeviceLatencies(row), "none", &plotted, &section);
    section.plotted.push_back(std::move(plotted));
  }
  return section;
}

}  // namespace

std::string RenderLatencies(const ResultsDocument& document) {
  const LatencySection section = SectionOf(document, false);
  if (section.plotted.empty()) return "";
  return Heading("How long an operation takes") +
         "<p class=\"soft\">Percentiles, medians of the pairs; the further left, the better. Four "
         "dots, growing: p50, p99, p99.9, p99.99. Lines as in the table, from above: <b "
         "class=\"stock\">stock</b>, "
         "<b class=\"plugin\">plugin</b>, further arms.</p>\n" +
         RenderLatencyPlot("Percentiles of one operation's time, by row and arm", section.plotted) +
         Table(section.table, Columns::kNameArmNumbers);
}

std::string RenderNoisyNeighbour(const ResultsDocument& document) {
  const LatencySection section = SectionOf(document, true);
  if (section.plotted.empty()) return "";
  return Heading("Beside a noisy neighbour") +
         "<p class=\"soft\">How long a synced write takes while another program writes and syncs "
         "on the same disk, as above. Lines from above: <b class=\"stock\">stock</b>, "
         "<b class=\"plugin\">plugin</b>, further arms and, where it was measured, the <b "
         "class=\"none\">device</b>: single durable writes beside the same load, of which the "
         "p99.99 is close to the longest.</p>\n" +
         RenderLatencyPlot(
             "Percentiles of one operation's time beside a noisy neighbour, by row and arm",
             section.plotted) +
         Table(section.table, Columns::kNameArmNumbers);
}

}  // namespace bloom_lfs::bench

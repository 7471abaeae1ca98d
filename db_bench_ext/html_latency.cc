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

void AddLine(const std::string& title, const char* arm, const Latencies& us,
             LatencySection* section) {
  std::vector<std::string> cells = {title, arm};
  for (std::string& cell : LatencyCells(us)) cells.push_back(std::move(cell));
  section->table.push_back(std::move(cells));
}

LatencySection SectionOf(const ResultsDocument& document, bool beside_fio) {
  LatencySection section;
  for (const DocumentRow& row : document.rows) {
    if (row.beside_fio != beside_fio) continue;
    const std::optional<Latencies> stock = MedianLatencies(row, StockOf);
    const std::optional<Latencies> plugin = MedianLatencies(row, PluginOf);
    if (!stock.has_value() || !plugin.has_value()) continue;
    LatencyRow plotted{row.title, *stock, *plugin, std::nullopt};
    AddLine(row.title, "stock", *stock, &section);
    AddLine(row.title, "plugin", *plugin, &section);
    if (beside_fio) plotted.device = MedianDeviceLatencies(row);
    if (plotted.device.has_value()) AddLine(row.title, "device", *plotted.device, &section);
    section.plotted.push_back(plotted);
  }
  return section;
}

}  // namespace

std::string RenderLatencies(const ResultsDocument& document) {
  const LatencySection section = SectionOf(document, false);
  if (section.plotted.empty()) return "";
  return Heading("How long an operation takes") +
         "<p class=\"soft\">Percentiles, medians of the pairs; the further left, the better. Four "
         "dots, growing: p50, p99, p99.9, p99.99. Upper line <b class=\"stock\">stock</b>, lower "
         "line <b class=\"plugin\">plugin</b>.</p>\n" +
         RenderLatencyPlot("Percentiles of one operation's time, stock and plugin, by row",
                           section.plotted) +
         Table(section.table, Columns::kNameArmNumbers);
}

std::string RenderNoisyNeighbour(const ResultsDocument& document) {
  const LatencySection section = SectionOf(document, true);
  if (section.plotted.empty()) return "";
  return Heading("Beside a noisy neighbour") +
         "<p class=\"soft\">How long a synced write takes while another program writes and syncs "
         "on the same disk, as above. Lines from above: <b class=\"stock\">stock</b>, "
         "<b class=\"plugin\">plugin</b>, and, where it was measured, the <b "
         "class=\"none\">device</b>: single durable writes beside the same load, of which the "
         "p99.99 is close to the longest.</p>\n" +
         RenderLatencyPlot(
             "Percentiles of one operation's time beside a noisy neighbour: stock, plugin, device",
             section.plotted) +
         Table(section.table, Columns::kNameArmNumbers);
}

}  // namespace bloom_lfs::bench

#include "db_bench_ext/html_parts.h"

#include "db_bench_ext/format.h"
#include "db_bench_ext/html_text.h"
#include "db_bench_ext/statistics.h"

namespace bloom_lfs::bench {
namespace {

std::string TableRow(const std::vector<std::string>& cells, const char* tag, Columns columns) {
  std::string html = "<tr>";
  for (size_t i = 0; i < cells.size(); ++i) {
    const size_t second_name = columns == Columns::kNameArmNumbers ? 1 : cells.size() - 1;
    const bool words = i == 0 || i == second_name;
    html += Cell(cells[i], tag, words ? "" : "n");
  }
  return html + "</tr>\n";
}

std::optional<Latencies> MedianOfEach(const std::vector<Latencies>& samples) {
  if (samples.empty()) return std::nullopt;
  const auto median = [&](double Latencies::*percentile) {
    std::vector<double> values;
    values.reserve(samples.size());
    for (const Latencies& us : samples) values.push_back(us.*percentile);
    return Median(values);
  };
  return Latencies{median(&Latencies::p50_us), median(&Latencies::p99_us),
                   median(&Latencies::p999_us), median(&Latencies::p9999_us)};
}

}  // namespace

std::vector<NamedArm> ArmsOf(const DocumentRow& row) {
  std::vector<NamedArm> arms = {
      {"stock", "stock", [](const PairSample& pair) { return &pair.stock; }},
      {"plugin", "plugin", [](const PairSample& pair) { return &pair.plugin; }}};
  for (const ArmSummary& summary : row.further) {
    arms.push_back(
        {summary.arm, "none", [name = summary.arm](const PairSample& pair) -> const ArmReading* {
           for (const FurtherReading& further : pair.further) {
             if (further.arm == name) return &further.reading;
           }
           return nullptr;
         }});
  }
  return arms;
}

std::string Cell(const std::string& text, const char* tag, const char* classes) {
  const std::string attribute = *classes == 0 ? "" : " class=\"" + std::string(classes) + "\"";
  return "<" + std::string(tag) + attribute + ">" + EscapeHtml(text) + "</" + tag + ">";
}

std::string Heading(const std::string& text) { return "<h2>" + EscapeHtml(text) + "</h2>\n"; }

std::string Paragraph(const std::string& text, const char* classes) {
  return "<p class=\"" + std::string(classes) + "\">" + EscapeHtml(text) + "</p>\n";
}

std::string Table(const std::vector<std::vector<std::string>>& rows, Columns columns) {
  std::string html = "<div class=\"scroll\"><table>\n";
  for (const auto& row : rows) html += TableRow(row, &row == &rows.front() ? "th" : "td", columns);
  return html + "</table></div>\n";
}

std::optional<double> MedianOf(
    const DocumentRow& row, const NamedArm& arm,
    const std::function<std::optional<double>(const ArmReading&)>& take) {
  std::vector<double> samples;
  for (const PairSample& pair : row.pairs) {
    const ArmReading* const reading = arm.reading(pair);
    if (reading == nullptr) continue;
    if (const std::optional<double> sample = take(*reading)) samples.push_back(*sample);
  }
  if (samples.empty()) return std::nullopt;
  return Median(samples);
}

std::optional<Latencies> MedianLatencies(const DocumentRow& row, const NamedArm& arm) {
  std::vector<Latencies> samples;
  for (const PairSample& pair : row.pairs) {
    const ArmReading* const reading = arm.reading(pair);
    if (reading != nullptr && reading->latencies.has_value()) {
      samples.push_back(*reading->latencies);
    }
  }
  return MedianOfEach(samples);
}

std::optional<Latencies> MedianDeviceLatencies(const DocumentRow& row) {
  std::vector<Latencies> samples;
  for (const PairSample& pair : row.pairs) {
    if (pair.durable_overwrites.has_value() && pair.durable_overwrites->latencies.has_value()) {
      samples.push_back(*pair.durable_overwrites->latencies);
    }
  }
  return MedianOfEach(samples);
}

std::string FormatOr(const std::optional<double>& value, const std::string& unit, int decimals) {
  return value.has_value() ? FormatDecimal(*value, decimals) + unit : kUnknownFigure;
}

std::vector<std::string> LatencyCells(const Latencies& us) {
  std::vector<std::string> cells;
  for (const double figure : {us.p50_us, us.p99_us, us.p999_us, us.p9999_us}) {
    cells.push_back(FormatCount(figure) + " µs");
  }
  return cells;
}

}  // namespace bloom_lfs::bench

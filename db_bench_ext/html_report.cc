#include "db_bench_ext/html_report.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "db_bench_ext/baseline.h"
#include "db_bench_ext/format.h"
#include "db_bench_ext/html_arms.h"
#include "db_bench_ext/html_latency.h"
#include "db_bench_ext/html_over_time.h"
#include "db_bench_ext/html_parts.h"
#include "db_bench_ext/html_style.h"
#include "db_bench_ext/html_text.h"
#include "db_bench_ext/ratio_rows.h"
#include "db_bench_ext/report.h"
#include "db_bench_ext/svg_plot.h"

namespace bloom_lfs::bench {
namespace {

std::string RenderRatios(const ResultsDocument& document) {
  const std::vector<ForestRow> rows = RatioRowsOf(document);
  if (rows.empty()) return "";
  return Heading("How many times as good as stock") +
         Paragraph(
             "Medians of the pairs, with 95 % intervals (of five pairs all of their ratios, which "
             "is 94 %), on a logarithmic scale. Right of the dashed line the plugin is better. "
             "Dots: better; squares: worse; rings: no "
             "difference, or too few pairs to tell. Of times the inverse is shown.") +
         RenderForestPlot("How many times as good as stock the plugin is, by row", rows);
}

std::vector<std::string> CellsOf(const DocumentRow& row) {
  if (!row.summary.has_value()) {
    return {row.title, kUnknownFigure, kUnknownFigure, kUnknownFigure, kUnknownFigure,
            "0",       row.verdict};
  }
  const Summary& summary = *row.summary;
  return {row.title,
          FormatMetric(row.metric, summary.stock_median),
          FormatMetric(row.metric, summary.plugin_median),
          FormatDecimal(summary.ratio, 2) + "×",
          FormatInterval(summary.interval),
          std::to_string(row.pairs.size()),
          row.verdict};
}

std::string RenderRows(const ResultsDocument& document) {
  std::vector<std::vector<std::string>> table = {
      {"row", "stock", "plugin", "ratio", "95 % interval", "pairs", "verdict"}};
  for (const DocumentRow& row : document.rows) table.push_back(CellsOf(row));
  return Heading("All rows") +
         Paragraph(
             "Medians over the pairs; the ratio is plugin / stock, so of times less is "
             "better. The interval is that of the median of the pairs' ratios.") +
         Table(table, Columns::kNameNumbersVerdict);
}

std::string RenderCosts(const ResultsDocument& document) {
  const auto processor = [](const ArmReading& reading) -> std::optional<double> {
    if (!reading.usage.has_value()) return std::nullopt;
    return reading.usage->processor_s;
  };
  const auto memory_mib = [](const ArmReading& reading) -> std::optional<double> {
    if (!reading.usage.has_value()) return std::nullopt;
    return static_cast<double>(reading.usage->peak_memory_bytes) / (1 << 20);
  };
  const auto written = [](const ArmReading& reading) { return reading.written_per_user_byte; };
  const auto device = [](const ArmReading& reading) {
    return reading.device_written_per_user_byte;
  };
  std::vector<std::vector<std::string>> table = {{"row", "arm", "processor time", "peak memory",
                                                  "sent per user byte", "device per user byte"}};
  for (const DocumentRow& row : document.rows) {
    for (const NamedArm& arm : ArmsOf(row)) {
      if (!MedianOf(row, arm, processor).has_value()) continue;
      table.push_back({row.title, arm.name, FormatOr(MedianOf(row, arm, processor), " s", 2),
                       FormatOr(MedianOf(row, arm, memory_mib), " MiB", 0),
                       FormatOr(MedianOf(row, arm, written), "", 2),
                       FormatOr(MedianOf(row, arm, device), "", 2)});
    }
  }
  if (table.size() == 1) return "";
  return Heading("What it costs") +
         Paragraph(
             "Of the whole child process, medians over the pairs. Rows that run for a time do "
             "more operations in the faster arm. Device: bytes that the block device was given "
             "for each byte of keys and values, until all was written out; journal, metadata and "
             "whatever else wrote on that disk are in it. Sent: what the kernel charged to the "
             "process, without the journal, and pages of the page cache each time that they were "
             "made dirty.") +
         Table(table, Columns::kNameArmNumbers);
}

std::string RenderTroubles(const ResultsDocument& document) {
  std::string html;
  for (const DocumentRow& row : document.rows) {
    if (row.skipped.has_value()) html += Paragraph(row.title + ": skipped: " + *row.skipped);
    if (!row.failure.has_value()) continue;
    html += Paragraph(row.title + ": FAILED", "worse") + "<pre>" + EscapeHtml(*row.failure) +
            "</pre>\n";
  }
  return html.empty() ? "" : Heading("What could not be measured") + html;
}

std::string RenderBaselineTable(const ResultsDocument& now, const ResultsDocument& then) {
  std::vector<std::vector<std::string>> table = {
      {"row", "then", "interval", "now", "interval", "verdict"}};
  for (const BaselineRow& row : CompareWithBaseline(now, then)) {
    table.push_back({row.title, FormatDecimal(row.ratio_then, 2) + "×",
                     FormatInterval(row.interval_then), FormatDecimal(row.ratio_now, 2) + "×",
                     FormatInterval(row.interval_now), row.verdict});
  }
  std::string html = Heading("Beside the baseline") +
                     Paragraph("Baseline: " + then.measured +
                               ". The ratios to stock are compared; there is no difference where "
                               "the intervals meet.") +
                     Table(table, Columns::kNameNumbersVerdict);
  for (const std::string& line : OtherCircumstances(now, then)) html += Paragraph("Other " + line);
  return html;
}

std::string RenderFacts(const ResultsDocument& document) {
  std::string html = Heading("On what") + "<dl>\n";
  for (const auto& [name, value] : document.facts) {
    html += Cell(name, "dt") + Cell(value, "dd") + "\n";
  }
  return html + "</dl>\n";
}

// "2 rows failed. 1 row was skipped."; empty if all were measured.
std::string DescribeMissing(const ResultsDocument& document) {
  int failed = 0;
  int skipped = 0;
  int not_run = 0;
  for (const DocumentRow& row : document.rows) {
    if (row.failure.has_value()) {
      ++failed;
    } else if (row.skipped.has_value()) {
      ++skipped;
    } else if (!row.summary.has_value()) {
      ++not_run;
    }
  }
  const auto sentence = [](int rows, const char* one, const char* many) {
    if (rows == 0) return std::string();
    return " " + std::to_string(rows) + (rows == 1 ? one : many);
  };
  return sentence(failed, " row FAILED.", " rows FAILED.") +
         sentence(skipped, " row was skipped.", " rows were skipped.") +
         sentence(not_run, " row was not reached.", " rows were not reached.");
}

bool AnyFailed(const ResultsDocument& document) {
  const auto failed = [](const DocumentRow& row) { return row.failure.has_value(); };
  return std::any_of(document.rows.begin(), document.rows.end(), failed) ||
         std::any_of(document.sections.begin(), document.sections.end(), AnyFailed);
}

std::string RenderVerdict(const ResultsDocument& document) {
  return std::string("<div class=\"panel") + (AnyFailed(document) ? " alarm" : "") + "\">" +
         Paragraph(DescribeResults(document), "") + "</div>\n";
}

int CountOf(const ResultsDocument& document, Difference difference) {
  int rows = 0;
  for (const DocumentRow& row : document.rows) {
    if (row.HasResult() && row.difference == difference) ++rows;
  }
  return rows;
}

// The row of that difference with the largest or smallest factor, in words.
// REQUIRES: there is one
std::string Extreme(const ResultsDocument& document, Difference difference, bool largest) {
  std::optional<ForestRow> best;
  for (const DocumentRow& row : document.rows) {
    if (!row.HasResult() || row.difference != difference) continue;
    const ForestRow candidate = RatioRowOf(row);
    if (!best.has_value() || (candidate.middle > best->middle) == largest) best = candidate;
  }
  return best->label + ", " + FormatDecimal(best->middle, 2) + " times as good as stock";
}

// All of a document but what stands around its sections.
std::string RenderBody(const ResultsDocument& document, const ResultsDocument* baseline) {
  std::string html = RenderTroubles(document) + RenderRatios(document) + RenderLatencies(document) +
                     RenderNoisyNeighbour(document) + RenderOverTime(document) +
                     RenderRows(document) + RenderFurtherArmsHtml(document);
  if (baseline != nullptr) html += RenderBaselineTable(document, *baseline);
  return html + RenderCosts(document) + RenderFacts(document);
}

// One for each file system.
std::string RenderSections(const ResultsDocument& document,
                           const std::optional<ResultsDocument>& baseline) {
  std::string html;
  for (const ResultsDocument& section : document.sections) {
    html += "<h2 class=\"section\">" + EscapeHtml("On " + section.file_system) + "</h2>\n";
    if (section.skipped.has_value()) {
      html += Paragraph("Skipped: " + *section.skipped);
      continue;
    }
    html += RenderVerdict(section);
    html += RenderBody(
        section, baseline.has_value() ? FindSection(*baseline, section.file_system) : nullptr);
  }
  return html;
}

std::string DescribeSections(const ResultsDocument& document) {
  std::string text;
  for (const ResultsDocument& section : document.sections) {
    text += std::string(text.empty() ? "" : " ") + "On " + section.file_system + ": " +
            (section.skipped.has_value() ? "skipped." : DescribeResults(section));
  }
  return text;
}

}  // namespace

std::string DescribeResults(const ResultsDocument& document) {
  if (!document.sections.empty()) return DescribeSections(document);
  const int better = CountOf(document, Difference::kBetter);
  const int worse = CountOf(document, Difference::kWorse);
  const int none = CountOf(document, Difference::kNone);
  const int unknown = CountOf(document, Difference::kUnknown);
  const int rows = better + worse + none + unknown;
  const std::string missing = DescribeMissing(document);
  if (rows == 0) return "Nothing was measured." + missing;
  std::string text;
  if (document.self_check)
    text = "Self-check: both arms were stock, so every difference is noise. ";
  if (unknown == rows) {
    return text + std::to_string(rows) + (rows == 1 ? " row was" : " rows were") +
           " measured, with too few pairs to tell a difference." + missing;
  }
  text += "Of " + std::to_string(rows) + (rows == 1 ? " row" : " rows") +
          " the plugin is better in " + std::to_string(better) + " and worse in " +
          std::to_string(worse) + "; " + std::to_string(none) + (none == 1 ? " shows" : " show") +
          " no difference.";
  if (unknown > 0) {
    text += " " + std::to_string(unknown) + (unknown == 1 ? " has" : " have") +
            " too few pairs to tell.";
  }
  text += missing;
  if (better > 0) text += " Best: " + Extreme(document, Difference::kBetter, true) + ".";
  if (worse > 0) text += " Worst: " + Extreme(document, Difference::kWorse, false) + ".";
  return text;
}

std::string RenderHtml(const ResultsDocument& document,
                       const std::optional<ResultsDocument>& baseline) {
  std::string html =
      "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n"
      "<meta charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
      "<title>bloom_lfs beside stock RocksDB</title>\n<style>";
  html += kHtmlStyle;
  html += "</style>\n</head>\n<body>\n<h1>bloom_lfs beside stock RocksDB</h1>\n";
  html += Paragraph(document.measured);
  html += RenderVerdict(document);
  if (document.interrupted) {
    html += "<div class=\"panel alarm\">" +
            Paragraph("This report is partial: " + DescribeInterruption(document) + ".", "") +
            "</div>\n";
  }
  html += document.sections.empty()
              ? RenderBody(document, baseline.has_value() ? &*baseline : nullptr)
              : RenderSections(document, baseline);
  return html + "</body>\n</html>\n";
}

}  // namespace bloom_lfs::bench

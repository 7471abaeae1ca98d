#include "db_bench_ext/ratio_rows.h"

#include <string>
#include <utility>

#include "db_bench_ext/format.h"
#include "db_bench_ext/svg_shapes.h"

namespace bloom_lfs::bench {
namespace {

// Without variables: not every program that shows SVG knows them.
constexpr char kPictureStyle[] = R"css(
text { font: 10.5px system-ui, "DejaVu Sans", sans-serif; fill: #1b1f24; }
.title { font-size: 14px; font-weight: bold; }
.soft { font-size: 9px; fill: #59636e; }
.tick { font-size: 9px; fill: #59636e; text-anchor: middle; }
.figure { text-anchor: end; font-variant-numeric: tabular-nums; }
.label, .figure { paint-order: stroke; stroke: #fff; stroke-width: 3px; }
.ground { fill: #fff; }
line { stroke: #1b1f24; stroke-width: 2; }
line.wide { stroke-width: 3; }
line.grid { stroke: #d5dae0; stroke-width: 1; }
line.one { stroke: #59636e; stroke-width: 1.5; stroke-dasharray: 4 3; }
.better { fill: #0b6e4f; } line.better { stroke: #0b6e4f; }
.worse { fill: #b3261e; } line.worse { stroke: #b3261e; }
.none { fill: #6b7480; } line.none { stroke: #6b7480; }
.hollow { fill: #fff; stroke: #6b7480; stroke-width: 2; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6e9ed; } .soft, .tick { fill: #a3acb7; } .ground { fill: #14181d; }
  .label, .figure { stroke: #14181d; }
  line { stroke: #e6e9ed; } line.grid { stroke: #343b44; } line.one { stroke: #a3acb7; }
  .better { fill: #4cc38a; } line.better { stroke: #4cc38a; }
  .worse { fill: #ff8a80; } line.worse { stroke: #ff8a80; }
  .none { fill: #9aa4b0; } line.none { stroke: #9aa4b0; }
  .hollow { fill: #14181d; stroke: #9aa4b0; }
}
)css";

// Where a line may end: after a space, or after a comma in a list of names.
std::vector<std::string> Pieces(const std::string& text) {
  std::vector<std::string> pieces = {""};
  for (const char c : text) {
    pieces.back() += c;
    if (c == ' ' || c == ',') pieces.emplace_back();
  }
  return pieces;
}

// Lines that fit the picture.
std::vector<std::string> Wrap(const std::string& text) {
  constexpr size_t kMostBytes = 82;
  std::vector<std::string> lines = {""};
  for (const std::string& piece : Pieces(text)) {
    if (!lines.back().empty() && lines.back().size() + piece.size() > kMostBytes) {
      lines.emplace_back();
    }
    lines.back() += piece;
  }
  return lines;
}

std::string FactOf(const ResultsDocument& document, const std::string& name) {
  for (const auto& [known, value] : document.facts) {
    if (known == name) return value;
  }
  return "";
}

// Machine and date, as far as they are known.
std::string OnWhat(const ResultsDocument& document) {
  std::string text = document.measured;
  for (const char* name : {"machine", "date"}) {
    if (const std::string fact = FactOf(document, name); !fact.empty()) text += "; " + fact;
  }
  return text;
}

}  // namespace

ForestRow RatioRow(const std::string& label, Metric metric, const PairSummary& summary,
                   Difference difference) {
  const Tone tone = difference == Difference::kBetter  ? Tone::kBetter
                    : difference == Difference::kWorse ? Tone::kWorse
                                                       : Tone::kNone;
  ForestRow plotted{label, "", summary.median_pair_ratio, summary.interval, tone};
  if (LowerIsBetter(metric)) {
    plotted.middle = 1 / plotted.middle;
    if (plotted.interval.has_value()) {
      plotted.interval = Interval{1 / summary.interval->high, 1 / summary.interval->low};
    }
  }
  plotted.figure = FormatDecimal(plotted.middle, 2) + "×";
  return plotted;
}

ForestRow RatioRowOf(const DocumentRow& row) {
  ForestRow plotted = RatioRow(row.title, row.metric, *row.summary, row.difference);
  if (plotted.interval.has_value()) plotted.figure += " (" + FormatInterval(plotted.interval) + ")";
  return plotted;
}

std::vector<ForestRow> RatioRowsOf(const ResultsDocument& document) {
  std::vector<ForestRow> rows;
  for (const DocumentRow& row : document.rows) {
    if (row.HasResult()) rows.push_back(RatioRowOf(row));
  }
  for (const ResultsDocument& section : document.sections) {
    for (ForestRow& row : RatioRowsOf(section)) {
      row.label += ", " + section.file_system;
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

Result<std::string> RenderRatioPicture(const ResultsDocument& document) {
  const std::vector<ForestRow> rows = RatioRowsOf(document);
  if (rows.empty()) return Error{"there is no picture of ratios: no row was measured"};
  constexpr double kFrame = 14;
  constexpr double kLineHeight = 12;
  constexpr double kScale = 1.6;
  double y = kFrame + 14;
  std::string words = svg::Text(2, y, "title", "bloom_lfs beside stock RocksDB");
  y += 4;
  for (const std::string& text :
       {std::string(
            "How many times as good as stock: medians of pairs of runs with 95 % intervals. Dots: "
            "better; squares: worse; rings: no difference, or too few pairs. Of times the "
            "inverse."),
        OnWhat(document)}) {
    for (const std::string& line : Wrap(text))
      words += svg::Text(2, y += kLineHeight, "soft", line);
  }
  y += 6;
  const double width = svg::kWidth + 2 * kFrame;
  const double height = y + ForestHeight(rows) + kFrame / 2;
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + svg::Number(width) + " " +
         svg::Number(height) + "\" width=\"" + svg::Number(width * kScale) + "\" height=\"" +
         svg::Number(height * kScale) +
         "\" role=\"img\">\n<title>How many times as good as stock RocksDB it is with "
         "bloom_lfs</title>\n<style>" +
         std::string(kPictureStyle) + "</style>\n" +
         "<rect width=\"100%\" height=\"100%\" rx=\"6\" class=\"ground\"/>\n<g "
         "transform=\"translate(" +
         svg::Number(kFrame) + " 0)\">\n" + words + "</g>\n<g transform=\"translate(" +
         svg::Number(kFrame) + " " + svg::Number(y) + ")\">\n" + ForestShapes(rows) +
         "</g>\n</svg>\n";
}

}  // namespace bloom_lfs::bench

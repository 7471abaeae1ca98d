#include "db_bench_ext/svg_plot.h"

#include <algorithm>
#include <array>
#include <utility>

#include "db_bench_ext/svg_shapes.h"

namespace bloom_lfs::bench {
namespace {

using svg::Begin;
using svg::Circle;
using svg::FactorLabel;
using svg::Grid;
using svg::kAxisHeight;
using svg::kWidth;
using svg::Line;
using svg::LogAxis;
using svg::Rectangle;
using svg::Shorten;
using svg::Text;
using svg::TimeLabel;

constexpr double kForestRowHeight = 34;
constexpr double kSecondLabelHeight = 14;
constexpr double kLatencyLineHeight = 13;

const char* ClassOf(Tone tone) {
  switch (tone) {
    case Tone::kBetter:
      return "better";
    case Tone::kWorse:
      return "worse";
    case Tone::kNone:
      return "none";
  }
  return "none";
}

// Not by the colour alone: a dot, a square, a ring.
std::string Mark(Tone tone, double x, double y) {
  if (tone == Tone::kWorse) {
    return Rectangle(x - 4.5, y - 4.5, 9, 9, "worse");
  }
  return Circle(x, y, 5, tone == Tone::kNone ? "none hollow" : "better");
}

std::array<std::pair<double, double>, 4> PointsOf(const Latencies& us) {
  // With the radius of each dot.
  return {{{us.p50_us, 2.5}, {us.p99_us, 3.2}, {us.p999_us, 3.9}, {us.p9999_us, 4.6}}};
}

std::string LatencyShapes(const LogAxis& axis, const LatencyLine& line, double y) {
  std::string svg = Line(axis.X(line.us.p50_us), y, axis.X(line.us.p9999_us), y, line.classes);
  for (const auto& [value, radius] : PointsOf(line.us)) {
    svg += Circle(axis.X(value), y, radius, line.classes);
  }
  return svg;
}

LogAxis AxisOf(const std::vector<LatencyRow>& rows) {
  double low = 1e300;
  double high = 0;
  for (const LatencyRow& row : rows) {
    for (const LatencyLine& line : row.lines) {
      for (const auto& [value, radius] : PointsOf(line.us)) {
        low = std::min(low, value);
        high = std::max(high, value);
      }
    }
  }
  low = std::max(low, 0.1);
  return {low, std::max(high, low)};
}

double HeightOf(const ForestRow& row) {
  return kForestRowHeight + (row.second_label.empty() ? 0 : kSecondLabelHeight);
}

double ForestBottom(const std::vector<ForestRow>& rows) {
  double bottom = 4;
  for (const ForestRow& row : rows) bottom += HeightOf(row);
  return bottom;
}

}  // namespace

double ForestHeight(const std::vector<ForestRow>& rows) { return ForestBottom(rows) + kAxisHeight; }

std::string ForestShapes(const std::vector<ForestRow>& rows) {
  double low = 0.9;
  double high = 1.1;
  for (const ForestRow& row : rows) {
    low = std::min({low, row.middle, row.interval.has_value() ? row.interval->low : row.middle});
    high = std::max({high, row.middle, row.interval.has_value() ? row.interval->high : row.middle});
  }
  const LogAxis axis(low, high);
  const double bottom = ForestBottom(rows);
  std::string svg = Grid(axis, bottom, FactorLabel) + Line(axis.X(1), 4, axis.X(1), bottom, "one");
  double y = 4;
  for (const ForestRow& row : rows) {
    svg += Text(2, y + 12, "label", row.label) + Text(kWidth - 2, y + 12, "figure", row.figure);
    if (!row.second_label.empty()) svg += Text(2, y + 26, "label", Shorten(row.second_label));
    const double line = y + HeightOf(row) - 11;
    if (row.interval.has_value()) {
      svg += Line(axis.X(row.interval->low), line, axis.X(row.interval->high), line,
                  std::string(ClassOf(row.tone)) + " wide");
    }
    svg += Mark(row.tone, axis.X(row.middle), line);
    y += HeightOf(row);
  }
  return svg;
}

std::string RenderForestPlot(const std::string& title, const std::vector<ForestRow>& rows) {
  if (rows.empty()) return "";
  return Begin(title, ForestHeight(rows)) + ForestShapes(rows) + "</svg>\n";
}

std::string RenderLatencyPlot(const std::string& title, const std::vector<LatencyRow>& rows) {
  if (rows.empty()) return "";
  const LogAxis axis = AxisOf(rows);
  double bottom = 4;
  std::string lines;
  for (const LatencyRow& row : rows) {
    lines += Text(2, bottom + 12, "label", row.label);
    double y = bottom + 23;
    for (const LatencyLine& line : row.lines) {
      lines += LatencyShapes(axis, line, y);
      y += kLatencyLineHeight;
    }
    bottom = y - kLatencyLineHeight + 10;
  }
  return Begin(title, bottom + kAxisHeight) + Grid(axis, bottom, TimeLabel) + lines + "</svg>\n";
}

}  // namespace bloom_lfs::bench

#include "db_bench_ext/svg_time_plot.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "db_bench_ext/format.h"
#include "db_bench_ext/statistics.h"
#include "db_bench_ext/svg_shapes.h"

namespace bloom_lfs::bench {
namespace {

constexpr double kPlotTop = 20;
constexpr double kPlotBottom = 100;
constexpr double kStripHeight = 5;
constexpr double kStripsBottom = kPlotBottom + 2 * kStripHeight + 6;

// The least of 1, 1.5, 2, 3, ... 8 times a power of ten that is not below `value`.
double NiceTop(double value) {
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double step : {1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0}) {
    if (step * power >= value) return step * power;
  }
  return 10 * power;
}

// "0.5 s", "12 s"
std::string SecondsLabel(double s) {
  std::string text = FormatDecimal(s, 3);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text + " s";
}

// Seconds to the right, operations per second upwards.
class TimeAxes {
 public:
  TimeAxes(const RateSeries& stock, const RateSeries& plugin)
      : length_s_(std::max({stock.LengthS(), plugin.LengthS(), 1e-3})) {
    std::vector<double> rates = stock.ops_per_s;
    rates.insert(rates.end(), plugin.ops_per_s.begin(), plugin.ops_per_s.end());
    // A single interval that is faster than all others would flatten the rest.
    top_ = NiceTop(rates.empty() ? 1 : std::max(1.0, Percentile(rates, 99)));
  }

  double X(double at_s) const {
    return svg::kMargin + at_s / length_s_ * (svg::kWidth - 2 * svg::kMargin);
  }
  double Y(double rate) const {
    return kPlotBottom - std::min(rate / top_, 1.0) * (kPlotBottom - kPlotTop);
  }

  std::string Grid() const {
    std::string grid;
    for (const double share : {1.0, 0.5, 0.0}) {
      const double y = Y(share * top_);
      grid += svg::Line(svg::kMargin, y, svg::kWidth - svg::kMargin, y, "grid");
    }
    const double step_s = NiceTop(length_s_ / 7);
    for (int i = 0; step_s * i < length_s_; ++i) {
      const double x = X(step_s * i);
      grid += svg::Line(x, kPlotBottom, x, kStripsBottom, "grid") +
              svg::Text(x, kStripsBottom + 12, "tick", SecondsLabel(step_s * i));
    }
    return grid;
  }

  // Above everything else: what the two upper lines stand for.
  std::string Labels() const {
    return svg::Text(svg::kMargin + 2, Y(top_) + 9, "note", FormatCount(top_) + " ops/s") +
           svg::Text(svg::kMargin + 2, Y(top_ / 2) + 9, "note", FormatCount(top_ / 2));
  }

 private:
  double length_s_;
  double top_ = 1;
};

std::string Curve(const TimeAxes& axes, const RateSeries& series, const char* arm) {
  std::string path;
  for (size_t i = 0; i < series.ops_per_s.size(); ++i) {
    const double begin_s = series.interval_s * static_cast<double>(i);
    path += (i == 0 ? "M" + svg::Number(axes.X(begin_s)) + " " : "V") +
            svg::Number(axes.Y(series.ops_per_s[i])) + "H" +
            svg::Number(axes.X(begin_s + series.interval_s));
  }
  return "<path d=\"" + path + "\" class=\"curve " + std::string(arm) + "\"/>\n";
}

std::string Stalls(const TimeAxes& axes, const RateSeries& series, const char* arm,
                   double strip_y) {
  constexpr double kNarrowest = 1.5;
  std::string shapes;
  for (const Stall& stall : FindStalls(series)) {
    const double x = axes.X(stall.begin_s);
    const double width = std::max(kNarrowest, axes.X(stall.end_s) - x);
    shapes +=
        svg::Rectangle(x, kPlotTop, width, kPlotBottom - kPlotTop, "stall " + std::string(arm)) +
        svg::Rectangle(x, strip_y, width, kStripHeight, arm);
  }
  return shapes;
}

}  // namespace

std::string RenderTimePlot(const std::string& title, const std::string& label,
                           const RateSeries& stock, const RateSeries& plugin) {
  const TimeAxes axes(stock, plugin);
  return svg::Begin(title, kStripsBottom + 16) + svg::Text(2, 12, "label", svg::Shorten(label)) +
         axes.Grid() + Stalls(axes, stock, "stock", kPlotBottom + 2) +
         Stalls(axes, plugin, "plugin", kPlotBottom + kStripHeight + 4) +
         Curve(axes, stock, "stock") + Curve(axes, plugin, "plugin") + axes.Labels() + "</svg>\n";
}

}  // namespace bloom_lfs::bench

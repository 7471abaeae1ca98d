#include "db_bench_ext/svg_shapes.h"

#include <algorithm>
#include <cmath>

#include "db_bench_ext/format.h"
#include "db_bench_ext/html_text.h"

namespace bloom_lfs::bench::svg {

namespace {

// Nothing that is measured is beyond these.
constexpr double kLeast = 1e-12;
constexpr double kMost = 1e15;

}  // namespace

std::string Number(double value) { return FormatDecimal(value, 1); }

std::string Text(double x, double y, const std::string& classes, const std::string& text) {
  return "<text x=\"" + Number(x) + "\" y=\"" + Number(y) + "\" class=\"" + classes + "\">" +
         EscapeHtml(text) + "</text>\n";
}

std::string Shorten(const std::string& label) {
  constexpr size_t kMostCharacters = 56;
  size_t characters = 0;
  for (size_t at = 0; at < label.size(); ++at) {
    const bool begins_one = (static_cast<unsigned char>(label[at]) & 0xC0) != 0x80;
    if (begins_one && ++characters > kMostCharacters) return label.substr(0, at) + "…";
  }
  return label;
}

std::string Line(double x1, double y1, double x2, double y2, const std::string& classes) {
  return "<line x1=\"" + Number(x1) + "\" y1=\"" + Number(y1) + "\" x2=\"" + Number(x2) +
         "\" y2=\"" + Number(y2) + "\" class=\"" + classes + "\"/>\n";
}

std::string Circle(double x, double y, double radius, const std::string& classes) {
  return "<circle cx=\"" + Number(x) + "\" cy=\"" + Number(y) + "\" r=\"" + Number(radius) +
         "\" class=\"" + classes + "\"/>\n";
}

std::string Rectangle(double x, double y, double width, double height, const std::string& classes) {
  return "<rect x=\"" + Number(x) + "\" y=\"" + Number(y) + "\" width=\"" + Number(width) +
         "\" height=\"" + Number(height) + "\" class=\"" + classes + "\"/>\n";
}

std::string Begin(const std::string& title, double height) {
  return "<svg viewBox=\"0 0 " + Number(kWidth) + " " + Number(height) +
         "\" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\">\n<title>" + EscapeHtml(title) +
         "</title>\n";
}

LogAxis::LogAxis(double low, double high)
    : low_(std::clamp(low, kLeast, kMost) / 1.08), high_(std::clamp(high, kLeast, kMost) * 1.08) {}

double LogAxis::X(double value) const {
  const double share = std::log(std::max(low_, value) / low_) / std::log(high_ / low_);
  return kMargin + std::clamp(share, 0.0, 1.0) * (kWidth - 2 * kMargin);
}

std::vector<double> LogAxis::Ticks() const {
  const double decades = std::log10(high_ / low_);
  const std::vector<double> steps =
      decades > 2     ? std::vector<double>{1}
      : decades > 1   ? std::vector<double>{1, 2, 5}
      : decades > 0.4 ? std::vector<double>{1, 1.5, 2, 3, 5, 7}
                      : std::vector<double>{1, 1.2, 1.4, 1.7, 2, 2.5, 3, 4, 5, 6, 7, 8, 9};
  std::vector<double> ticks;
  const int first = static_cast<int>(std::floor(std::log10(low_)));
  const int last = static_cast<int>(std::ceil(std::log10(high_)));
  for (int exponent = first; exponent <= last; ++exponent) {
    for (const double step : steps) {
      const double tick = step * std::pow(10, exponent);
      if (tick >= low_ && tick <= high_) ticks.push_back(tick);
    }
  }
  return ticks;
}

std::string Grid(const LogAxis& axis, double bottom, std::string (*label)(double)) {
  std::string svg;
  double free_from = 0;
  for (const double tick : axis.Ticks()) {
    const double x = axis.X(tick);
    svg += Line(x, 4, x, bottom, "grid");
    if (x < free_from) continue;
    svg += Text(x, bottom + 14, "tick", label(tick));
    free_from = x + 44;
  }
  return svg;
}

// "0.5×", "2×"
std::string FactorLabel(double factor) {
  std::string text = FormatDecimal(factor, factor < 0.1 ? 2 : 1);
  if (text.size() > 2 && text.compare(text.size() - 2, 2, ".0") == 0) text.resize(text.size() - 2);
  return text + "×";
}

// "50 µs", "2 ms", "1 s"
std::string TimeLabel(double us) {
  if (us < 1000) return FormatDecimal(us, us < 1 ? 1 : 0) + " µs";
  if (us < 1e6)
    return FormatDecimal(us / 1000, us < 1e4 && us != std::floor(us / 1e3) * 1e3 ? 1 : 0) + " ms";
  return FormatDecimal(us / 1e6, 0) + " s";
}

}  // namespace bloom_lfs::bench::svg

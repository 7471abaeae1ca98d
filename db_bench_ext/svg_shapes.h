// What the plots are made of: texts, lines and axes, as inline SVG.
#pragma once

#include <string>
#include <vector>

namespace bloom_lfs::bench::svg {

constexpr double kWidth = 400;
constexpr double kMargin = 14;
constexpr double kAxisHeight = 26;

// With one digit after the point.
std::string Number(double value);

std::string Text(double x, double y, const std::string& classes, const std::string& text);

// What fits a line of its own on a phone: all of it, or its beginning and "…".
std::string Shorten(const std::string& label);
std::string Line(double x1, double y1, double x2, double y2, const std::string& classes);
std::string Circle(double x, double y, double radius, const std::string& classes);
std::string Rectangle(double x, double y, double width, double height, const std::string& classes);

// The beginning of a plot, kWidth wide; `title` is what a screen reader says. "</svg>" ends it.
std::string Begin(const std::string& title, double height);

// A logarithmic axis from the left margin to the right one.
class LogAxis {
 public:
  // REQUIRES: 0 < low <= high
  LogAxis(double low, double high);

  // Values that are not on the axis are moved to its ends.
  double X(double value) const;

  // Where the axis is labelled: 1, 2 and 5 times the powers of ten, or those powers alone.
  std::vector<double> Ticks() const;

 private:
  double low_;
  double high_;
};

// Lines at the ticks, from the top to `bottom`, and below them as many labels as there is room for.
std::string Grid(const LogAxis& axis, double bottom, std::string (*label)(double));

// "0.5×", "2×"
std::string FactorLabel(double factor);

// "50 µs", "2 ms", "1 s"
std::string TimeLabel(double us);

}  // namespace bloom_lfs::bench::svg

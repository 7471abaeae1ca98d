#include "db_bench_ext/format.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace bloom_lfs::bench {

std::string FormatCount(double value) {
  std::string digits = std::to_string(std::llround(value));
  const size_t first = digits[0] == '-' ? 1 : 0;
  for (size_t i = digits.size(); i > first + 3;) {
    i -= 3;
    digits.insert(i, ",");
  }
  return digits;
}

std::string FormatDecimal(double value, int decimals) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

std::string FormatMetric(Metric metric, double value) {
  switch (metric) {
    case Metric::kOpsPerS:
      return FormatCount(value) + " ops/s";
    case Metric::kP999Us:
      return FormatDecimal(value / 1000, 2) + " ms";
    case Metric::kLongestUs:
      return FormatCount(value / 1000) + " ms";
    case Metric::kElapsedS:
      return FormatDecimal(value, 2) + " s";
    case Metric::kMicroseconds:
      return FormatDecimal(value, 2) + " µs";
    case Metric::kBytesPerByte:
      return FormatDecimal(value, 2) + " B/B";
  }
  return "?";
}

}  // namespace bloom_lfs::bench

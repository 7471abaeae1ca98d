// What the sections of the HTML report are made of. Everything that is handed over as text is
// escaped here.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "db_bench_ext/results_document.h"

namespace bloom_lfs::bench {

inline constexpr char kUnknownFigure[] = "–";

// An arm of a row, and what it said in a pair: null if the pair has no such run.
struct NamedArm {
  std::string name;
  const char* classes;  // of its shapes in a plot
  std::function<const ArmReading*(const PairSample&)> reading;
};

// Stock, the plugin, then the further arms in the order of --arms.
std::vector<NamedArm> ArmsOf(const DocumentRow& row);

// What a table's columns hold: names, or numbers.
enum class Columns {
  kNameNumbersVerdict,
  kNameArmNumbers,
};

std::string Cell(const std::string& text, const char* tag = "td", const char* classes = "");
std::string Heading(const std::string& text);
std::string Paragraph(const std::string& text, const char* classes = "soft");
// The first row is the head.
std::string Table(const std::vector<std::vector<std::string>>& rows, Columns columns);

// The median over those pairs that have the figure.
std::optional<double> MedianOf(const DocumentRow& row, const NamedArm& arm,
                               const std::function<std::optional<double>(const ArmReading&)>& take);

// Each percentile's median over those pairs that have them.
std::optional<Latencies> MedianLatencies(const DocumentRow& row, const NamedArm& arm);
std::optional<Latencies> MedianDeviceLatencies(const DocumentRow& row);

std::string FormatOr(const std::optional<double>& value, const std::string& unit, int decimals);

// Its cells, from p50 to p99.99.
std::vector<std::string> LatencyCells(const Latencies& us);

}  // namespace bloom_lfs::bench

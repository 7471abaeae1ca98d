// What the sections of the HTML report are made of. Everything that is handed over as text is
// escaped here.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "db_bench_ext/results_document.h"

namespace bloom_lfs::bench {

inline constexpr char kUnknownFigure[] = "–";

using ArmOfPair = const ArmReading& (*)(const PairSample&);
const ArmReading& StockOf(const PairSample& pair);
const ArmReading& PluginOf(const PairSample& pair);
inline constexpr std::array<std::pair<const char*, ArmOfPair>, 2> kArms = {
    {{"stock", StockOf}, {"plugin", PluginOf}}};

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
std::optional<double> MedianOf(const DocumentRow& row, ArmOfPair arm,
                               const std::function<std::optional<double>(const ArmReading&)>& take);

// Each percentile's median over those pairs that have them.
std::optional<Latencies> MedianLatencies(const DocumentRow& row, ArmOfPair arm);
std::optional<Latencies> MedianDeviceLatencies(const DocumentRow& row);

std::string FormatOr(const std::optional<double>& value, const std::string& unit, int decimals);

// Its cells, from p50 to p99.99.
std::vector<std::string> LatencyCells(const Latencies& us);

}  // namespace bloom_lfs::bench

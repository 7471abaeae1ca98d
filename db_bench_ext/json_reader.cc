#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "db_bench_ext/json_names.h"
#include "db_bench_ext/results_document.h"
#include "db_bench_ext/statistics.h"

namespace bloom_lfs::bench {
namespace {

using JsonValue = nlohmann::ordered_json;

constexpr uint64_t kMostPairs = 1000000000;

// Takes fields out of JSON objects. The first field that is missing or of another kind is kept as
// what is wrong; everything after it yields zeros.
class FieldReader {
 public:
  const std::string& wrong() const { return wrong_; }
  void Fail(const std::string& what) {
    if (wrong_.empty()) wrong_ = what;
  }

  // Null if there is none.
  const JsonValue* Find(const JsonValue& object, const char* name) const {
    if (!object.is_object()) return nullptr;
    const auto found = object.find(name);
    return found == object.end() ? nullptr : &*found;
  }

  const JsonValue& Require(const JsonValue& object, const char* name, JsonValue::value_t type) {
    static const JsonValue kNothing;
    const JsonValue* value = Find(object, name);
    if (value != nullptr && value->type() == type) return *value;
    Fail("\"" + std::string(name) + "\" is missing or of the wrong kind");
    return kNothing;
  }

  std::string Text(const JsonValue& object, const char* name) {
    const JsonValue& value = Require(object, name, JsonValue::value_t::string);
    return value.is_string() ? value.get<std::string>() : "";
  }

  bool Flag(const JsonValue& object, const char* name) {
    const JsonValue& value = Require(object, name, JsonValue::value_t::boolean);
    return value.is_boolean() && value.get<bool>();
  }

  double Number(const JsonValue& object, const char* name) {
    const JsonValue* value = Find(object, name);
    if (value != nullptr && value->is_number()) {
      const double number = value->get<double>();
      if (number >= 0 && std::isfinite(number)) return number;
    }
    Fail("\"" + std::string(name) + "\" is no number, or negative");
    return 0;
  }

  // What is divided by.
  double Positive(const JsonValue& object, const char* name) {
    const double number = Number(object, name);
    if (number > 0) return number;
    Fail("\"" + std::string(name) + "\" is not above 0");
    return 1;
  }

  uint64_t Count(const JsonValue& object, const char* name) {
    const JsonValue* value = Find(object, name);
    if (value != nullptr && value->is_number_unsigned()) return value->get<uint64_t>();
    Fail("\"" + std::string(name) + "\" is no whole number");
    return 0;
  }

  std::optional<double> NumberIfAny(const JsonValue& object, const char* name) {
    if (Find(object, name) == nullptr) return std::nullopt;
    return Number(object, name);
  }

  std::optional<std::string> TextIfAny(const JsonValue& object, const char* name) {
    if (Find(object, name) == nullptr) return std::nullopt;
    return Text(object, name);
  }

  template <typename Table>
  auto Named(const JsonValue& object, const char* name, const Table& table) {
    const std::string text = Text(object, name);
    for (const auto& [value, known] : table) {
      if (known == text) return value;
    }
    Fail("\"" + std::string(name) + "\" is \"" + text + "\", which this program does not know");
    return table.front().first;
  }

 private:
  std::string wrong_;
};

std::optional<Latencies> ReadLatencies(const JsonValue& json, FieldReader* fields) {
  const JsonValue* us = fields->Find(json, "latency_us");
  if (us == nullptr) return std::nullopt;
  return Latencies{fields->Number(*us, "p50"), fields->Number(*us, "p99"),
                   fields->Number(*us, "p99.9"), fields->Number(*us, "p99.99")};
}

std::optional<RateSeries> ReadOverTime(const JsonValue& json, FieldReader* fields) {
  constexpr size_t kMostIntervals = 100000;
  constexpr double kLongestIntervalS = 1e6;
  constexpr double kHighestRate = 1e12;
  const JsonValue* over_time = fields->Find(json, "over_time");
  if (over_time == nullptr) return std::nullopt;
  RateSeries series;
  series.interval_s = fields->Positive(*over_time, "interval_s");
  if (series.interval_s > kLongestIntervalS) fields->Fail("\"interval_s\" is too large");
  const JsonValue& rates = fields->Require(*over_time, "ops_per_s", JsonValue::value_t::array);
  if (rates.empty() || rates.size() > kMostIntervals) fields->Fail("\"ops_per_s\" has no length");
  for (const JsonValue& rate : rates) {
    if (!rate.is_number() || !(rate.get<double>() >= 0 && rate.get<double>() <= kHighestRate)) {
      fields->Fail("\"ops_per_s\" holds what is no number, negative, or too large");
      break;
    }
    series.ops_per_s.push_back(rate.get<double>());
  }
  return series;
}

std::optional<uint64_t> CountIfAny(const JsonValue& json, const char* name, FieldReader* fields) {
  if (fields->Find(json, name) == nullptr) return std::nullopt;
  return fields->Count(json, name);
}

ArmReading ReadArm(const JsonValue& json, FieldReader* fields) {
  ArmReading reading;
  reading.metric = fields->Positive(json, "metric");
  reading.mib_per_s = fields->NumberIfAny(json, "mib_per_s");
  reading.writes_per_s = fields->NumberIfAny(json, "writes_per_s");
  reading.operations = CountIfAny(json, "operations", fields);
  reading.latencies = ReadLatencies(json, fields);
  reading.longest_us = fields->NumberIfAny(json, "longest_us");
  if (fields->Find(json, "processor_s") != nullptr) {
    reading.usage =
        ResourceUsage{fields->Number(json, "processor_s"), fields->Count(json, "peak_memory_bytes"),
                      fields->Count(json, "written_bytes")};
  }
  reading.written_per_user_byte = fields->NumberIfAny(json, "written_per_user_byte");
  reading.device_written_bytes = CountIfAny(json, "device_written_bytes", fields);
  reading.device_written_per_user_byte = fields->NumberIfAny(json, "device_written_per_user_byte");
  reading.over_time = ReadOverTime(json, fields);
  return reading;
}

PairSample ReadPair(const JsonValue& json, FieldReader* fields) {
  const auto kObject = JsonValue::value_t::object;
  PairSample pair;
  pair.stock = ReadArm(fields->Require(json, "stock", kObject), fields);
  pair.plugin = ReadArm(fields->Require(json, "plugin", kObject), fields);
  if (const JsonValue* arm = fields->Find(json, "stock_without_wal")) {
    pair.stock_without_wal = ReadArm(*arm, fields);
  }
  if (const JsonValue* device = fields->Find(json, "durable_overwrites")) {
    pair.durable_overwrites =
        DurableOverwrites{fields->Number(*device, "ops_per_s"), fields->Number(*device, "p999_us"),
                          ReadLatencies(*device, fields)};
  }
  pair.sequential_mib_per_s = fields->NumberIfAny(json, "sequential_mib_per_s");
  if (fields->Find(json, "further_arms") != nullptr) {
    for (const auto& [arm, reading] :
         fields->Require(json, "further_arms", JsonValue::value_t::object).items()) {
      pair.further.push_back({arm, ReadArm(reading, fields)});
    }
  }
  return pair;
}

std::optional<Interval> ReadInterval(const JsonValue& json, FieldReader* fields) {
  const JsonValue* interval = fields->Find(json, "interval");
  if (interval == nullptr) return std::nullopt;
  return Interval{fields->Positive(*interval, "low"), fields->Positive(*interval, "high")};
}

bool Differ(double one, double other) { return std::abs(one - other) > 1e-9 * std::abs(other); }

// Whether the document's interval and difference are those that the pairs give.
bool Agree(const JsonValue& json, const std::optional<Interval>& interval, Difference difference,
           FieldReader* fields) {
  const std::optional<Interval> written = ReadInterval(json, fields);
  if (written.has_value() != interval.has_value()) return false;
  if (written.has_value() &&
      (Differ(written->low, interval->low) || Differ(written->high, interval->high))) {
    return false;
  }
  return fields->Named(json, "difference", kJsonDifferences) == difference;
}

// What the pairs say of the further arms, which must be what the document says.
std::vector<ArmSummary> ReadFurtherArms(const JsonValue& json, const DocumentRow& row,
                                        FieldReader* fields) {
  std::vector<ArmSummary> arms = SummarizeFurtherArms(row.pairs, row.metric);
  size_t written = 0;
  if (fields->Find(json, "further_arms") != nullptr) {
    for (const JsonValue& arm : fields->Require(json, "further_arms", JsonValue::value_t::array)) {
      const std::string name = fields->Text(arm, "name");
      const bool agrees = written < arms.size() && arms[written].arm == name &&
                          !Differ(fields->Positive(arm, "ratio"), arms[written].ratio) &&
                          Agree(arm, arms[written].interval, arms[written].difference, fields);
      if (!agrees) fields->Fail("what is said of the arm " + name + " is not what its pairs say");
      ++written;
    }
  }
  if (written < arms.size()) fields->Fail("the arm " + arms[written].arm + " has no summary");
  return arms;
}

std::vector<AbsentArm> ReadAbsentArms(const JsonValue& json, FieldReader* fields) {
  std::vector<AbsentArm> absent;
  if (fields->Find(json, "absent_arms") == nullptr) return absent;
  const JsonValue& arms = fields->Require(json, "absent_arms", JsonValue::value_t::object);
  for (const auto& [arm, reason] : arms.items()) {
    absent.push_back({arm, fields->Text(arms, arm.c_str())});
  }
  return absent;
}

// A document whose sums do not come out was changed by hand or by accident.
Summary ReadSummary(const JsonValue& json, const DocumentRow& row, FieldReader* fields) {
  std::vector<double> stock;
  std::vector<double> plugin;
  for (const PairSample& pair : row.pairs) {
    stock.push_back(pair.stock.metric);
    plugin.push_back(pair.plugin.metric);
  }
  Summary summary;
  static_cast<PairSummary&>(summary) = SummarizePairs(plugin, stock);
  summary.stock_median = fields->Positive(json, "stock_median");
  summary.plugin_median = fields->Positive(json, "plugin_median");
  summary.share_of_bound = fields->NumberIfAny(json, "share_of_bound");
  if (Differ(summary.stock_median, Median(stock)) ||
      Differ(summary.plugin_median, Median(plugin)) ||
      Differ(fields->Positive(json, "ratio"), summary.ratio) ||
      Differ(fields->Positive(json, "median_pair_ratio"), summary.median_pair_ratio) ||
      !Agree(json, summary.interval, FindDifference(row.metric, summary.interval), fields)) {
    fields->Fail("what is said of " + row.name + " is not what its pairs say");
  }
  return summary;
}

DocumentRow ReadRow(const JsonValue& json, FieldReader* fields) {
  DocumentRow row;
  row.name = fields->Text(json, "name");
  row.title = fields->Text(json, "title");
  row.metric = fields->Named(json, "metric", kJsonMetrics);
  row.difference = fields->Named(json, "difference", kJsonDifferences);
  row.beside_fio = fields->Find(json, "beside_fio") != nullptr && fields->Flag(json, "beside_fio");
  row.verdict = fields->Text(json, "verdict");
  row.failure = fields->TextIfAny(json, "failure");
  row.skipped = fields->TextIfAny(json, "skipped");
  for (const JsonValue& pair : fields->Require(json, "pairs", JsonValue::value_t::array)) {
    row.pairs.push_back(ReadPair(pair, fields));
  }
  if (!row.pairs.empty()) row.summary = ReadSummary(json, row, fields);
  row.further = ReadFurtherArms(json, row, fields);
  row.absent = ReadAbsentArms(json, fields);
  return row;
}

// What a document and each of its sections have.
void ReadContents(const JsonValue& json, ResultsDocument* document, FieldReader* fields) {
  const uint64_t planned = fields->Count(json, "pairs_planned");
  if (planned > kMostPairs) fields->Fail("\"pairs_planned\" is too large");
  document->pairs_planned = static_cast<int>(std::min(planned, kMostPairs));
  for (const auto& [name, value] :
       fields->Require(json, "facts", JsonValue::value_t::object).items()) {
    if (value.is_string()) document->facts.emplace_back(name, value.get<std::string>());
  }
  for (const JsonValue& row : fields->Require(json, "rows", JsonValue::value_t::array)) {
    document->rows.push_back(ReadRow(row, fields));
  }
}

ResultsDocument ReadDocument(const JsonValue& json, FieldReader* fields) {
  ResultsDocument document;
  document.measured = fields->Text(json, "measured");
  document.self_check = fields->Flag(json, "self_check");
  document.interrupted = fields->Flag(json, "interrupted");
  ReadContents(json, &document, fields);
  if (fields->Find(json, "file_systems") == nullptr) return document;
  for (const JsonValue& section :
       fields->Require(json, "file_systems", JsonValue::value_t::array)) {
    ResultsDocument part;
    part.file_system = fields->Text(section, "name");
    part.skipped = fields->TextIfAny(section, "skipped");
    ReadContents(section, &part, fields);
    document.sections.push_back(std::move(part));
  }
  return document;
}

}  // namespace

Result<ResultsDocument> ParseJson(const std::string& text, const std::string& name) {
  const JsonValue json = JsonValue::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) {
    return Error{name +
                 " is no JSON document, or cut short; pass one that --json_file has written"};
  }
  FieldReader fields;
  if (fields.Text(json, "format") != kJsonFormat) {
    return Error{name + " is not one of db_bench_ext's; pass one that --json_file has written"};
  }
  const uint64_t version = fields.Count(json, "version");
  if (version != kJsonVersion) {
    return Error{name + " is of version " + std::to_string(version) + ", and this program reads " +
                 std::to_string(kJsonVersion) + "; measure again with --json_file"};
  }
  ResultsDocument document = ReadDocument(json, &fields);
  if (!fields.wrong().empty()) {
    return Error{name + " is damaged: " + fields.wrong() + "; measure again with --json_file"};
  }
  return document;
}

}  // namespace bloom_lfs::bench

#include <nlohmann/json.hpp>

#include "db_bench_ext/json_names.h"
#include "db_bench_ext/results_document.h"

namespace bloom_lfs::bench {
namespace {

using Json = nlohmann::ordered_json;

template <typename Table, typename Value>
std::string JsonNameOf(const Table& table, Value value) {
  for (const auto& [known, name] : table) {
    if (known == value) return std::string(name);
  }
  return "";
}

template <typename T>
void PutIfKnown(Json* json, const char* name, const std::optional<T>& value) {
  if (value.has_value()) (*json)[name] = *value;
}

Json JsonOf(const Latencies& us) {
  return {{"p50", us.p50_us}, {"p99", us.p99_us}, {"p99.9", us.p999_us}, {"p99.99", us.p9999_us}};
}

Json JsonOf(const RateSeries& series) {
  Json json = {{"interval_s", series.interval_s},
               {"ops_per_s", series.ops_per_s},
               {"stalls", Json::array()}};
  for (const Stall& stall : FindStalls(series)) {
    json["stalls"].push_back({{"begin_s", stall.begin_s}, {"end_s", stall.end_s}});
  }
  return json;
}

Json JsonOf(const ArmReading& reading) {
  Json json = {{"metric", reading.metric}};
  PutIfKnown(&json, "mib_per_s", reading.mib_per_s);
  PutIfKnown(&json, "writes_per_s", reading.writes_per_s);
  PutIfKnown(&json, "operations", reading.operations);
  if (reading.latencies.has_value()) json["latency_us"] = JsonOf(*reading.latencies);
  PutIfKnown(&json, "longest_us", reading.longest_us);
  if (reading.usage.has_value()) {
    json["processor_s"] = reading.usage->processor_s;
    json["peak_memory_bytes"] = reading.usage->peak_memory_bytes;
    json["written_bytes"] = reading.usage->written_bytes;
  }
  PutIfKnown(&json, "written_per_user_byte", reading.written_per_user_byte);
  PutIfKnown(&json, "device_written_bytes", reading.device_written_bytes);
  PutIfKnown(&json, "device_written_per_user_byte", reading.device_written_per_user_byte);
  if (reading.over_time.has_value()) json["over_time"] = JsonOf(*reading.over_time);
  return json;
}

Json JsonOf(const PairSample& pair) {
  Json json = {{"ratio", pair.plugin.metric / pair.stock.metric},
               {"stock", JsonOf(pair.stock)},
               {"plugin", JsonOf(pair.plugin)}};
  if (pair.stock_without_wal.has_value()) {
    json["stock_without_wal"] = JsonOf(*pair.stock_without_wal);
  }
  if (pair.durable_overwrites.has_value()) {
    json["durable_overwrites"] = {{"ops_per_s", pair.durable_overwrites->ops_per_s},
                                  {"p999_us", pair.durable_overwrites->p999_us}};
    if (pair.durable_overwrites->latencies.has_value()) {
      json["durable_overwrites"]["latency_us"] = JsonOf(*pair.durable_overwrites->latencies);
    }
  }
  PutIfKnown(&json, "sequential_mib_per_s", pair.sequential_mib_per_s);
  for (const FurtherReading& further : pair.further) {
    json["further_arms"][further.arm] = JsonOf(further.reading);
  }
  return json;
}

void PutInterval(Json* json, const std::optional<Interval>& interval) {
  if (interval.has_value()) {
    (*json)["interval"] = {{"low", interval->low}, {"high", interval->high}};
  }
}

Json JsonOf(const ArmSummary& summary) {
  Json json = {{"name", summary.arm},
               {"difference", JsonNameOf(kJsonDifferences, summary.difference)},
               {"pairs", summary.pairs},
               {"stock_median", summary.stock_median},
               {"median", summary.median},
               {"ratio", summary.ratio},
               {"median_pair_ratio", summary.median_pair_ratio}};
  PutInterval(&json, summary.interval);
  return json;
}

Json JsonOf(const DocumentRow& row) {
  Json json = {{"name", row.name},
               {"title", row.title},
               {"metric", JsonNameOf(kJsonMetrics, row.metric)},
               {"lower_is_better", LowerIsBetter(row.metric)},
               {"verdict", row.verdict},
               {"difference", JsonNameOf(kJsonDifferences, row.difference)}};
  if (row.beside_fio) json["beside_fio"] = true;
  if (row.summary.has_value()) {
    const Summary& summary = *row.summary;
    json["stock_median"] = summary.stock_median;
    json["plugin_median"] = summary.plugin_median;
    json["ratio"] = summary.ratio;
    json["median_pair_ratio"] = summary.median_pair_ratio;
    PutInterval(&json, summary.interval);
    PutIfKnown(&json, "share_of_bound", summary.share_of_bound);
  }
  PutIfKnown(&json, "failure", row.failure);
  PutIfKnown(&json, "skipped", row.skipped);
  for (const ArmSummary& summary : row.further) json["further_arms"].push_back(JsonOf(summary));
  for (const AbsentArm& absent : row.absent) json["absent_arms"][absent.arm] = absent.reason;
  json["pairs"] = Json::array();
  for (const PairSample& pair : row.pairs) json["pairs"].push_back(JsonOf(pair));
  return json;
}

Json FactsOf(const ResultsDocument& document) {
  Json facts = Json::object();
  for (const auto& [name, value] : document.facts) facts[name] = value;
  return facts;
}

Json RowsOf(const ResultsDocument& document) {
  Json rows = Json::array();
  for (const DocumentRow& row : document.rows) rows.push_back(JsonOf(row));
  return rows;
}

Json JsonOfSection(const ResultsDocument& section) {
  Json json = {{"name", section.file_system}};
  PutIfKnown(&json, "skipped", section.skipped);
  json["pairs_planned"] = section.pairs_planned;
  json["facts"] = FactsOf(section);
  json["rows"] = RowsOf(section);
  return json;
}

}  // namespace

Result<std::string> RenderJson(const ResultsDocument& document) {
  Json json = {{"format", kJsonFormat},
               {"version", kJsonVersion},
               {"measured", document.measured},
               {"self_check", document.self_check},
               {"interrupted", document.interrupted},
               {"pairs_measured", document.PairsMeasured()},
               {"pairs_planned", document.pairs_planned},
               {"facts", FactsOf(document)},
               {"rows", RowsOf(document)}};
  for (const ResultsDocument& section : document.sections) {
    json["file_systems"].push_back(JsonOfSection(section));
  }
  // What a child said may be no UTF-8.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace bloom_lfs::bench

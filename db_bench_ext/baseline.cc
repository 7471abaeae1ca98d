#include "db_bench_ext/baseline.h"

#include <algorithm>

#include "db_bench_ext/format.h"
#include "db_bench_ext/whole_file.h"

namespace bloom_lfs::bench {
namespace {

const DocumentRow* FindRow(const ResultsDocument& document, const std::string& name) {
  for (const DocumentRow& row : document.rows) {
    if (row.name == name && row.HasResult()) return &row;
  }
  return nullptr;
}

std::string Compare(const BaselineRow& row, Metric metric) {
  if (!row.interval_then.has_value() || !row.interval_now.has_value()) return "too few pairs";
  const Interval& then = *row.interval_then;
  const Interval& now = *row.interval_now;
  if (now.low <= then.high && then.low <= now.high) return "no difference";
  return (now.low > then.high) == LowerIsBetter(metric) ? "worse" : "better";
}

BaselineRow CompareArms(const std::string& title, const PairSummary& now, const PairSummary& then,
                        Metric metric) {
  BaselineRow row{title,         then.median_pair_ratio, now.median_pair_ratio,
                  then.interval, now.interval,           ""};
  row.verdict = Compare(row, metric);
  return row;
}

const ArmSummary* FindArm(const DocumentRow& row, const std::string& name) {
  for (const ArmSummary& arm : row.further) {
    if (arm.arm == name) return &arm;
  }
  return nullptr;
}

bool HasRows(const ResultsDocument& document, const std::vector<Workload>& workloads) {
  return std::any_of(workloads.begin(), workloads.end(), [&](const Workload& workload) {
    return FindRow(document, workload.name) != nullptr;
  });
}

std::string Factor(double ratio, const std::optional<Interval>& interval) {
  std::string text = FormatDecimal(ratio, 2) + "×";
  if (!interval.has_value()) return text;
  return text + " (" + FormatDecimal(interval->low, 2) + "–" + FormatDecimal(interval->high, 2) +
         ")";
}

}  // namespace

std::vector<BaselineRow> CompareWithBaseline(const ResultsDocument& now,
                                             const ResultsDocument& then) {
  std::vector<BaselineRow> rows;
  for (const DocumentRow& row : now.rows) {
    const DocumentRow* earlier = FindRow(then, row.name);
    if (!row.HasResult() || earlier == nullptr || earlier->metric != row.metric) continue;
    rows.push_back(CompareArms(row.title, *row.summary, *earlier->summary, row.metric));
    for (const ArmSummary& arm : row.further) {
      if (const ArmSummary* then_arm = FindArm(*earlier, arm.arm)) {
        rows.push_back(CompareArms(row.title + ", " + arm.arm, arm, *then_arm, row.metric));
      }
    }
  }
  return rows;
}

std::vector<std::string> OtherCircumstances(const ResultsDocument& now,
                                            const ResultsDocument& then) {
  std::vector<std::string> lines;
  for (const auto& [name, value] : now.facts) {
    if (name == "date" || name == "pairs" || name == "budget") continue;
    const auto earlier =
        std::find_if(then.facts.begin(), then.facts.end(),
                     [&name = name](const auto& fact) { return fact.first == name; });
    if (earlier != then.facts.end() && earlier->second != value) {
      lines.push_back(name + ": was " + earlier->second + ", is " + value);
    }
  }
  return lines;
}

Result<ResultsDocument> ReadBaseline(const std::string& path,
                                     const std::vector<Workload>& workloads,
                                     const std::vector<std::string>& file_systems) {
  const Result<std::string> text = ReadWholeText(path);
  if (!text.ok()) return Error{"the baseline " + text.error().message};
  if (text.value().empty()) {
    return Error{"the baseline " + path +
                 " is not there, or is empty; pass a file that "
                 "--json_file has written"};
  }
  Result<ResultsDocument> baseline = ParseJson(text.value(), "the baseline " + path);
  if (!baseline.ok()) return baseline;
  bool useful = file_systems.empty() && HasRows(baseline.value(), workloads);
  for (const std::string& file_system : file_systems) {
    const ResultsDocument* section = FindSection(baseline.value(), file_system);
    useful = useful || (section != nullptr && HasRows(*section, workloads));
  }
  if (!useful) {
    return Error{"the baseline " + path +
                 " has none of the rows to be measured; choose others "
                 "with --set, --workloads or --file_systems"};
  }
  return baseline;
}

namespace {

std::string RenderLines(const ResultsDocument& now, const ResultsDocument& then) {
  std::string text;
  for (const BaselineRow& row : CompareWithBaseline(now, then)) {
    text += "- " + row.title + ": " + Factor(row.ratio_then, row.interval_then) + " then, " +
            Factor(row.ratio_now, row.interval_now) + " now: " + row.verdict + "\n";
  }
  for (const std::string& line : OtherCircumstances(now, then)) text += "- other " + line + "\n";
  return text;
}

}  // namespace

std::string RenderBaseline(const ResultsDocument& now, const ResultsDocument& then) {
  std::string text = "\nbeside the baseline (" + then.measured + "):\n" + RenderLines(now, then);
  for (const ResultsDocument& section : now.sections) {
    const ResultsDocument* earlier = FindSection(then, section.file_system);
    if (section.skipped.has_value() || earlier == nullptr) continue;
    text += "\non " + section.file_system + ":\n" + RenderLines(section, *earlier);
  }
  return text;
}

}  // namespace bloom_lfs::bench

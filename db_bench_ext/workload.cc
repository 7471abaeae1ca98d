#include "db_bench_ext/workload.h"

#include <algorithm>
#include <cmath>
#include <regex>
#include <sstream>

namespace bloom_lfs::bench {
namespace {

Result<std::vector<std::regex>> CompileList(const std::string& list) {
  std::vector<std::regex> patterns;
  std::stringstream items(list);
  std::string item;
  while (std::getline(items, item, ',')) {
    if (item.empty()) continue;
    try {  // The only way std::regex can say so.
      patterns.emplace_back(item);
    } catch (const std::regex_error& error) {
      return Error{"--workloads: \"" + item + "\" is neither a name nor a regular expression (" +
                   error.what() + "); --set=all --list shows the names"};
    }
  }
  return patterns;
}

}  // namespace

bool LowerIsBetter(Metric metric) { return metric != Metric::kOpsPerS; }

Result<std::vector<Workload>> SelectWorkloads(const std::vector<Workload>& workloads,
                                              const std::string& list) {
  if (list.empty()) return workloads;
  Result<std::vector<std::regex>> patterns = CompileList(list);
  if (!patterns.ok()) return patterns.error();
  std::vector<bool> used(patterns.value().size(), false);
  std::vector<Workload> selected;
  for (const Workload& workload : workloads) {
    bool matches = false;
    for (size_t i = 0; i < used.size(); ++i) {
      if (!std::regex_match(workload.name, patterns.value()[i])) continue;
      matches = true;
      used[i] = true;
    }
    if (matches) selected.push_back(workload);
  }
  if (selected.empty() || std::find(used.begin(), used.end(), false) != used.end()) {
    return Error{"--workloads=" + list +
                 ": an item matches no workload of this set; --set=all --list shows all names"};
  }
  return selected;
}

std::vector<std::string> AmountArguments(const Workload& workload, double scale) {
  const auto scaled = [scale](double amount) {
    return std::to_string(std::max(1LL, std::llround(amount * scale)));
  };
  if (workload.program == Program::kOpenPutClose) {
    return {"--count=" + scaled(static_cast<double>(workload.operations))};
  }
  if (workload.program == Program::kPageStoreBenchmark) {
    return {"--row=" + workload.benchmark, "--scale=" + std::to_string(scale)};
  }
  if (workload.program == Program::kOpenReplay) {
    return {"--records=" + std::to_string(PreparedKeys(*workload.preparation, scale))};
  }
  std::vector<std::string> arguments;
  if (workload.preparation.has_value()) {
    arguments.push_back("--num=" + std::to_string(PreparedKeys(*workload.preparation, scale)));
  }
  if (workload.duration_s > 0) {
    arguments.push_back("--duration=" + scaled(workload.duration_s));
  } else {
    arguments.push_back("--" + workload.operations_flag + "=" +
                        scaled(static_cast<double>(workload.operations)));
  }
  return arguments;
}

int64_t PreparedKeys(const Preparation& preparation, double scale) {
  const double keys = static_cast<double>(preparation.keys) * std::min(scale, 1.0);
  return std::max(1LL, std::llround(keys));
}

}  // namespace bloom_lfs::bench

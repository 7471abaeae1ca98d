#include "db_bench_ext/arms.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "db_bench_ext/flag_word.h"

namespace bloom_lfs::bench {
namespace {

constexpr char kKnown[] =
    "stock, stock-recycle, no-wal, plugin, plugin{option=value;…}, second, second-plugin and "
    "second-plugin{option=value;…}";

// At the commas that are in no braces. An error if the braces do not match.
Result<std::vector<std::string>> SplitList(const std::string& list) {
  std::vector<std::string> items(1);
  int depth = 0;
  for (const char c : list) {
    if (c == '{') ++depth;
    if (c == '}') --depth;
    if (depth < 0) break;
    if (c == ',' && depth == 0) {
      items.emplace_back();
    } else {
      items.back() += c;
    }
  }
  if (depth != 0) return Error{"--arms=" + list + ": the braces do not match"};
  return items;
}

// "plugin{a=1}" is "plugin" with the options "a=1".
std::optional<std::string> OptionsOf(const std::string& item, const std::string& arm) {
  const std::string begin = arm + "{";
  if (item.rfind(begin, 0) != 0 || item.back() != '}') return std::nullopt;
  return item.substr(begin.size(), item.size() - begin.size() - 1);
}

Result<FurtherArm> ParseArm(const std::string& item) {
  using Kind = FurtherArm::Kind;
  if (item == "stock-recycle") return FurtherArm{Kind::kRecycledLogs, item, ""};
  if (item == "no-wal") return FurtherArm{Kind::kWithoutWal, item, ""};
  if (item == "second") return FurtherArm{Kind::kSecondStock, item, ""};
  if (item == "second-plugin") return FurtherArm{Kind::kSecondPlugin, item, ""};
  if (const auto options = OptionsOf(item, "plugin"); options.has_value() && !options->empty()) {
    return FurtherArm{Kind::kPluginWithOptions, item, *options};
  }
  if (const auto options = OptionsOf(item, "second-plugin")) {
    return FurtherArm{Kind::kSecondPlugin, item, *options};
  }
  return Error{"--arms: \"" + item + "\" is no arm; there are " + kKnown};
}

// --sync, or a benchmark that syncs of itself.
bool Syncs(const Workload& workload) {
  const auto is_sync = [](const std::string& argument) {
    const std::optional<FlagWord> flag = SplitFlag(argument);
    if (!flag.has_value()) return false;
    if (flag->name == "benchmarks") {
      return flag->value.value_or("").find("fillsync") != std::string::npos;
    }
    constexpr std::array<const char*, 5> kTrue = {"1", "t", "true", "y",
                                                  "yes"};  // as gflags has it
    return flag->name == "sync" &&
           std::find(kTrue.begin(), kTrue.end(), flag->value.value_or("1")) != kTrue.end();
  };
  const auto any = [&](const std::vector<std::string>& arguments) {
    return std::any_of(arguments.begin(), arguments.end(), is_sync);
  };
  return workload.benchmark == "fillsync" || any(workload.arguments) ||
         (workload.own.has_value() && any(workload.own->arguments));
}

}  // namespace

Result<std::vector<FurtherArm>> ParseArms(const std::string& list) {
  const Result<std::vector<std::string>> items = SplitList(list);
  if (!items.ok()) return items.error();
  std::vector<FurtherArm> arms;
  std::set<std::string> seen;
  for (const std::string& item : items.value()) {
    if (!seen.insert(item).second) return Error{"--arms: " + item + " is there twice"};
    if (item == "stock" || item == "plugin") continue;
    Result<FurtherArm> arm = ParseArm(item);
    if (!arm.ok()) return arm.error();
    arms.push_back(arm.value());
  }
  return arms;
}

std::optional<std::string> ReasonNotIn(const FurtherArm& arm, const Workload& workload) {
  if (workload.flash.has_value() || workload.second.has_value()) {
    return "the rows of the sets flash and second have arms of their own";
  }
  if (workload.program != Program::kDbBench && arm.kind != FurtherArm::Kind::kPluginWithOptions) {
    return "the row is not one of db_bench";
  }
  if (arm.kind == FurtherArm::Kind::kWithoutWal && Syncs(workload)) {
    return "without a log there is nothing to sync";
  }
  return std::nullopt;
}

}  // namespace bloom_lfs::bench

#include "db_bench_ext/own_command.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "db_bench_ext/flag_word.h"

namespace bloom_lfs::bench {
namespace {

struct RefusedFlag {
  const char* name;
  const char* reason;
};

constexpr char kOwnDirectory[] =
    "every run has a new directory, which --db_dir places and which is removed";
constexpr char kLeftBehind[] = "the file would be left behind";
constexpr char kNotInTheOpen[] = "write the flags out";

constexpr std::array<RefusedFlag, 20> kRefused = {{
    {"db", kOwnDirectory},
    {"wal_dir", kOwnDirectory},
    {"secondary_path", kOwnDirectory},
    {"leader_path", kOwnDirectory},
    {"read_cache_path", kOwnDirectory},
    {"backup_dir", kOwnDirectory},
    {"restore_dir", kOwnDirectory},
    {"fs_uri", "the arms set it; --plugin_uri names that of the plugin"},
    {"env_uri", "the arms set --fs_uri, and db_bench takes one of the two"},
    {"seed", "both arms of a pair share one; pass --seed to db_bench_ext itself"},
    {"report_file", kLeftBehind},
    {"report_interval_seconds", kLeftBehind},
    {"trace_file", kLeftBehind},
    {"block_cache_trace_file", kLeftBehind},
    {"simulate_hybrid_fs_file", kLeftBehind},
    {"flagfile", kNotInTheOpen},
    {"fromenv", kNotInTheOpen},
    {"tryfromenv", kNotInTheOpen},
    {"use_existing_db", "every run begins with an empty directory"},
    {"version", "nothing would be measured"},
}};

// What db_bench does without printing a line about it.
constexpr std::array<const char*, 6> kPrinting = {
    {"stats", "levelstats", "sstables", "resetstats", "memstats", "stats_history"}};
constexpr std::array<const char*, 6> kWorking = {
    {"verify", "flush", "waitforcompaction", "compact0", "compact1", "compactall"}};

std::string TextOf(const FlagWord& flag) {
  return "--" + flag.name + (flag.value.has_value() ? "=" + *flag.value : "");
}

// As gflags reads them: "-num=5", "--num=5" and "--num 5" are the same.
Result<std::vector<FlagWord>> ParseFlags(const std::vector<std::string>& words) {
  std::vector<FlagWord> flags;
  for (const std::string& word : words) {
    if (word.empty()) continue;
    if (word[0] != '-') {
      if (flags.empty() && std::filesystem::path(word).filename() == "db_bench") continue;
      if (flags.empty() || flags.back().value.has_value()) {
        return Error{"--workload: \"" + word + "\" is no flag of db_bench"};
      }
      flags.back().value = word;
      continue;
    }
    const std::optional<FlagWord> flag = SplitFlag(word);
    if (!flag.has_value()) {
      return Error{"--workload: \"" + word + "\" is no flag of db_bench"};
    }
    flags.push_back(*flag);
  }
  return flags;
}

Failure CheckFlags(const std::vector<FlagWord>& flags) {
  for (const FlagWord& flag : flags) {
    for (const RefusedFlag& refused : kRefused) {
      if (flag.name != refused.name) continue;
      return Error{"--workload: leave --" + flag.name + " out: " + refused.reason};
    }
  }
  return std::nullopt;
}

// How many result lines "name[W1-X3]" prints.
int LinesOf(const std::string& item) {
  int lines = 0;
  bool repeats = false;
  for (size_t at = item.find('['); at < item.size(); ++at) {
    if (item[at] != 'W' && item[at] != 'X') continue;
    repeats = repeats || item[at] == 'X';
    lines += std::max(0, std::atoi(item.c_str() + at + 1));
  }
  return lines + (repeats ? 0 : 1);
}

bool Holds(const std::array<const char*, 6>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Workload RowOf(const std::string& benchmark) {
  Workload workload;
  workload.benchmark = benchmark;
  // A step that is one operation and takes seconds has no rate.
  if (benchmark.rfind("compact", 0) == 0) workload.metric = Metric::kElapsedS;
  return workload;
}

std::vector<Workload> RowsOf(const std::string& benchmarks) {
  std::vector<Workload> rows;
  std::map<std::string, int> lines;
  std::map<std::string, int> seen;
  int working = 0;  // what reads or writes
  std::istringstream items(benchmarks);
  std::string item;
  while (std::getline(items, item, ',')) {
    const std::string name = item.substr(0, item.find('['));
    if (name.empty() || Holds(kPrinting, name)) continue;
    working += LinesOf(item);
    if (Holds(kWorking, name)) continue;
    Workload row = RowOf(name);
    lines[name] += LinesOf(item);  // of several runs the last one counts
    row.own.emplace();
    row.own->run = lines[name];
    const int count = ++seen[name];
    row.title = name + (count == 1 ? "" : ", time " + std::to_string(count));
    row.name = "own-" + name + (count == 1 ? "" : "-" + std::to_string(count));
    rows.push_back(std::move(row));
  }
  for (Workload& row : rows) row.own->alone = working == 1;
  return rows;
}

}  // namespace

Result<std::vector<Workload>> OwnRows(const std::vector<std::string>& words) {
  const Result<std::vector<FlagWord>> flags = ParseFlags(words);
  if (!flags.ok()) return flags.error();
  if (Failure failure = CheckFlags(flags.value())) return *failure;
  std::string benchmarks;
  std::vector<std::string> arguments;
  for (const FlagWord& flag : flags.value()) {
    if (flag.name == "benchmarks") benchmarks = flag.value.value_or("");  // the last one holds
    arguments.push_back(TextOf(flag));
  }
  std::vector<Workload> rows = RowsOf(benchmarks);
  if (rows.empty()) {
    return Error{
        "--workload: it names no benchmark that prints a figure; pass "
        "--workload='--benchmarks=fillrandom,readrandom …'"};
  }
  for (Workload& row : rows) {
    row.own->arguments = arguments;
  }
  return rows;
}

}  // namespace bloom_lfs::bench

#include "db_bench_ext/run_facts.h"

#include <gflags/gflags.h>

#include <ctime>
#include <sstream>

#include "db_bench_ext/child_process.h"
#include "db_bench_ext/format.h"
#include "db_bench_ext/machine.h"

DECLARE_string(set);
DECLARE_string(workload);
DECLARE_string(extra_args);
DECLARE_string(stock_args);
DECLARE_string(plugin_args);

namespace bloom_lfs::bench {
namespace {

// As 2026-01-31, UTC.
std::string Today() {
  const std::time_t now = std::time(nullptr);
  struct tm calendar {};
  gmtime_r(&now, &calendar);
  char text[sizeof("2026-01-31")];
  return std::string(text, std::strftime(text, sizeof(text), "%F", &calendar));
}

// As they were given; empty if there are none.
std::string FurtherFlags() {
  std::string text;
  for (const auto& [name, value] :
       {std::pair<const char*, std::string>{"extra_args", FLAGS_extra_args},
        {"stock_args", FLAGS_stock_args},
        {"plugin_args", FLAGS_plugin_args}}) {
    if (!value.empty()) text += std::string(text.empty() ? "--" : " --") + name + "=" + value;
  }
  return text;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> Facts(const Setup& setup,
                                                       const std::string& program,
                                                       const std::string& directory,
                                                       const Effort& effort, int skipped_pairs) {
  auto facts = DescribeMachine(directory);
  facts.emplace_back("date", Today());
  facts.emplace_back("program", program);
  const std::string arms = FurtherFlags();
  const bool own = !FLAGS_workload.empty();
  if (own) facts.emplace_back("command line", FLAGS_workload);
  if (!setup.second_db_bench.empty()) facts.emplace_back("second program", setup.second_program);
  facts.emplace_back("set-up",
                     (FLAGS_set == "flash"       ? std::string("a flash tier in the plugin's runs")
                      : setup.plugin_uri.empty() ? std::string("stock in both arms")
                                                 : "--fs_uri=" + setup.plugin_uri) +
                         (own ? ", seed " : ", --compression_type=none, seed ") +
                         std::to_string(setup.seed) + ", scale " + FormatDecimal(setup.scale, 2) +
                         (FLAGS_set == "second" ? ", a second place in the plugin's runs" : "") +
                         (setup.fast_stock_checksum ? ", fast CRC-32C in both arms" : "") +
                         (arms.empty() ? "" : ", with " + arms));
  facts.emplace_back("pairs", std::to_string(effort.pairs) + " per row");
  if (skipped_pairs > 0) {
    facts.emplace_back("budget", std::to_string(skipped_pairs) + " pairs left out to end within " +
                                     std::to_string(effort.budget.count()) + " s");
  }
  return facts;
}

// The flags that decide what is measured, as they were given. The others say where, or how surely.
std::string MeasuredFlags() {
  Command flags;
  for (const char* name :
       {"set", "workloads", "scale", "plugin_uri", "fast_stock_checksum", "arms", "workload",
        "file_systems", "extra_args", "stock_args", "plugin_args", "fio_args"}) {
    const gflags::CommandLineFlagInfo flag = gflags::GetCommandLineFlagInfoOrDie(name);
    if (flag.name == "set" && !FLAGS_workload.empty()) continue;
    if (flag.name != "set" && flag.current_value == flag.default_value) continue;
    std::ostringstream text;
    text << "--" << flag.name << "=";
    if (flag.type == "double") {
      text << std::stod(flag.current_value);  // gflags says 0.10000000000000001
    } else {
      text << flag.current_value;
    }
    flags.argv.push_back(text.str());
  }
  return ToShellLine(flags);
}

}  // namespace bloom_lfs::bench

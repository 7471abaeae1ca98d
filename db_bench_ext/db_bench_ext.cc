// Compares RocksDB with and without the plugin by driving the stock db_bench. START HERE; the
// README beside this file says what is measured and how to read the table.

#include <gflags/gflags.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "db_bench_ext/child_process.h"
#include "db_bench_ext/comparison.h"
#include "db_bench_ext/device_limit.h"
#include "db_bench_ext/format.h"
#include "db_bench_ext/machine.h"
#include "db_bench_ext/report.h"
#include "db_bench_ext/results_file.h"
#include "db_bench_ext/session.h"
#include "db_bench_ext/text_lines.h"
#include "db_bench_ext/work_directory.h"
#include "db_bench_ext/workload.h"
#include "db_bench_ext/workload_set.h"

DEFINE_string(set, "default",
              "The workloads to choose from: default, logs, features, flash or all");
DEFINE_string(workloads, "",
              "Comma-separated names, or regular expressions for whole names, of the workloads of "
              "the set to run; empty runs all. --list shows them");
DEFINE_bool(list, false, "Print the workloads and exit");
DEFINE_int32(pairs, 5, "Pairs of runs per workload");
DEFINE_double(scale, 1, "Multiplies the length of every run");
DEFINE_int32(budget_seconds, -1,
             "Start no pair that would end later than this; 0 is no limit, -1 what suits the set. "
             "Without effect when --pairs or --scale is given");
DEFINE_bool(markdown, false, "Print the table in Markdown");
DEFINE_string(results_file, "",
              "Keep the table in this file too, in the section of the flags that were measured; "
              "its other sections stay. Only when every row could be measured");
DEFINE_string(plugin, "", "Plugin library; empty is libbloom_lfs.so of this build");
DEFINE_string(
    plugin_uri, "bloom_lfs",
    "--fs_uri of the plugin arm. Empty makes both arms stock: a self-check of the method, "
    "ratios should be near 1");
DEFINE_bool(fast_stock_checksum, false,
            "Let the plugin's library compute CRC-32C for stock too, as a RocksDB does that is "
            "compiled for this processor");
DEFINE_string(db_bench, "db_bench", "The stock db_bench");
DEFINE_string(rocksdb_lib, "",
              "Directory of the librocksdb.so that --db_bench and the plugin are for; empty is the "
              "system's. db_bench_ext/run builds the plugin for it");
DEFINE_string(open_put_close, "", "Empty is the open_put_close of this build");
DEFINE_string(open_replay, "", "Empty is the open_replay of this build");
DEFINE_string(page_store_benchmark, "", "Empty is the page_store_benchmark of this build");
DEFINE_string(fio, "fio", "The fio that makes the background load");
DEFINE_string(
    db_dir, "",
    "Directory on the disk to measure; databases go into a new directory inside it, which "
    "is removed at the end. Empty is this build's directory");
DEFINE_string(extra_args, "", "Space-separated further flags for db_bench, in every arm");
DEFINE_string(stock_args, "", "Space-separated further flags for db_bench, stock only");
DEFINE_string(plugin_args, "", "Space-separated further flags for db_bench, plugin only");
DEFINE_string(fio_args, "",
              "Space-separated further flags for fio; they override the default load");
DEFINE_int64(seed, 1,
             "Seed of the first pair; both arms of a pair share one, the next pair adds 1");
DEFINE_int32(timeout_seconds, 120, "A run that takes longer than this is ended and reported");

namespace bloom_lfs::bench {
namespace {

constexpr int kExitInterrupted = 130;

std::vector<std::string> SplitWords(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  std::string word;
  while (stream >> word) words.push_back(word);
  return words;
}

// The directory this program was built into: the plugin is there, the programs are in its bin/.
std::filesystem::path BuildDirectory() {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::filesystem::current_path(error) : self.parent_path().parent_path();
}

Failure CheckFlags() {
  if (FLAGS_pairs < 1) return Error{"--pairs must be 1 or more"};
  if (!(FLAGS_scale > 0 && FLAGS_scale <= 1000)) {
    return Error{"--scale must be above 0 and at most 1000"};
  }
  if (FLAGS_timeout_seconds < 1) return Error{"--timeout_seconds must be 1 or more"};
  if (FLAGS_budget_seconds < -1) return Error{"--budget_seconds must be -1 or more"};
  if (!FLAGS_rocksdb_lib.empty() && gflags::GetCommandLineFlagInfoOrDie("db_bench").is_default) {
    return Error{"--rocksdb_lib needs --db_bench=<the db_bench of that RocksDB>"};
  }
  return std::nullopt;
}

// A program of this build, unless a flag names another.
std::string ProgramOf(const std::filesystem::path& build_directory, const std::string& name,
                      const std::string& flag) {
  return flag.empty() ? (build_directory / "bin" / name).string() : flag;
}

Result<Setup> MakeSetup(const std::filesystem::path& build_directory) {
  Setup setup;
  setup.db_bench = FLAGS_db_bench;
  setup.rocksdb_library = FLAGS_rocksdb_lib;
  setup.open_put_close = ProgramOf(build_directory, "open_put_close", FLAGS_open_put_close);
  setup.open_replay = ProgramOf(build_directory, "open_replay", FLAGS_open_replay);
  setup.page_store_benchmark =
      ProgramOf(build_directory, "page_store_benchmark", FLAGS_page_store_benchmark);
  setup.fio = FLAGS_fio;
  setup.plugin_uri = FLAGS_plugin_uri;
  setup.fast_stock_checksum = FLAGS_fast_stock_checksum;
  if (!setup.plugin_uri.empty() || setup.fast_stock_checksum) {
    // Absolute, because LD_PRELOAD searches the library path for a bare name.
    std::error_code error;
    setup.plugin =
        std::filesystem::absolute(FLAGS_plugin.empty() ? build_directory / "libbloom_lfs.so"
                                                       : std::filesystem::path(FLAGS_plugin),
                                  error);
    // A missing LD_PRELOAD library is only a warning to the dynamic linker.
    if (access(setup.plugin.c_str(), R_OK) != 0) {
      return Error{
          "cannot read the plugin " + setup.plugin +
          "; build it (cmake --build --preset release) or pass --plugin=<libbloom_lfs.so>"};
    }
  }
  setup.extra_arguments = SplitWords(FLAGS_extra_args);
  setup.stock_arguments = SplitWords(FLAGS_stock_args);
  setup.plugin_arguments = SplitWords(FLAGS_plugin_args);
  setup.fio_arguments = SplitWords(FLAGS_fio_args);
  setup.scale = FLAGS_scale;
  setup.seed = FLAGS_seed;
  setup.timeout = std::chrono::seconds(FLAGS_timeout_seconds);
  return setup;
}

Effort MakeEffort(const WorkloadSet& set) {
  // Who asks for more pairs or longer runs gets them.
  const bool keep_budget = gflags::GetCommandLineFlagInfoOrDie("pairs").is_default &&
                           gflags::GetCommandLineFlagInfoOrDie("scale").is_default;
  if (!keep_budget) return {FLAGS_pairs, std::chrono::seconds(0)};
  return {FLAGS_pairs,
          FLAGS_budget_seconds < 0 ? set.budget : std::chrono::seconds(FLAGS_budget_seconds)};
}

// As 2026-01-31, UTC.
std::string Today() {
  const std::time_t now = std::time(nullptr);
  struct tm calendar {};
  gmtime_r(&now, &calendar);
  char text[sizeof("2026-01-31")];
  return std::string(text, std::strftime(text, sizeof(text), "%F", &calendar));
}

// What db_bench calls itself, as "db_bench 7.8.3".
std::string ProgramName(const Setup& setup) {
  const Result<ChildOutput> said = RunToEnd(
      {{setup.db_bench, "--version"}, "", setup.rocksdb_library}, std::chrono::seconds(30));
  constexpr std::string_view kVersion = " version ";
  if (said.ok()) {
    for (const std::string_view line : SplitLines(said.value().standard_output)) {
      const size_t at = line.find(kVersion);
      if (at == std::string_view::npos) continue;
      const std::string_view version = line.substr(at + kVersion.size());
      if (version.find_first_not_of("0123456789.") == std::string_view::npos) {
        return "db_bench " + std::string(version);
      }
    }
  }
  return "db_bench of unknown version";
}

std::vector<std::pair<std::string, std::string>> Facts(const Setup& setup,
                                                       const std::string& program,
                                                       const std::string& directory,
                                                       const Effort& effort,
                                                       const Session& session) {
  auto facts = DescribeMachine(directory);
  facts.emplace_back("date", Today());
  facts.emplace_back("program", program);
  const std::string arms = FLAGS_extra_args + FLAGS_stock_args + FLAGS_plugin_args;
  facts.emplace_back(
      "set-up", (FLAGS_set == "flash"       ? std::string("a flash tier in the plugin's runs")
                 : setup.plugin_uri.empty() ? std::string("stock in both arms")
                                            : "--fs_uri=" + setup.plugin_uri) +
                    ", --compression_type=none, seed " + std::to_string(setup.seed) + ", scale " +
                    FormatDecimal(setup.scale, 2) +
                    (setup.fast_stock_checksum ? ", fast CRC-32C in both arms" : "") +
                    (arms.empty() ? "" : ", with further db_bench flags"));
  facts.emplace_back("pairs", std::to_string(effort.pairs) + " per row");
  if (session.skipped_pairs() > 0) {
    facts.emplace_back("budget", std::to_string(session.skipped_pairs()) +
                                     " pairs left out to end within " +
                                     std::to_string(effort.budget.count()) + " s");
  }
  return facts;
}

void PrintList(const std::vector<Workload>& workloads) {
  for (const Workload& workload : workloads) {
    std::printf("%-26s  %s\n", workload.name.c_str(), workload.title.c_str());
  }
}

// The flags that decide what is measured, as they were given. The others say where, or how surely.
std::string MeasuredFlags() {
  Command flags;
  for (const char* name : {"set", "workloads", "scale", "plugin_uri", "fast_stock_checksum",
                           "extra_args", "stock_args", "plugin_args", "fio_args"}) {
    const gflags::CommandLineFlagInfo flag = gflags::GetCommandLineFlagInfoOrDie(name);
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

// Prints the report, and keeps it where it was asked for. Returns the exit status.
int Report(const std::vector<Comparison>& comparisons,
           const std::vector<std::pair<std::string, std::string>>& facts,
           const std::string& heading) {
  ReportOptions options{FLAGS_markdown ? TableStyle::kMarkdown : TableStyle::kText,
                        FLAGS_plugin_uri.empty()};
  std::fputs("\n", stderr);
  std::fputs(RenderReport(comparisons, facts, options).c_str(), stdout);
  const bool failed =
      std::any_of(comparisons.begin(), comparisons.end(),
                  [](const Comparison& comparison) { return comparison.failure.has_value(); });
  const bool complete = !failed && !SignalsAsResults::Interrupted();
  Failure not_kept;
  if (!FLAGS_results_file.empty() && complete) {
    options.style = TableStyle::kMarkdown;
    not_kept = WriteResultsSection(FLAGS_results_file,
                                   {heading, RenderReport(comparisons, facts, options)});
  } else if (!FLAGS_results_file.empty()) {
    not_kept = Error{FLAGS_results_file + " is left as it is: not every row could be measured"};
  }
  if (not_kept.has_value()) {
    std::fprintf(stderr, "db_bench_ext: %s\n", not_kept->message.c_str());
  }
  if (SignalsAsResults::Interrupted()) return kExitInterrupted;
  return failed || not_kept.has_value() ? 1 : 0;
}

// Returns the exit status. A row below its floor is a result, not a failure.
Result<int> Main() {
  if (Failure failure = CheckFlags()) return *failure;
  const Result<WorkloadSet> set = FindWorkloadSet(FLAGS_set);
  if (!set.ok()) return set.error();
  const Result<std::vector<Workload>> workloads =
      SelectWorkloads(set.value().workloads, FLAGS_workloads);
  if (!workloads.ok()) return workloads.error();
  if (FLAGS_list) {
    PrintList(workloads.value());
    return 0;
  }
  const std::filesystem::path build_directory = BuildDirectory();
  const Result<Setup> setup = MakeSetup(build_directory);
  if (!setup.ok()) return setup.error();
  const Result<WorkDirectory> directory = WorkDirectory::Create(
      FLAGS_db_dir.empty() ? build_directory.string() : FLAGS_db_dir, set.value().needed_bytes);
  if (!directory.ok()) return directory.error();
  const std::string program = ProgramName(setup.value());
  // What was measured, on what.
  const std::string heading =
      program + ", " + FileSystemName(directory.value().path()) + ": " + MeasuredFlags();
  if (!FLAGS_results_file.empty()) {
    if (Failure failure = CheckResultsFile(FLAGS_results_file, heading)) return *failure;
  }
  const Result<DeviceLimit> device = DeviceLimit::Create(directory.value().path());
  if (!device.ok()) return device.error();

  Session session(&setup.value(), &directory.value(), &device.value());
  const Effort effort = MakeEffort(set.value());
  const std::vector<Comparison> comparisons = session.Run(workloads.value(), effort);
  if (SignalsAsResults::Interrupted()) std::fprintf(stderr, "\ninterrupted; measured so far:\n");
  return Report(comparisons,
                Facts(setup.value(), program, directory.value().path(), effort, session), heading);
}

}  // namespace
}  // namespace bloom_lfs::bench

int main(int argc, char** argv) {
  gflags::SetUsageMessage("compares RocksDB with and without bloom_lfs; see --helpshort");
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  if (argc > 1) {
    std::fprintf(stderr, "db_bench_ext: unexpected argument %s; see --helpshort\n", argv[1]);
    return 2;
  }
  const bloom_lfs::bench::SignalsAsResults signals;
  const bloom_lfs::bench::Result<int> status = bloom_lfs::bench::Main();
  if (!status.ok()) {
    std::fprintf(stderr, "db_bench_ext: %s\n", status.error().message.c_str());
    return 2;
  }
  return status.value();
}

// Compares RocksDB with and without the plugin by driving the stock db_bench. START HERE; the
// README beside this file says what is measured and how to read the table.

#include <gflags/gflags.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "db_bench_ext/baseline.h"
#include "db_bench_ext/child_process.h"
#include "db_bench_ext/command_line.h"
#include "db_bench_ext/device_limit.h"
#include "db_bench_ext/disk_format.h"
#include "db_bench_ext/format.h"
#include "db_bench_ext/loop_disk.h"
#include "db_bench_ext/machine.h"
#include "db_bench_ext/outcome.h"
#include "db_bench_ext/output_files.h"
#include "db_bench_ext/own_command.h"
#include "db_bench_ext/preflight.h"
#include "db_bench_ext/report.h"
#include "db_bench_ext/results_document.h"
#include "db_bench_ext/results_file.h"
#include "db_bench_ext/run_facts.h"
#include "db_bench_ext/session.h"
#include "db_bench_ext/setup_flags.h"
#include "db_bench_ext/standard_streams.h"
#include "db_bench_ext/work_directory.h"
#include "db_bench_ext/workload.h"
#include "db_bench_ext/workload_set.h"

DEFINE_string(set, "default",
              "The workloads to choose from: default, logs, features, flash, second or all");
DEFINE_string(workloads, "",
              "Comma-separated names, or regular expressions for whole names, of the workloads of "
              "the set to run; empty runs all. --list shows them");
DEFINE_bool(list, false, "Print the workloads and exit");
DEFINE_int32(pairs, 5, "Pairs of runs per workload");
DEFINE_double(scale, 1, "Multiplies the length of every run");
DEFINE_int32(budget_seconds, -1,
             "Start no pair that would end later than this; 0 is no limit, -1 what suits the set. "
             "Without effect when --pairs or --scale is given");
DEFINE_int32(spent_seconds, 0,
             "Seconds that building has taken: they come off what suits the set. db_bench_ext/run "
             "gives it");
DEFINE_bool(markdown, false, "Print the table in Markdown");
DEFINE_string(results_file, "",
              "Keep the table in this file too, in the section of the flags that were measured; "
              "its other sections stay. Only when every row could be measured");
DEFINE_string(json_file, "", "Write all figures to this file, as JSON; the README has its schema");
DEFINE_string(
    html_file, "",
    "Write the report to this file, as one HTML page. Empty is a file beside --json_file, "
    "or db_bench_ext.html in this build's directory; none writes none");
DEFINE_string(picture_file, "", "Write the ratios with their intervals to this file, as one SVG");
DEFINE_string(render, "",
              "Measure nothing: make --html_file and --picture_file of this file, which an earlier "
              "--json_file has written");
DEFINE_string(
    arms, "stock,plugin",
    "The arms, comma-separated: stock and plugin, which are always there, stock-recycle (recycled "
    "logs), no-wal, plugin{option=value;…}, second and second-plugin (of --second_db_bench), each "
    "compared with stock");
DEFINE_string(second_db_bench, "", "The db_bench of another RocksDB, for the arm second");
DEFINE_string(second_rocksdb_lib, "", "Directory of the librocksdb.so that it is for");
DEFINE_string(second_plugin, "",
              "libbloom_lfs.so that was built for it, for the arm second-plugin");
DEFINE_string(workload, "",
              "Measure this db_bench command line, space-separated, in the place of a set; or "
              "everything behind --");
DEFINE_string(file_systems, "",
              "Measure on each of these, comma-separated, on a loop device that is made and taken "
              "away (root): ext4, xfs, btrfs");
DEFINE_int32(loop_disk_mib, 0, "Size of those; 0 is what the set needs, or 4,096");
DEFINE_string(baseline, "", "Compare with this file, which an earlier --json_file has written");
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
DEFINE_string(without_second, "",
              "libbloom_lfs.so of a commit that had no second place yet, for --set=second: what "
              "does having it cost those who do not use it? Empty skips these rows");
DEFINE_string(without_figures, "",
              "libbloom_lfs.so that counts nothing, for --set=figures: what do figures cost?");
DEFINE_string(nbdkit, "nbdkit", "The NBD server that holds a mirror");
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

constexpr uint64_t kMiB = uint64_t{1} << 20;

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
  if (FLAGS_spent_seconds < 0) return Error{"--spent_seconds must be 0 or more"};
  if (FLAGS_loop_disk_mib < 0) return Error{"--loop_disk_mib must be 0 or more"};
  if (!FLAGS_rocksdb_lib.empty() && gflags::GetCommandLineFlagInfoOrDie("db_bench").is_default) {
    return Error{"--rocksdb_lib needs --db_bench=<the db_bench of that RocksDB>"};
  }
  return std::nullopt;
}

bool IsGiven(const char* flag) { return !gflags::GetCommandLineFlagInfoOrDie(flag).is_default; }

// The rows to measure, from a set or from a command line of the user's own.
Result<WorkloadSet> MakePlan(const CommandLine& line) {
  if (line.has_rest && IsGiven("workload")) {
    return Error{"--workload and -- both name a command line; leave one out"};
  }
  if (!line.has_rest && FLAGS_workload.empty()) {
    Result<WorkloadSet> set = FindWorkloadSet(FLAGS_set);
    if (!set.ok()) return set;
    Result<std::vector<Workload>> selected =
        SelectWorkloads(set.value().workloads, FLAGS_workloads);
    if (!selected.ok()) return selected.error();
    set.value().workloads = std::move(selected.value());
    return set;
  }
  for (const char* flag : {"set", "workloads", "scale", "budget_seconds"}) {
    if (IsGiven(flag)) {
      return Error{"--" + std::string(flag) + " says nothing about --workload; leave one out"};
    }
  }
  const std::vector<std::string> words = line.has_rest ? line.rest : SplitWords(FLAGS_workload);
  Result<std::vector<Workload>> rows = OwnRows(words);
  if (!rows.ok()) return rows.error();
  FLAGS_workload = ToShellLine({words, "", ""});
  WorkloadSet plan;
  plan.name = "own";
  plan.workloads = std::move(rows.value());
  return plan;
}

Effort MakeEffort(const WorkloadSet& set) {
  // Who asks for more pairs or longer runs gets them.
  if (IsGiven("pairs") || IsGiven("scale")) return {FLAGS_pairs, std::chrono::seconds(0)};
  if (FLAGS_budget_seconds >= 0) return {FLAGS_pairs, std::chrono::seconds(FLAGS_budget_seconds)};
  return {FLAGS_pairs, set.budget};
}

// What building took comes off the time of a first look: with shorter runs, not with fewer.
void MakeShorter(WorkloadSet* set, Setup* setup) {
  const bool first_look = FLAGS_file_systems.empty() && FLAGS_results_file.empty() &&
                          !IsGiven("pairs") && !IsGiven("scale") && FLAGS_budget_seconds < 0;
  if (!first_look || set->budget.count() == 0) return;
  const std::chrono::seconds whole = set->budget;
  set->budget = BudgetAfter(std::chrono::seconds(FLAGS_spent_seconds), whole);
  setup->scale *= static_cast<double>(set->budget.count()) / static_cast<double>(whole.count());
}

void PrintList(const std::vector<Workload>& workloads) {
  for (const Workload& workload : workloads) {
    std::printf("%-26s  %s\n", workload.name.c_str(), workload.title.c_str());
  }
}

Result<Destination> FindDestination(const std::vector<Workload>& workloads,
                                    const std::vector<DiskFormat>& formats,
                                    const std::filesystem::path& build_directory) {
  Destination destination;
  destination.results_file = FLAGS_results_file;
  destination.files = {FLAGS_json_file,
                       HtmlFileFor(FLAGS_html_file, FLAGS_json_file, build_directory.string()),
                       FLAGS_picture_file};
  if (!FLAGS_baseline.empty()) {
    std::vector<std::string> file_systems;
    file_systems.reserve(formats.size());
    for (const DiskFormat& format : formats) file_systems.push_back(format.name);
    Result<ResultsDocument> baseline = ReadBaseline(FLAGS_baseline, workloads, file_systems);
    if (!baseline.ok()) return baseline.error();
    destination.baseline = std::move(baseline.value());
  }
  if (Failure failure = CheckOutputFiles(destination.files)) return *failure;
  return destination;
}

Result<MeasuredPart> MeasureIn(const WorkDirectory& directory, const WorkloadSet& plan,
                               const Setup& setup, const std::string& program,
                               const std::string& place, int parts_to_come) {
  const Result<DeviceLimit> device = DeviceLimit::Create(directory.path());
  if (!device.ok()) return device.error();
  Session session(&setup, &directory, &device.value());
  Effort effort = MakeEffort(plan);
  effort.sessions_to_come = parts_to_come;
  MeasuredPart part;
  part.comparisons = session.Run(plan.workloads, effort);
  part.facts = Facts(setup, program, directory.path(), effort, session.skipped_pairs());
  part.heading = program + ", " + FileSystemName(directory.path()) + place + ": " + MeasuredFlags();
  return part;
}

// Where --file_systems are made. An error if one of them takes no such disk.
Result<std::vector<DiskFormat>> FindFormats() {
  Result<std::vector<DiskFormat>> formats = ParseFileSystems(FLAGS_file_systems);
  if (!formats.ok()) return formats;
  for (const DiskFormat& format : formats.value()) {
    if (FLAGS_loop_disk_mib == 0 || FLAGS_loop_disk_mib >= format.smallest_mib) continue;
    return Error{"--loop_disk_mib=" + std::to_string(FLAGS_loop_disk_mib) + " is too little for " +
                 format.name + ", which takes no less than " + std::to_string(format.smallest_mib)};
  }
  return formats;
}

// Each further arm may have prepared databases of its own.
uint64_t BytesOfFurtherArms(const WorkloadSet& plan, const Setup& setup) {
  const bool prepared =
      std::any_of(plan.workloads.begin(), plan.workloads.end(),
                  [](const Workload& workload) { return workload.preparation.has_value(); });
  return prepared ? setup.further_arms.size() * 1024 * kMiB : 0;
}

uint64_t LoopDiskBytes(const WorkloadSet& plan) {
  constexpr uint64_t kOwnCommandMib = 4096;
  if (FLAGS_loop_disk_mib > 0) return static_cast<uint64_t>(FLAGS_loop_disk_mib) * kMiB;
  return plan.needed_bytes > 0 ? plan.needed_bytes : kOwnCommandMib * kMiB;
}

// One file system after the other, each on a disk that is there for its own part.
std::vector<MeasuredPart> MeasureOnDisks(const std::vector<DiskFormat>& formats,
                                         const WorkDirectory& directory, const WorkloadSet& plan,
                                         const Setup& setup, const std::string& program) {
  std::vector<MeasuredPart> parts;
  for (const DiskFormat& format : formats) {
    MeasuredPart part;
    part.file_system = format.name;
    const uint64_t mib = LoopDiskBytes(plan) / kMiB;
    std::fprintf(stderr, "%s: making a disk of %s MiB\n", format.name.c_str(),
                 FormatCount(static_cast<double>(mib)).c_str());
    const Result<std::string> place = directory.FreshSubdirectory("disk");
    const Result<std::unique_ptr<LoopDisk>> disk =
        place.ok() ? LoopDisk::Create(place.value(), format.name, LoopDiskBytes(plan), format)
                   : Result<std::unique_ptr<LoopDisk>>(place.error());
    if (SignalsAsResults::Interrupted()) {
      part.skipped = "interrupted";
    } else if (!disk.ok()) {
      part.skipped = disk.error().message;
    } else {
      const int to_come = static_cast<int>(formats.size() - parts.size()) - 1;
      Result<MeasuredPart> measured =
          MeasureIn(disk.value()->directory(), plan, setup, program, " on a loop device", to_come);
      if (measured.ok()) {
        part = std::move(measured.value());
        part.file_system = format.name;
      } else {
        part.skipped = measured.error().message;
      }
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

// Returns the exit status. A row below its floor is a result, not a failure.
Result<int> Main(const CommandLine& line) {
  if (Failure failure = CheckFlags()) return *failure;
  Result<WorkloadSet> plan = MakePlan(line);
  if (!plan.ok()) return plan.error();
  if (FLAGS_list) {
    PrintList(plan.value().workloads);
    return 0;
  }
  const std::filesystem::path build_directory = BuildDirectory();
  if (!FLAGS_render.empty()) {
    const OutputFiles files = {"", HtmlFileFor(FLAGS_html_file, FLAGS_render, ""),
                               FLAGS_picture_file};
    if (Failure failure = RenderAgain(FLAGS_render, FLAGS_baseline, files)) return *failure;
    return 0;
  }
  const Result<std::vector<DiskFormat>> formats = FindFormats();
  if (!formats.ok()) return formats.error();
  const Result<Destination> destination =
      FindDestination(plan.value().workloads, formats.value(), build_directory);
  if (!destination.ok()) return destination.error();
  Result<Setup> setup = MakeSetup(build_directory);
  if (!setup.ok()) return setup.error();
  MakeShorter(&plan.value(), &setup.value());
  plan.value().needed_bytes += BytesOfFurtherArms(plan.value(), setup.value());
  const bool on_disks = !formats.value().empty();
  const Result<WorkDirectory> directory = WorkDirectory::Create(
      FLAGS_db_dir.empty() ? build_directory.string() : FLAGS_db_dir,
      on_disks ? LoopDiskBytes(plan.value()) + 64 * kMiB : plan.value().needed_bytes);
  if (!directory.ok()) return directory.error();
  const Result<std::string> program = ProgramName(FLAGS_db_bench, FLAGS_rocksdb_lib);
  if (!program.ok()) return program.error();
  Outcome outcome;
  outcome.pairs_per_row = FLAGS_pairs;
  outcome.rows = static_cast<int>(plan.value().workloads.size());
  outcome.measured = program.value() + ", " +
                     (on_disks ? FLAGS_file_systems + " on loop devices"
                               : FileSystemName(directory.value().path())) +
                     ": " + MeasuredFlags();
  if (!FLAGS_results_file.empty()) {
    if (Failure failure = CheckResultsFile(FLAGS_results_file, outcome.measured)) return *failure;
  }
  if (Failure failure = TryArms(setup.value(), directory.value())) return *failure;
  if (on_disks) {
    outcome.parts = MeasureOnDisks(formats.value(), directory.value(), plan.value(), setup.value(),
                                   program.value());
  } else {
    Result<MeasuredPart> part =
        MeasureIn(directory.value(), plan.value(), setup.value(), program.value(), "", 0);
    if (!part.ok()) return part.error();
    outcome.parts.push_back(std::move(part.value()));
  }
  outcome.interrupted = SignalsAsResults::Interrupted();
  if (outcome.interrupted) std::fprintf(stderr, "\ninterrupted; measured so far:\n");
  return Deliver(
      outcome,
      {FLAGS_markdown ? TableStyle::kMarkdown : TableStyle::kText, FLAGS_plugin_uri.empty()},
      destination.value());
}

}  // namespace
}  // namespace bloom_lfs::bench

int main(int argc, char** argv) {
  using bloom_lfs::bench::CommandLine;
  using bloom_lfs::bench::Result;
  bloom_lfs::bench::KeepStandardStreams();
  gflags::SetUsageMessage("compares RocksDB with and without bloom_lfs; see --helpshort");
  const Result<CommandLine> line = bloom_lfs::bench::ParseCommandLine(argc, argv);
  const bloom_lfs::bench::SignalsAsResults signals;
  const Result<int> status = line.ok() ? bloom_lfs::bench::Main(line.value()) : line.error();
  if (!status.ok()) {
    std::fprintf(stderr, "db_bench_ext: %s\n", status.error().message.c_str());
    return 2;
  }
  return status.value();
}

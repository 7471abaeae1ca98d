#include "plugin/tool/top_command.h"

#include <gflags/gflags.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <thread>

#include "plugin/figures/stream_figures_source.h"
#include "plugin/tool/process_boards.h"
#include "plugin/tool/top_rows.h"

DEFINE_double(interval, 1, "Seconds between two looks");
DEFINE_uint64(count, 0, "So many looks; 0: for ever on a terminal, once elsewhere");
DEFINE_string(by, "process", "A row for each: process, or file");
DEFINE_string(sort, "", "The column whose largest values come first");

DECLARE_bool(json);

namespace bloom_lfs::tool {
namespace {

constexpr double kShortestSeconds = 0.05;
constexpr double kLongestSeconds = 86400;
// Of standard terminals: home, and clear what lies behind.
constexpr char kClear[] = "\033[H\033[J";

volatile std::sig_atomic_t g_interrupted = 0;

WatchedProcesses Look(pid_t pid) {
  if (pid == 0) {
    return ReadAllProcesses([] { return g_interrupted != 0; });
  }
  WatchedProcesses one;
  WatchedProcess process;
  if (lss::Status status = ReadProcess(pid, &process); status.ok()) {
    one.processes.push_back(std::move(process));
  } else {
    one.errors.push_back(status.message());
  }
  return one;
}

std::vector<TopRow> RowsOf(const WatchedProcesses& before, const WatchedProcesses& after) {
  std::vector<TopRow> rows;
  for (const WatchedProcess& process : after.processes) {
    const auto earlier =
        std::find_if(before.processes.begin(), before.processes.end(),
                     [&](const WatchedProcess& each) { return each.pid == process.pid; });
    const WatchedProcess* const found = earlier == before.processes.end() ? nullptr : &*earlier;
    const std::vector<TopRow> more =
        FLAGS_by == "file" ? RowsByFile(found, process) : RowsByProcess(found, process);
    rows.insert(rows.end(), more.begin(), more.end());
  }
  if (!FLAGS_sort.empty()) {
    (void)SortRows(FLAGS_sort, &rows);  // Check has tried it
  }
  return rows;
}

// Of which a stream may have been counted twice, or not at all.
std::set<pid_t> UncertainProcesses(const WatchedProcesses& before, const WatchedProcesses& after) {
  std::set<pid_t> uncertain;
  for (const WatchedProcesses* const look : {&before, &after}) {
    for (const WatchedProcess& process : look->processes) {
      if (!process.board.is_whole()) {
        uncertain.insert(process.pid);
      }
    }
  }
  return uncertain;
}

ExitCode Show(const WatchedProcesses& before, const WatchedProcesses& after, Report* report) {
  const std::vector<TopRow> rows = RowsOf(before, after);
  report->json()["processes_hidden"] = after.hidden;
  const std::set<pid_t> uncertain = UncertainProcesses(before, after);
  report->json()["processes_uncertain"] = uncertain;
  report->json()["rows"] = Json::array();
  for (const TopRow& row : rows) {
    report->json()["rows"].push_back(JsonOf(row));
  }
  for (const std::string& error : after.errors) {
    report->Fail(error);
  }
  const std::string hidden = after.hidden == 0
                                 ? ""
                                 : std::to_string(after.hidden) +
                                       " processes of other users cannot be looked at, root can";
  if (after.processes.empty()) {
    if (after.errors.empty()) {
      report->Fail("no process is writing with bloom_lfs" + (hidden.empty() ? "" : "; " + hidden));
    }
    return kUsage;
  }
  report->Table(TableOf(rows));
  for (const pid_t each : uncertain) {
    report->Line("process " + std::to_string(each) +
                 " opened or closed files all the while, or is stopped doing so: its sums may have "
                 "one of them twice, or not at all");
  }
  if (!hidden.empty()) {
    report->Line(hidden);
  }
  const bool is_fine = std::all_of(rows.begin(), rows.end(), [](const TopRow& row) {
    return row.final_errors == 0 && row.sync_under_way_s <= kSyncOverdueSeconds;
  });
  return !is_fine ? kFound : after.errors.empty() ? kFine : kUsage;
}

bool Check(const std::vector<std::string>& arguments, pid_t* pid, Report* report) {
  std::vector<TopRow> none;
  if (FLAGS_by != "process" && FLAGS_by != "file") {
    report->Fail("--by is process or file, not " + FLAGS_by);
  } else if (!FLAGS_sort.empty() && !SortRows(FLAGS_sort, &none)) {
    std::string columns;
    for (const std::string& column : SortColumns()) {
      columns += " " + column;
    }
    report->Fail("--sort is one of" + columns + ", not " + FLAGS_sort);
  } else if (!(FLAGS_interval >= kShortestSeconds && FLAGS_interval <= kLongestSeconds)) {
    report->Fail("--interval is 0.05 to 86400 seconds");
  } else if (!arguments.empty()) {
    char* end = nullptr;
    errno = 0;
    const long number = strtol(arguments[0].c_str(), &end, 10);
    *pid = static_cast<pid_t>(number);
    if (errno != 0 || *end != '\0' || number <= 0 || *pid != number) {
      report->Fail(arguments[0] + " is no number of a process");
      return false;
    }
    return true;
  } else {
    return true;
  }
  return false;
}

void Pause() {
  // In pieces, so that an interrupt ends it.
  const auto until =
      std::chrono::steady_clock::now() + std::chrono::duration<double>(FLAGS_interval);
  while (g_interrupted == 0 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

ExitCode RunTop(const std::vector<std::string>& arguments, Report* report) {
  pid_t pid = 0;
  if (!Check(arguments, &pid, report)) {
    return kUsage;
  }
  const bool on_terminal = isatty(STDOUT_FILENO) == 1 && !FLAGS_json;
  const uint64_t looks = FLAGS_count > 0 && !FLAGS_json ? FLAGS_count : on_terminal ? 0 : 1;
  std::signal(SIGINT, [](int) { g_interrupted = 1; });
  WatchedProcesses before = Look(pid);
  for (uint64_t look = 1;; ++look) {
    Pause();
    WatchedProcesses after = Look(pid);
    if (look == looks || g_interrupted != 0) {
      return Show(before, after, report);
    }
    Report frame;
    const ExitCode code = Show(before, after, &frame);
    if (after.processes.empty()) {
      return Show(before, after, report);  // whom it was about is gone
    }
    if (on_terminal) {
      fputs(kClear, stdout);
    }
    if (!frame.Print(/*as_json=*/false)) {
      return code;  // main() says so
    }
    before = std::move(after);
  }
}

}  // namespace

Command TopCommand() {
  return {
      "top",
      "[PID]",
      "Shows what processes do with the plugin, while they do it.",
      "Rows for logs (wal) and blob files of each process, or of each file. Needs no help of the "
      "processes. --sort takes appends, bytes, syncs, mean, p99, unwritten, waiting, errors, pid "
      "or file.\n",
      {"interval", "count", "by", "sort"},
      0,
      1,
      RunTop};
}

}  // namespace bloom_lfs::tool

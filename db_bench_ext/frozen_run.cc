#include "db_bench_ext/frozen_run.h"

#include <fstream>
#include <memory>
#include <sstream>
#include <thread>
#include <utility>
#include <vector>

#include "db_bench_ext/db_bench_output.h"
#include "db_bench_ext/frozen_file_system.h"

namespace bloom_lfs::bench {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<ReportedInterval> ReadReport(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return ParseIntervalReport(text.str());
}

// An error if the child has ended or a signal has arrived. Never waits for the child: it may be one
// that cannot end.
Failure LetRun(ChildProcess* child) {
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  if (SignalsAsResults::Interrupted()) return Error{"interrupted"};
  if (child->IsRunning()) return std::nullopt;
  return Error{"db_bench ended before its disk answered again:\n" + child->LastWords()};
}

Failure AwaitFreezingTime(const FrozenRun& run, ChildProcess* child) {
  const Clock::time_point give_up = Clock::now() + run.timeout;
  while (ReadReport(run.report).size() < static_cast<size_t>(kBeforeFreeze.count())) {
    if (Failure failure = LetRun(child)) return failure;
    if (Clock::now() > give_up) return Error{"db_bench reports no operations in " + run.report};
  }
  return std::nullopt;
}

// Operations per second while the file system is frozen; it is thawed on return.
Result<double> FreezeFor(const FrozenRun& run, ChildProcess* child) {
  const Result<std::unique_ptr<FrozenFileSystem>> frozen =
      FrozenFileSystem::Create(run.mount_point);
  if (!frozen.ok()) return frozen.error();
  const Clock::time_point end = Clock::now() + run.frozen;
  // The interval that has begun before is not one of them.
  const size_t first = ReadReport(run.report).size() + 1;
  while (Clock::now() < end) {
    if (Failure failure = LetRun(child)) return *failure;
  }
  const std::vector<ReportedInterval> intervals = ReadReport(run.report);
  return RateOf(intervals, first, intervals.size());
}

}  // namespace

Result<FrozenOutput> RunFrozen(const FrozenRun& run) {
  Command command = run.db_bench;
  command.argv.insert(command.argv.end(),
                      {"--report_interval_seconds=1", "--report_file=" + run.report});
  Result<ChildProcess> child = ChildProcess::Start(command);
  if (!child.ok()) return child.error();
  if (Failure failure = AwaitFreezingTime(run, &child.value())) return *failure;
  const Result<double> ops_per_s = FreezeFor(run, &child.value());
  if (!ops_per_s.ok()) return Error{ops_per_s.error().message + "\n" + ToShellLine(command)};
  const Result<ChildOutput> output = child.value().Wait(run.timeout);
  if (!output.ok()) return output.error();
  return FrozenOutput{output.value().standard_output, output.value().standard_error,
                      ops_per_s.value()};
}

}  // namespace bloom_lfs::bench

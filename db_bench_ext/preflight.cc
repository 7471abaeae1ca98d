#include "db_bench_ext/preflight.h"

#include <chrono>
#include <string_view>

#include "db_bench_ext/child_process.h"
#include "db_bench_ext/text_lines.h"

namespace bloom_lfs::bench {
namespace {

constexpr std::chrono::seconds kTimeout{30};

Failure TryArm(const Setup& setup, Arm arm, const std::string& name,
               const WorkDirectory& directory) {
  Workload one_put;
  one_put.benchmark = "fillseq";
  one_put.operations = 1;
  const Result<std::string> db = directory.FreshSubdirectory("try");
  if (!db.ok()) return db.error();
  const Result<ChildOutput> output =
      RunToEnd(MeasuredCommand(setup, one_put, arm, 0, db.value()), kTimeout);
  if (output.ok() || SignalsAsResults::Interrupted()) return std::nullopt;
  return Error{"the arm " + name +
               " does not run, so nothing was measured: " + output.error().message};
}

}  // namespace

Result<std::string> ProgramName(const std::string& db_bench, const std::string& library) {
  Result<ChildProcess> child = ChildProcess::Start({{db_bench, "--version"}, "", library});
  if (!child.ok()) return child.error();
  const Result<ChildOutput> said = child.value().Wait(kTimeout);
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
  return std::string("db_bench of unknown version");
}

Failure TryArms(const Setup& setup, const WorkDirectory& directory) {
  if (Failure failure = TryArm(setup, Arm::kStock, "stock", directory)) return failure;
  if (!setup.plugin_uri.empty()) {
    if (Failure failure = TryArm(setup, Arm::kPlugin, "plugin", directory)) return failure;
  }
  for (const FurtherArm& arm : setup.further_arms) {
    if (Failure failure = TryArm(SetupFor(setup, arm), ArmFor(arm), arm.name, directory)) {
      return failure;
    }
  }
  return std::nullopt;
}

}  // namespace bloom_lfs::bench

#include "plugin/tool/doctor_command.h"

#include <gflags/gflags.h>

#include "plugin/second/second_marker.h"
#include "plugin/tool/doctor_costs.h"
#include "plugin/tool/doctor_file.h"
#include "plugin/tool/doctor_file_system.h"
#include "plugin/tool/doctor_process.h"
#include "plugin/tool/doctor_report.h"
#include "plugin/tool/doctor_verdict.h"
#include "plugin/tool/log_directories.h"

DEFINE_bool(quick, false, "Measure for a second instead of four: the prediction is less sure");
DEFINE_string(program, "", "Also say whether preloading reaches the RocksDB of this program");

namespace bloom_lfs::tool {
namespace {

using lss::Status;

// What its own disk does not say of the database in `directory`.
std::vector<std::string> RemarksOnDatabase(const std::string& directory) {
  std::vector<std::string> remarks;
  LogDirectories directories;
  const Status status = FindLogDirectories(directory, &directories);
  if (!status.ok()) {
    remarks.push_back(status.message() + ".");
  } else if (!directories.elsewhere.empty()) {
    remarks.push_back("The logs of the database here are in " + directories.elsewhere +
                      ": ask about that directory as well.");
  }
  for (const std::string& each : directories.all) {
    SecondMarker marker;
    if (ReadSecondMarker(each, &marker).ok()) {
      remarks.push_back("What was synced may be only in the second place " + marker.place +
                        ": the database is not ready for stock RocksDB; see bloom_lfs inspect.");
    }
  }
  return remarks;
}

Status Examine(const HeldSignals& signals, DoctorFacts* facts) {
  if (!FLAGS_program.empty()) {
    ProgramLinkage program;
    if (Status status = ReadProgramLinkage(FLAGS_program, &program); !status.ok()) {
      return status;
    }
    facts->program = std::move(program);
  }
  facts->remarks = RemarksOnDatabase(facts->directory);
  CostPlan plan;
  Status status =
      LookAtFileSystem(facts->directory, &facts->file_system, &facts->device, &plan.name);
  facts->process = LookAtProcess();
  facts->rocksdb = LookAtRocksDb();
  if (status.ok()) {
    status = PlanFor(facts->directory, facts->file_system.free_bytes,
                     facts->process.file_size_max_bytes.value_or(UINT64_MAX), facts->quick, &plan);
  }
  if (!status.ok()) {
    return status;
  }
  plan.direct_io = facts->file_system.direct_io.works;
  plan.stopped = [&signals] { return signals.arrived(); };
  return MeasureCosts(facts->directory, plan, &facts->costs);
}

ExitCode RunDoctor(const std::vector<std::string>& arguments, Report* report) {
  DoctorFacts facts;
  facts.directory = arguments[0];
  facts.quick = FLAGS_quick;
  Status status;
  {
    // A signal that came meanwhile ends the program here, when all files are gone.
    const HeldSignals signals;
    status = Examine(signals, &facts);
  }
  if (!status.ok()) {
    return report->Fail(status);
  }
  const DoctorVerdict verdict = JudgeFacts(facts);
  ShowDoctor(facts, verdict, report);
  return verdict.fine() ? kFine : kFound;
}

}  // namespace

Command DoctorCommand() {
  return {
      "doctor",
      "[--quick] [--program=PATH] [--wal-dir=DIR] DIR",
      "Probes DIR's file system and disk, and says what the plugin would gain there.",
      "Writes and syncs private files in DIR for some seconds, and removes them. Measure while\n"
      "the disk does nothing else. The exit code is 0 if the plugin is worth having and nothing\n"
      "needs to be set or changed, and 1 otherwise.\n",
      {"quick", "program", "wal_dir"},
      1,
      1,
      RunDoctor};
}

}  // namespace bloom_lfs::tool

#include "plugin/tool/recover_command.h"

#include <gflags/gflags.h>

#include "lss/base/posix_file.h"
#include "lss/second_place/side_place.h"
#include "plugin/directory_recovery.h"
#include "plugin/second/second_database.h"
#include "plugin/tool/database_lock.h"
#include "plugin/tool/directory_state.h"
#include "plugin/tool/log_files.h"
#include "plugin/warning.h"

DEFINE_bool(dry_run, false, "Only say what would be done");
DEFINE_bool(without_second_place, false,
            "Give up what only the second place has: the files are taken as they are");

namespace bloom_lfs::tool {
namespace {

using lss::Status;

uint64_t BytesIn(const RecordedLogs& logs) {
  uint64_t bytes = 0;
  for (const auto& [number, records] : logs) {
    for (const auto& [offset, piece] : records) {
      bytes += piece.size();
    }
  }
  return bytes;
}

// What the place has for the directory; nothing is changed.
Status LookAtPlace(const SecondMarker& marker, uint64_t* bytes) {
  std::unique_ptr<lss::SideSpace> space;
  std::string path;
  RecordedLogs logs;
  Status status = lss::FindSideSpace(marker.place, marker.log, WarnOnce, &space, &path);
  status = status.ok() ? ReadRecordedLogs(*space, marker.database, &logs) : status;
  *bytes = BytesIn(logs);
  return status;
}

void Describe(const SecondMarker& marker, Report* report) {
  report->json()["second_place"] = {{"place", marker.place},
                                    {"log", lss::UuidText(marker.log)},
                                    {"database", lss::UuidText(marker.database)}};
  report->Line("second place: " + marker.place);
}

// Every log whose length is, or would be, another one; all with rings, if it is a dry run.
void ShowLogs(const DirectoryState& before, const DirectoryState& after, Report* report) {
  std::vector<std::vector<std::string>> rows = {{"LOG", "BYTES", "WOULD BE", "RING"}};
  rows[0][2] = FLAGS_dry_run ? "WOULD BE" : "NOW";
  Json logs = Json::array();
  for (const LogState& was : before.logs) {
    const LogState* const found = after.Find(was.path);
    const RingState* const ring = before.RingOf(was);
    const uint64_t now = FLAGS_dry_run ? was.logical : found == nullptr ? 0 : found->in_file;
    if (ring == nullptr && now == was.in_file) {
      continue;
    }
    const std::string ring_case =
        ring != nullptr && ring->ring_case.has_value() ? lss::NameOf(*ring->ring_case) : "";
    rows.push_back({lss::BaseNameOf(was.path), std::to_string(was.in_file), std::to_string(now),
                    ring_case.empty() ? "none" : ring_case});
    logs.push_back(
        {{"path", was.path}, {"before", was.in_file}, {"after", now}, {"ring", ring_case}});
  }
  report->json()["logs"] = logs;
  if (rows.size() > 1) {
    report->Table(rows);
  }
}

ExitCode DryRun(const std::string& directory, bool has_marker, const SecondMarker& marker,
                Report* report) {
  ExitCode code = kFine;
  if (has_marker) {
    uint64_t bytes = 0;
    const Status status = LookAtPlace(marker, &bytes);
    report->json()["second_place"]["bytes"] = bytes;
    report->Line(std::to_string(bytes) + " bytes recorded there for this database");
    if (!status.ok()) {
      code = report->Fail(status, kFound);
    }
  }
  const DirectoryState state = LookAtDirectory(directory, PluginRecoveryContext());
  const ExitCode failed = ShowFailures(state, report);
  code = failed == kFine ? code : failed;
  ShowLogs(state, state, report);
  const bool ready = !has_marker && IsAtRest(state);
  report->json()["ready_for_stock"] = ready;
  if (ready) {
    report->Line(state.logs.empty() ? "nothing to recover: no log is here"
                                    : "nothing to recover: stock RocksDB may open it");
  } else if (code != kUsage) {
    report->Line("to be recovered: by this command, or by an open with the plugin");
    code = kFound;
  }
  return code;
}

// The files as they are, their rings included.
Status GiveUpPlace(const std::string& directory, const SecondMarker& marker) {
  SecondLock lock;
  bool busy = false;
  Status status = lock.Take(directory, &busy);
  if (busy) {
    return Status::IoError(directory + ": its logs are in use by another process");
  }
  status = status.ok() ? RecoverDirectory(directory) : status;
  return status.ok() ? RemoveSecondMarker(directory, marker.database) : status;
}

Status RecoverAll(const std::string& directory, bool has_marker, const SecondMarker& marker) {
  if (has_marker && FLAGS_without_second_place) {
    return GiveUpPlace(directory, marker);
  }
  Status status = SecondDatabase::Listing(directory);
  status = status.ok() ? RecoverDirectory(directory) : status;
  SecondMarker left;
  if (status.ok() && ReadSecondMarker(directory, &left).ok()) {
    status = Status::IoError(directory + ": its logs are in use by another process");
  }
  return status;
}

ExitCode RunRecover(const std::vector<std::string>& arguments, Report* report) {
  const std::string& directory = arguments[0];
  report->json()["directory"] = directory;
  report->json()["dry_run"] = FLAGS_dry_run;
  if (const Status status = CheckDirectory(directory); !status.ok()) {
    return report->Fail(status);
  }
  DatabaseLock lock;
  if (!FLAGS_dry_run) {
    if (const Status status = lock.Take(directory); !status.ok()) {
      return report->Fail(status);
    }
  }
  SecondMarker marker;
  const Status read = ReadSecondMarker(directory, &marker);
  const bool has_marker = read.ok();
  if (!has_marker && read.code() != Status::Code::kNotFound) {
    return report->Fail(read, kFound);
  }
  if (has_marker) {
    Describe(marker, report);
  }
  if (FLAGS_dry_run) {
    return DryRun(directory, has_marker, marker, report);
  }
  const DirectoryState before = LookAtDirectory(directory, PluginRecoveryContext());
  const Status status = RecoverAll(directory, has_marker, marker);
  ShowLogs(before, LookAtDirectory(directory, PluginRecoveryContext()), report);
  report->json()["ready_for_stock"] = status.ok();
  if (!status.ok()) {
    return report->Fail(status, kFound);
  }
  report->Line("recovered: stock RocksDB may open it");
  return kFine;
}

}  // namespace

Command RecoverCommand() {
  return {"recover",
          "[--dry-run] [--without-second-place] DIR",
          "Brings the logs in DIR to what an open with the plugin would make of them.",
          "DIR is a database's directory, or that of its logs (wal_dir), and not open anywhere.\n"
          "With --dry-run the exit code is 1 if there is something to recover.\n",
          {"dry_run", "without_second_place"},
          1,
          1,
          RunRecover};
}

}  // namespace bloom_lfs::tool

#include "plugin/tool/recover_command.h"

#include <gflags/gflags.h>

#include <algorithm>
#include <list>
#include <map>

#include "lss/base/posix_file.h"
#include "lss/second_place/side_place.h"
#include "plugin/directory_recovery.h"
#include "plugin/second/second_database.h"
#include "plugin/tool/database_lock.h"
#include "plugin/tool/directory_state.h"
#include "plugin/tool/log_directories.h"
#include "plugin/tool/log_files.h"
#include "plugin/tool/process.h"
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
  status = status.ok() ? ReadRecordedLogs(*space, marker.database, {}, &logs) : status;
  *bytes = BytesIn(logs);
  return status;
}

// What is to be recovered, as it is found.
struct Found {
  LogDirectories directories;
  std::vector<OwnedDirectory> owned;
  std::map<std::string, SecondMarker> markers;  // by the directory
  DirectoryState state;
};

ExitCode FindMarkers(Found* found, Report* report) {
  DirectoryState problems;
  for (const std::string& directory : found->directories.all) {
    SecondMarker marker;
    const Status status = ReadSecondMarker(directory, &marker);
    problems.Note(directory + "/" + lss::kRingDirectoryName + "/second", status);
    if (!status.ok()) {
      continue;
    }
    found->markers.emplace(directory, marker);
    report->json()["second_place"] = {{"place", marker.place},
                                      {"log", lss::UuidText(marker.log)},
                                      {"database", lss::UuidText(marker.database)}};
    report->Line("second place: " + marker.place);
  }
  return ShowFailures(problems, report);
}

// Who writes the logs all the same: one that has no LOCK, as their directory is none of a database.
Status FindWriter(const Found& found) {
  pid_t writer = 0;
  std::string where;
  for (const OwnedDirectory& each : found.owned) {
    writer = each.owner.pid != 0 ? each.owner.pid : writer;
    where = each.owner.pid != 0 ? each.path : where;
  }
  if (const RingState* const ring = FindRing(found.state, RingMatter::kInUse)) {
    writer = ring->owner != 0 ? ring->owner : -1;
    where = ring->file.empty() ? ring->path : ring->file;
  }
  for (const auto& [directory, marker] : found.markers) {
    pid_t owner = 0;
    Status status = FindSecondOwner(directory, &owner);
    if (!status.ok()) {
      return status;
    }
    writer = owner != 0 ? owner : writer;
    where = owner != 0 ? directory : where;
  }
  return writer == 0 ? Status::Ok()
                     : Status::IoError(where + " is in use by " + DescribeProcess(writer) +
                                       "; close it there first");
}

// Every log whose length is, or would be, another one; all with rings, if it is a dry run.
void ShowLogs(const Found& found, const DirectoryState& after, Report* report) {
  std::vector<std::vector<std::string>> rows = {{"LOG", "BYTES", "WOULD BE", "RING"}};
  rows[0][2] = FLAGS_dry_run ? "WOULD BE" : "NOW";
  Json logs = Json::array();
  for (const LogState& was : found.state.logs) {
    const LogState* const there = after.Find(was.path);
    const RingState* const ring = found.state.RingOf(was);
    const uint64_t now = FLAGS_dry_run ? was.logical : there == nullptr ? 0 : there->in_file;
    if (ring == nullptr && now == was.in_file) {
      continue;
    }
    const std::string ring_case =
        ring != nullptr && ring->ring_case.has_value() ? lss::NameOf(*ring->ring_case) : "";
    rows.push_back({found.directories.NameOf(was.path), std::to_string(was.in_file),
                    std::to_string(now), ring_case.empty() ? "none" : ring_case});
    logs.push_back(
        {{"path", was.path}, {"before", was.in_file}, {"after", now}, {"ring", ring_case}});
  }
  report->json()["logs"] = logs;
  if (rows.size() > 1) {
    report->Table(rows);
  }
}

ExitCode DryRun(const Found& found, Report* report) {
  ExitCode code = kFine;
  uint64_t bytes_there = 0;
  for (const auto& [directory, marker] : found.markers) {
    uint64_t bytes = 0;
    const Status status = LookAtPlace(marker, &bytes);
    bytes_there += bytes;
    report->json()["second_place"]["bytes"] = bytes_there;
    report->Line(std::to_string(bytes) + " bytes recorded there for this database");
    if (!status.ok()) {
      code = report->Fail(status, kFound);
    }
  }
  const ExitCode failed = ShowFailures(found.state, report);
  code = failed == kFine ? code : failed;
  ShowLogs(found, found.state, report);
  const bool ready = found.markers.empty() && IsAtRest(found.state);
  report->json()["ready_for_stock"] = ready;
  if (ready) {
    report->Line("nothing to recover: stock RocksDB may open it");
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

Status RecoverOne(const std::string& directory, const Found& found) {
  const auto marker = found.markers.find(directory);
  if (marker != found.markers.end() && FLAGS_without_second_place) {
    return GiveUpPlace(directory, marker->second);
  }
  Status status = SecondDatabase::Listing(directory);
  status = status.ok() ? RecoverDirectory(directory) : status;
  SecondMarker left;
  if (status.ok() && ReadSecondMarker(directory, &left).ok()) {
    status = Status::IoError(directory + ": its logs are in use by another process");
  }
  return status;
}

// Rings whose bytes were accepted once, and could not be shown to belong to a log here.
ExitCode ShowSetAside(const std::vector<std::string>& before, const std::vector<std::string>& after,
                      Report* report) {
  ExitCode code = kFine;
  report->json()["set_aside"] = Json::array();
  for (const std::string& path : after) {
    if (std::find(before.begin(), before.end(), path) == before.end()) {
      report->json()["set_aside"].push_back(path);
      code = report->Fail("stock RocksDB may open it, without what is in " + path +
                              ": that was not used; see the case of its ring",
                          kFound);
    }
  }
  return code;
}

// What has become of it decides, not that nothing failed.
ExitCode RecoverAll(const Found& found, Report* report) {
  Status status;
  for (const std::string& directory : found.directories.all) {
    status = status.ok() ? RecoverOne(directory, found) : status;
  }
  const DirectoryState after = LookAtDirectories(found.owned);
  ShowLogs(found, after, report);
  const bool ready = status.ok() && IsAtRest(after);
  report->json()["ready_for_stock"] = ready;
  if (!status.ok()) {
    return report->Fail(status, kFound);
  }
  if (const ExitCode failed = ShowFailures(after, report); failed != kFine) {
    return failed;
  }
  if (!ready) {
    return report->Fail("not everything is recovered; see bloom_lfs inspect", kFound);
  }
  if (ShowSetAside(found.state.set_aside, after.set_aside, report) != kFine) {
    return kFound;
  }
  report->Line(found.markers.empty() && IsAtRest(found.state)
                   ? "nothing to recover: stock RocksDB may open it"
                   : "recovered: stock RocksDB may open it");
  return kFine;
}

// Locks (none in a dry run), and looks. Not OK: nothing is to be done.
Status Prepare(const std::string& directory, std::list<DatabaseLock>* locks, Found* found,
               Report* report) {
  Status status = CheckDirectory(directory);
  status = status.ok() ? FindLogDirectories(directory, &found->directories) : status;
  report->json()["logs_elsewhere"] = TextOrNull(found->directories.elsewhere);
  for (const std::string& each : found->directories.all) {
    if (status.ok() && !FLAGS_dry_run) {
      status = locks->emplace_back().Take(each);
    }
  }
  if (!status.ok()) {
    return status;
  }
  auto lock = locks->begin();
  for (const std::string& each : found->directories.all) {
    OwnedDirectory owned = {each, {}};
    if (FLAGS_dry_run) {
      status = status.ok() ? FindDatabaseOwner(each, &owned.owner) : status;
    } else {
      owned.owner = (lock++)->owner_elsewhere();
    }
    found->owned.push_back(owned);
  }
  return status;
}

// What only options lead to may be another database's, if they were copied: nothing is changed
// there unless the caller names it.
Status CheckElsewhere(const Found& found) {
  const LogDirectories& directories = found.directories;
  const bool is_to_change =
      found.markers.count(directories.elsewhere) > 0 ||
      std::any_of(found.state.rings.begin(), found.state.rings.end(),
                  [&](const RingState& ring) { return directories.IsElsewhere(ring.path); });
  return directories.is_named || !is_to_change
             ? Status::Ok()
             : Status::InvalidArgument(
                   "by its options the logs of " + directories.all.front() + " are in " +
                   directories.elsewhere + ", which is to be recovered, too; if it is no copy of " +
                   "a database that has them there, add --wal-dir=" + directories.elsewhere);
}

ExitCode RunRecover(const std::vector<std::string>& arguments, Report* report) {
  const std::string& directory = arguments[0];
  report->json()["directory"] = directory;
  report->json()["dry_run"] = FLAGS_dry_run;
  std::list<DatabaseLock> locks;
  Found found;
  if (const Status status = Prepare(directory, &locks, &found, report); !status.ok()) {
    return report->Fail(status);
  }
  if (const ExitCode code = FindMarkers(&found, report); code != kFine) {
    return code;
  }
  found.state = LookAtDirectories(found.owned);
  if (const Status status = FindWriter(found); !status.ok()) {
    return report->Fail(status);
  }
  if (!HasDatabase(directory) && IsEmpty(found.state) && found.markers.empty()) {
    return report->Fail(NoDatabaseIn(directory));
  }
  if (const Status status = CheckElsewhere(found); !FLAGS_dry_run && !status.ok()) {
    return report->Fail(status);
  }
  return FLAGS_dry_run ? DryRun(found, report) : RecoverAll(found, report);
}

}  // namespace

Command RecoverCommand() {
  return {"recover",
          "[--dry-run] [--wal-dir=DIR] [--without-second-place] DIR",
          "Brings the logs in DIR to what an open with the plugin would make of them.",
          "DIR is a database's directory, or that of its logs (wal_dir), and not open anywhere.\n"
          "With --dry-run the exit code is 1 if there is something to recover.\n",
          {"dry_run", "wal_dir", "without_second_place"},
          1,
          1,
          RunRecover};
}

}  // namespace bloom_lfs::tool

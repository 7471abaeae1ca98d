#include "plugin/tool/inspect_command.h"

#include <unistd.h>

#include <algorithm>
#include <set>

#include "lss/base/posix_file.h"
#include "plugin/second/second_marker.h"
#include "plugin/tool/directory_state.h"
#include "plugin/tool/log_directories.h"
#include "plugin/tool/log_files.h"
#include "plugin/tool/process.h"
#include "plugin/tool/ring_verdict.h"

namespace bloom_lfs::tool {
namespace {

using lss::Status;

// All that is known of a directory.
struct Inspected {
  DirectoryState state;
  DatabaseOwner owner;
  bool is_database = false;
  bool has_marker = false;
  SecondMarker marker;
  pid_t marker_owner = 0;
  LogDirectories directories;
  lss::Status where;  // not OK: that is not known
};

void LookForMarker(const std::string& directory, Inspected* found) {
  const std::string rings = directory + "/" + lss::kRingDirectoryName;
  SecondMarker marker;
  const Status status = ReadSecondMarker(directory, &marker);
  found->state.Note(rings + "/second", status);
  if (!status.ok()) {
    return;
  }
  found->has_marker = true;
  found->marker = marker;
  if (found->owner.pid == 0) {
    found->state.Note(rings + "/second.lock", FindSecondOwner(directory, &found->marker_owner));
  }
}

Inspected Inspect(const std::string& directory) {
  Inspected found;
  found.is_database = HasDatabase(directory);
  found.where = FindLogDirectories(directory, &found.directories);
  DirectoryState problems;
  const std::vector<OwnedDirectory> owned = FindOwners(found.directories.all, &problems);
  found.owner = owned.front().owner;
  found.state = LookAtDirectories(owned);
  found.state.Add(problems);
  for (const std::string& each : found.directories.all) {
    LookForMarker(each, &found);
  }
  return found;
}

// One word for the whole, and what the command ends with.
struct Summary {
  const char* state;
  ExitCode code;
  const char* line;
};

Summary Summarize(const Inspected& found) {
  const DirectoryState& state = found.state;
  const bool is_open = found.owner.pid != 0 || found.marker_owner != 0;
  if (!state.failed.empty()) {
    return {"damaged", kFound, "something could not be judged; see the errors"};
  }
  if (FindRing(state, RingMatter::kRecover) != nullptr || (found.has_marker && !is_open)) {
    return {"to be recovered", kFound,
            "not ready for stock RocksDB: open it with the plugin, or run bloom_lfs recover"};
  }
  if (FindRing(state, RingMatter::kUntrusted) != nullptr) {
    return {"untrusted ring", kFound,
            "a ring is not believed: remove it, or take the right to write to it away from others"};
  }
  if (!state.forbidden.empty()) {
    return {"unknown", kUsage, "not everything could be read: run this as the owner, or as root"};
  }
  if (!found.where.ok()) {
    return {"unknown", kUsage, "not ready for stock RocksDB: its logs are not known to be here"};
  }
  if (is_open || FindRing(state, RingMatter::kInUse) != nullptr) {
    return {"in use", kFine, "in use, and nothing is wrong; ready for stock RocksDB when closed"};
  }
  if (!found.is_database && state.logs.empty()) {
    return {"empty", kFine, "no database is here (there is no CURRENT), and no log"};
  }
  return {"ready", kFine, "ready for stock RocksDB"};
}

const char* StateOf(const RingState& ring) {
  switch (MatterOf(ring)) {
    case RingMatter::kInUse:
      return "live";
    case RingMatter::kUntrusted:
      return "not trusted";
    case RingMatter::kUnknown:
      return "unknown";
    case RingMatter::kNothing:
    case RingMatter::kRecover:
      break;
  }
  return !ring.is_whole ? "damaged or unfinished" : ring.closed ? "closed" : "orphaned";
}

Json JsonOfOwner(const RingState& ring) {
  return {{"alive", ring.owner != 0},
          {"pid", ring.owner > 0 ? Json(ring.owner) : Json()},
          {"command", CommandOf(ring.owner)},
          {"made_by_pid", ring.is_whole ? Json(ring.maker) : Json()}};
}

Json JsonOf(const RingState& ring) {
  const auto word = [&](uint64_t value) { return ring.is_whole ? Json(value) : Json(); };
  const bool judged = ring.ring_case.has_value();
  return {{"path", ring.path},
          {"log", ring.file},
          {"state", StateOf(ring)},
          {"case", judged ? lss::NameOf(*ring.ring_case) : ""},
          {"opening", judged ? OpeningDoes(*ring.ring_case) : ""},
          {"why", judged ? ReasonOf(*ring.ring_case) : ""},
          {"owner", JsonOfOwner(ring)},
          {"accepted_bytes", word(ring.committed)},
          {"written_bytes", word(ring.written)},
          {"durable_bytes", word(ring.durable)},
          {"allocated_bytes", ring.allocated}};
}

Json JsonOf(const LogState& log, const RingState* ring) {
  const bool known = ring != nullptr && ring->is_whole;
  return {{"path", log.path},
          {"logical_bytes", log.logical},
          {"written_bytes", known ? Json(ring->written) : Json()},
          {"durable_bytes", known ? Json(ring->durable) : Json()},
          {"file_bytes", log.in_file},
          {"allocated_bytes", log.allocated},
          {"ring", ring != nullptr ? ring->path : ""}};
}

Json JsonOfProcess(pid_t pid) {
  return pid == 0 ? Json()
                  : Json{{"pid", pid > 0 ? Json(pid) : Json()}, {"command", CommandOf(pid)}};
}

void FillJson(const Inspected& found, Json* json) {
  (*json)["logs_elsewhere"] = TextOrNull(found.directories.elsewhere);
  (*json)["in_use_by"] = JsonOfProcess(found.owner.pid);
  (*json)["logs"] = Json::array();
  for (const LogState& log : found.state.logs) {
    (*json)["logs"].push_back(JsonOf(log, found.state.RingOf(log)));
  }
  (*json)["rings"] = Json::array();
  for (const RingState& ring : found.state.rings) {
    (*json)["rings"].push_back(JsonOf(ring));
  }
  (*json)["unfinished"] = found.state.unfinished;
  (*json)["set_aside"] = found.state.set_aside;
  if (found.has_marker) {
    const pid_t owner = found.owner.pid != 0 ? found.owner.pid : found.marker_owner;
    (*json)["second_place"] = {{"place", found.marker.place},
                               {"queues", found.marker.queues},
                               {"log", lss::UuidText(found.marker.log)},
                               {"database", lss::UuidText(found.marker.database)},
                               {"in_use_by", JsonOfProcess(owner)}};
  }
  (*json)["unreadable"] = Json::array();
  for (const auto& [path, status] : found.state.forbidden) {
    (*json)["unreadable"].push_back(path);
  }
}

std::string OwnerText(const RingState& ring) {
  if (ring.owner != 0) {
    return DescribeProcess(ring.owner);
  }
  return ring.is_whole ? "dead, was process " + std::to_string(ring.maker) : "dead";
}

std::string CaseText(const RingState& ring) {
  return ring.ring_case.has_value() ? lss::NameOf(*ring.ring_case) : "unknown";
}

void ShowLogStates(const Inspected& found, Report* report) {
  const DirectoryState& state = found.state;
  std::vector<std::vector<std::string>> rows = {
      {"LOG", "BYTES", "WRITTEN", "DURABLE", "IN FILE", "ALLOCATED", "RING", "OWNER"}};
  for (const LogState& log : state.logs) {
    const RingState* const ring = state.RingOf(log);
    const bool known = ring != nullptr && ring->is_whole;
    rows.push_back({found.directories.NameOf(log.path), std::to_string(log.logical),
                    known ? std::to_string(ring->written) : "-",
                    known ? std::to_string(ring->durable) : "-", std::to_string(log.in_file),
                    std::to_string(log.allocated),
                    ring != nullptr ? std::string(StateOf(*ring)) + ", " + CaseText(*ring) : "none",
                    ring != nullptr ? OwnerText(*ring) : "-"});
  }
  if (rows.size() > 1) {
    report->Table(rows);
  } else {
    report->Line("no logs and no blob files");
  }
}

// Rings that no row of a log has.
void ShowOtherRings(const Inspected& found, Report* report) {
  const DirectoryState& state = found.state;
  std::vector<std::vector<std::string>> rows = {{"RING", "ACCEPTED", "WRITTEN", "STATE", "OWNER"}};
  for (size_t i = 0; i < state.rings.size(); ++i) {
    const RingState& ring = state.rings[i];
    const bool shown = std::any_of(state.logs.begin(), state.logs.end(),
                                   [i](const LogState& log) { return log.ring == i; });
    if (!shown) {
      rows.push_back({found.directories.NameOf(ring.path),
                      ring.is_whole ? std::to_string(ring.committed) : "-",
                      ring.is_whole ? std::to_string(ring.written) : "-",
                      std::string(StateOf(ring)) + ", " + CaseText(ring), OwnerText(ring)});
    }
  }
  if (rows.size() > 1) {
    report->Table(rows);
  }
}

void ExplainCases(const DirectoryState& state, Report* report) {
  std::set<lss::RingCase> cases;
  for (const RingState& ring : state.rings) {
    if (ring.ring_case.has_value()) {
      cases.insert(*ring.ring_case);
    }
  }
  for (const lss::RingCase ring_case : cases) {
    report->Line(std::string(lss::NameOf(ring_case)) + ": opening " + OpeningDoes(ring_case) +
                 "; " + ReasonOf(ring_case));
  }
}

void ShowLeftovers(const Inspected& found, Report* report) {
  for (const std::string& path : found.state.unfinished) {
    report->Line(lss::BaseNameOf(path) + ": a ring that was being made; it holds nothing");
  }
  for (const std::string& path : found.state.set_aside) {
    report->Line(path + ": set aside by an earlier recovery; remove it if nothing is missed");
  }
  if (found.has_marker) {
    report->Line("second place: " + found.marker.place +
                 (found.owner.pid != 0 || found.marker_owner != 0
                      ? ", in use"
                      : ": what was synced may be there only; see recover --dry-run"));
  }
  if (!found.directories.elsewhere.empty()) {
    report->Line("its logs are in " + found.directories.elsewhere);
  }
  if (found.owner.pid != 0) {
    report->Line("open in " + DescribeProcess(found.owner.pid));
  }
}

ExitCode RunInspect(const std::vector<std::string>& arguments, Report* report) {
  const std::string& directory = arguments[0];
  report->json()["directory"] = directory;
  if (const Status status = CheckDirectory(directory); !status.ok()) {
    return report->Fail(status);
  }
  const Inspected found = Inspect(directory);
  const Summary summary = Summarize(found);
  report->json()["state"] = summary.state;
  report->json()["ready_for_stock"] =
      found.where.ok() && found.owner.pid == 0 && !found.has_marker && IsAtRest(found.state);
  FillJson(found, &report->json());
  ShowLogStates(found, report);
  ShowOtherRings(found, report);
  ExplainCases(found.state, report);
  ShowLeftovers(found, report);
  (void)ShowFailures(found.state, report);
  if (!found.where.ok()) {
    report->Fail(found.where);
  }
  report->Line(summary.line);
  return summary.code;
}

}  // namespace

Command InspectCommand() {
  return {"inspect",
          "[--wal-dir=DIR] DIR",
          "Shows the logs in DIR, who writes them, and what an open with the plugin would do.",
          "DIR is a database's directory, or that of its logs (wal_dir), open or not. Nothing is\n"
          "changed and nothing locked. The exit code is 1 if there is something to recover.\n",
          {"wal_dir"},
          1,
          1,
          RunInspect};
}

}  // namespace bloom_lfs::tool

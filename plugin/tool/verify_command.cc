#include "plugin/tool/verify_command.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "lss/base/posix_file.h"
#include "plugin/file_kind.h"
#include "plugin/second/second_marker.h"
#include "plugin/tool/blob_check.h"
#include "plugin/tool/directory_state.h"
#include "plugin/tool/log_directories.h"
#include "plugin/tool/log_files.h"
#include "plugin/tool/log_order.h"
#include "plugin/tool/log_reader.h"
#include "plugin/tool/progress.h"
#include "plugin/tool/wal_check.h"

namespace bloom_lfs::tool {
namespace {

using lss::Status;

struct CheckedFile {
  std::string path;
  uint64_t bytes = 0;
  uint64_t in_file = 0;
  uint64_t in_ring_only = 0;
  std::string ring_case;  // empty: it has no ring
  LogCheck check;
};

struct Verified {
  LogDirectories directories;
  lss::Status where;  // not OK: that is not known
  DatabaseOwner owner;
  std::vector<CheckedFile> files;
  std::vector<LogGap> gaps;
  DirectoryState problems;  // what could not be read
};

// What is known beyond the bytes: who is writing them, and what was synced.
void Weigh(const LogReader& reader, bool is_open, LogCheck* check) {
  const bool has_ring = reader.ring_case().has_value();
  if (check->verdict == LogVerdict::kTornTail || check->verdict == LogVerdict::kWhole) {
    const bool bad_place = check->offset < reader.size() &&
                           check->verdict == LogVerdict::kTornTail &&
                           check->offset_end <= reader.durable();
    if (bad_place || reader.size() < reader.durable()) {
      check->verdict = LogVerdict::kDamaged;
      check->lost_acknowledged = true;
      check->what += std::string(check->what.empty() ? "" : "; ") + "synced up to byte " +
                     std::to_string(reader.durable());
      return;
    }
  }
  const bool is_torn_live =
      check->verdict == LogVerdict::kTornTail && (reader.growing() || (is_open && !has_ring));
  if (is_torn_live || (check->verdict == LogVerdict::kWhole && reader.growing())) {
    check->verdict = LogVerdict::kBeingWritten;
    check->what.clear();
  }
}

// One file; what cannot be read is noted.
void VerifyFile(const std::string& path, const lss::RecoveryContext& context, Progress* progress,
                LogOrder* order, Verified* verified) {
  std::unique_ptr<LogReader> reader;
  const Status status = LogReader::Open(
      path, context, [progress](uint64_t bytes) { progress->Advance(bytes); }, &reader);
  if (!status.ok()) {
    verified->problems.Note(path, status);
    if (IsWal(path)) {
      order->Skip();
    }
    return;
  }
  const TailReadFunction read = [&](uint64_t offset, size_t n, char* scratch) {
    return reader->Read(offset, n, scratch);
  };
  CheckedFile file;
  file.path = path;
  file.bytes = reader->size();
  file.in_file = reader->in_file();
  file.in_ring_only = reader->in_ring_only();
  file.ring_case = reader->ring_case() ? lss::NameOf(*reader->ring_case()) : "";
  file.check = IsBlob(path)
                   ? CheckBlob(read, reader->size())
                   : CheckWal(read, reader->size(), static_cast<uint32_t>(WalNumber(path)));
  Weigh(*reader, verified->owner.pid != 0, &file.check);
  verified->files.push_back(file);
  const std::optional<LogGap> gap = IsWal(path) ? order->Add(path, file.check) : std::nullopt;
  // A process that has the database open deletes logs; those that come before go with them.
  if (gap && (verified->owner.pid == 0 || access(gap->before.c_str(), F_OK) == 0)) {
    verified->gaps.push_back(*gap);
  }
}

// Paths of what can be verified; `bytes` grows by what they take.
std::vector<std::string> FilesToVerify(const std::string& directory, Verified* verified,
                                       uint64_t* bytes) {
  std::vector<std::string> paths;
  verified->problems.Note(directory, ListLogFiles(directory, &paths));
  paths.erase(std::remove_if(paths.begin(), paths.end(),
                             [](const std::string& path) { return !IsWal(path) && !IsBlob(path); }),
              paths.end());
  for (const std::string& path : paths) {
    struct stat st = {};
    *bytes += stat(path.c_str(), &st) == 0 ? static_cast<uint64_t>(st.st_size) : 0;
  }
  return paths;
}

Verified Verify(const std::string& directory) {
  Verified verified;
  verified.where = FindLogDirectories(directory, &verified.directories);
  const std::vector<OwnedDirectory> owned =
      FindOwners(verified.directories.all, &verified.problems);
  verified.owner = owned.front().owner;
  std::vector<std::vector<std::string>> paths(owned.size());
  uint64_t total = 0;
  for (size_t i = 0; i < owned.size(); ++i) {
    paths[i] = FilesToVerify(owned[i].path, &verified, &total);
  }
  Progress progress(total);
  for (size_t i = 0; i < paths.size(); ++i) {
    LogOrder order;  // logs that were left in one directory say nothing of those in the other
    for (const std::string& path : paths[i]) {
      VerifyFile(path, ContextForLooking(owned[i].owner), &progress, &order, &verified);
    }
  }
  return verified;
}

Json NumberOrNull(uint64_t number) { return number > 0 ? Json(number) : Json(); }

Json JsonOf(const CheckedFile& file) {
  const LogCheck& check = file.check;
  const bool is_clean = check.what.empty();
  return {{"path", file.path},
          {"verdict", ToString(check.verdict)},
          {"bytes", file.bytes},
          {"file_bytes", file.in_file},
          {"ring_only_bytes", file.in_ring_only},
          {"ring", file.ring_case},
          {"records", check.records},
          {"first_sequence", NumberOrNull(check.first_sequence)},
          {"last_sequence", NumberOrNull(check.last_sequence)},
          {"offset", is_clean ? Json() : Json(check.offset)},
          {"what", check.what},
          {"lost_acknowledged", check.lost_acknowledged},
          {"whole_again", check.whole_again ? Json(*check.whole_again) : Json()}};
}

Json JsonOf(const LogGap& gap) {
  return {{"before", gap.before},
          {"after", gap.after},
          {"first_missing", gap.falls ? Json() : Json(gap.first_missing)},
          {"last_missing", gap.falls ? Json() : Json(gap.last_missing)},
          {"falls", gap.falls},
          {"explained", gap.is_explained}};
}

void ShowFiles(const Verified& verified, Report* report) {
  std::vector<std::vector<std::string>> rows = {
      {"FILE", "VERDICT", "BYTES", "ONLY IN RING", "RECORDS", "FIRST SEQUENCE", "LAST"}};
  const auto number = [](uint64_t value) { return value > 0 ? std::to_string(value) : "-"; };
  Json list = Json::array();
  for (const CheckedFile& file : verified.files) {
    const LogCheck& check = file.check;
    rows.push_back({verified.directories.NameOf(file.path), ToString(check.verdict),
                    std::to_string(file.bytes), std::to_string(file.in_ring_only),
                    std::to_string(check.records), number(check.first_sequence),
                    number(check.last_sequence)});
    list.push_back(JsonOf(file));
  }
  report->json()["files"] = list;
  if (rows.size() > 1) {
    report->Table(rows);
  } else {
    report->Line("no logs and no blob files");
  }
}

// Remarks on what is no damage.
void ShowRemarks(const Verified& verified, Report* report) {
  for (const CheckedFile& file : verified.files) {
    const std::string place =
        file.path + " at byte " + std::to_string(file.check.offset) + ": " + file.check.what;
    if (file.check.verdict == LogVerdict::kTornTail) {
      report->Line(place + "; a torn tail, normal after a crash");
    } else if (file.check.verdict == LogVerdict::kNotJudged) {
      report->Line(place + "; cannot be judged");
    }
  }
  for (const LogGap& gap : verified.gaps) {
    if (gap.is_explained) {
      report->Line(gap.ToString());
    }
  }
}

// Damage, the first in the order of the files.
ExitCode ShowDamage(const Verified& verified, Report* report) {
  Json first;
  const auto note = [&](const std::string& path, uint64_t offset, const std::string& what) {
    report->Fail(path + " at byte " + std::to_string(offset) + ": " + what, kFound);
    if (first.is_null()) {
      first = {{"path", path}, {"offset", offset}, {"what", what}};
    }
  };
  for (const CheckedFile& file : verified.files) {
    if (file.check.verdict == LogVerdict::kDamaged) {
      note(file.path, file.check.offset,
           file.check.what + (file.check.lost_acknowledged ? "; acknowledged data is lost" : ""));
    }
    for (const LogGap& gap : verified.gaps) {
      if (gap.after == file.path && !gap.is_explained) {
        note(file.path, 0, gap.ToString());
      }
    }
  }
  report->json()["first_damage"] = first;
  return first.is_null() ? kFine : kFound;
}

void ShowSecondPlace(const Verified& verified, Report* report) {
  for (const std::string& directory : verified.directories.all) {
    SecondMarker marker;
    if (ReadSecondMarker(directory, &marker).ok()) {
      report->json()["second_place"] = marker.place;
      report->Line("second place: " + marker.place +
                   ": what was synced may be there and not in the files; see inspect");
    }
  }
}

ExitCode ShowProblems(const Verified& verified, Report* report) {
  const ExitCode failed = ShowFailures(verified.problems, report);
  return verified.where.ok() || failed == kFound ? failed : report->Fail(verified.where);
}

ExitCode RunVerify(const std::vector<std::string>& arguments, Report* report) {
  const std::string& directory = arguments[0];
  report->json()["directory"] = directory;
  if (const Status status = CheckDirectory(directory); !status.ok()) {
    return report->Fail(status);
  }
  const Verified verified = Verify(directory);
  if (!HasDatabase(directory) && verified.files.empty() && IsEmpty(verified.problems)) {
    return report->Fail(NoDatabaseIn(directory));
  }
  report->json()["logs_elsewhere"] = TextOrNull(verified.directories.elsewhere);
  report->json()["in_use"] = verified.owner.pid != 0;
  ShowFiles(verified, report);
  report->json()["gaps"] = Json::array();
  for (const LogGap& gap : verified.gaps) {
    report->json()["gaps"].push_back(JsonOf(gap));
  }
  report->json()["unreadable"] = Json::array();
  for (const auto& [path, status] : verified.problems.forbidden) {
    report->json()["unreadable"].push_back(path);
  }
  ShowRemarks(verified, report);
  ShowSecondPlace(verified, report);
  const ExitCode damage = ShowDamage(verified, report);
  const ExitCode failed = ShowProblems(verified, report);
  if (damage != kFine || failed == kFound) {
    return kFound;
  }
  report->Line(failed == kFine ? "no damage" : "no damage in what could be read");
  return failed;
}

}  // namespace

Command VerifyCommand() {
  return {
      "verify",
      "[--wal-dir=DIR] DIR",
      "Checks every record of the logs and blob files in DIR, and whether a log is missing.",
      "DIR is a database's directory, or that of its logs (wal_dir), open or not. Rings are\n"
      "read with their logs. Nothing is changed. The exit code is 1 if there is damage; a torn\n"
      "tail, as a crash leaves it, is none.\n",
      {"wal_dir"},
      1,
      1,
      RunVerify};
}

}  // namespace bloom_lfs::tool

#include "plugin/tool/mirror_commands.h"

#include <gflags/gflags.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "plugin/tool/database_lock.h"
#include "plugin/tool/log_directories.h"
#include "plugin/tool/place_contents.h"
#include "plugin/tool/restored_logs.h"

DEFINE_string(from, "", "The second place: a directory, or the address of an export");
DEFINE_string(
    to, "",
    "Directory of the database's logs, restored from a backup or a checkpoint; empty: only "
    "show what the place has");
DEFINE_string(
    database, "",
    "Only this one: its directory as it was when it was written, or a UUID that is shown");
DEFINE_uint64(before_log, 0, "Only logs with lower numbers");
DEFINE_bool(all, false, "Of every database in the place");
DEFINE_bool(give_up, false, "Also what the files of a database may lack");
DEFINE_bool(take_over, false, "The place is an address, and no process is writing it");
DECLARE_bool(dry_run);

namespace bloom_lfs::tool {
namespace {

using lss::Status;

bool IsChosen(const HeldDatabase& held) {
  return FLAGS_database.empty() || held.directory == FLAGS_database ||
         lss::UuidText(held.database) == FLAGS_database;
}

std::string NameOf(const HeldDatabase& held) {
  return held.directory.empty() ? "unknown" : held.directory;
}

void ShowPlace(const std::vector<HeldDatabase>& databases, Report* report) {
  std::vector<std::vector<std::string>> rows = {{"DATABASE", "UUID", "LOG", "FROM", "TO", "STATE"}};
  Json list = Json::array();
  for (const HeldDatabase& held : databases) {
    const uint64_t whole_from = WholeFrom(held.logs);
    Json logs = Json::array();
    for (const HeldLog& log : held.logs) {
      const char* const state = log.is_whole() ? "whole" : log.begin > 0 ? "no beginning" : "hole";
      rows.push_back({NameOf(held), lss::UuidText(held.database), std::to_string(log.number),
                      std::to_string(log.begin), std::to_string(log.end), state});
      logs.push_back({{"number", log.number},
                      {"begin", log.begin},
                      {"end", log.end},
                      {"last", log.last},
                      {"whole", log.is_whole()}});
    }
    list.push_back({{"directory", held.directory},
                    {"database", lss::UuidText(held.database)},
                    {"side_log", held.side_log_name},
                    {"needed_by_files", held.is_needed},
                    {"whole_from_log", whole_from},
                    {"logs", logs}});
  }
  report->json()["databases"] = list;
  if (rows.size() > 1) {
    report->Table(rows);
  } else {
    report->Line("no records");
  }
}

// What the flags choose; kUsage and a message if that cannot be told.
ExitCode Choose(std::vector<HeldDatabase>* databases, Report* report) {
  databases->erase(std::remove_if(databases->begin(), databases->end(),
                                  [](const HeldDatabase& held) { return !IsChosen(held); }),
                   databases->end());
  std::set<std::string> names;
  for (const HeldDatabase& held : *databases) {
    names.insert(held.directory.empty() ? lss::UuidText(held.database) : held.directory);
  }
  if (names.empty()) {
    return report->Fail(FLAGS_from + " has no records" +
                        (FLAGS_database.empty() ? "" : " of " + FLAGS_database));
  }
  if (names.size() > 1) {
    return report->Fail(FLAGS_from + " has records of " + std::to_string(names.size()) +
                        " databases; choose one by --database");
  }
  return kFine;
}

ExitCode ShowRestored(const std::vector<RestoredLog>& logs, Report* report) {
  std::vector<std::vector<std::string>> rows = {
      {"LOG", "BYTES", "RECORDS", "FIRST SEQUENCE", "LAST", "OUTCOME"}};
  Json list = Json::array();
  ExitCode code = kFine;
  for (const RestoredLog& log : logs) {
    rows.push_back({std::to_string(log.number), std::to_string(log.size),
                    std::to_string(log.records), std::to_string(log.first_sequence),
                    std::to_string(log.last_sequence), ToString(log.outcome)});
    list.push_back({{"number", log.number},
                    {"outcome", ToString(log.outcome)},
                    {"bytes", log.size},
                    {"left_out", log.missing},
                    {"records", log.records},
                    {"first_sequence", log.first_sequence},
                    {"last_sequence", log.last_sequence}});
    const std::string name = "log " + std::to_string(log.number);
    if (log.outcome == RestoredLog::Outcome::kNoBeginning) {
      code = report->Fail(name + ": its beginning is neither in the place nor in the directory",
                          kFound);
    } else if (log.outcome == RestoredLog::Outcome::kOther) {
      code = report->Fail(name + ": the directory has another log of that name", kFound);
    } else if (log.missing > 0) {
      code = report->Fail(name + ": " + std::to_string(log.missing) +
                              " bytes behind a hole are left out; the mirror had been behind",
                          kFound);
    }
  }
  report->json()["logs"] = list;
  report->Table(rows);
  return code;
}

ExitCode RestoreTo(const std::vector<HeldDatabase>& lives, Report* report) {
  struct stat st = {};
  if (stat(FLAGS_to.c_str(), &st) != 0 || !S_ISDIR(st.st_mode)) {
    return report->Fail(FLAGS_to +
                        " is no directory; restore a backup or a checkpoint there first");
  }
  LogDirectories directories;
  if (const Status status = FindLogDirectories(FLAGS_to, &directories); !status.ok()) {
    return report->Fail(status);
  }
  if (!directories.elsewhere.empty()) {
    return report->Fail("by its options the database in " + FLAGS_to + " has its logs in " +
                        directories.elsewhere + ": restore them there (--to), or, if it will be " +
                        "opened with its logs in " + FLAGS_to + ", add --wal-dir=" + FLAGS_to);
  }
  DatabaseLock lock;
  if (const Status status = lock.Take(FLAGS_to); !status.ok()) {
    return report->Fail(status);
  }
  RecordedLogs recorded;
  std::vector<RestoredLog> logs;
  Status status = ReadHeldLogs(FLAGS_from, lives, &recorded);
  if (status.code() == Status::Code::kCorruption) {
    // What lies before the damage is worth having.
    report->Fail(status, kFound);
  } else if (!status.ok()) {
    return report->Fail(status);
  }
  const bool is_damaged = !status.ok();
  status = RestoreLogs(recorded, FLAGS_to, FLAGS_dry_run, &logs);
  if (!status.ok()) {
    return report->Fail(status, kFound);
  }
  const ExitCode code = ShowRestored(logs, report);
  report->Line(std::string(FLAGS_dry_run ? "would be" : "are") + " in " + FLAGS_to);
  if (access((FLAGS_to + "/CURRENT").c_str(), F_OK) != 0) {
    report->Line(
        "RocksDB needs more than logs: no CURRENT is there. If this is not a wal_dir, "
        "restore a backup or a checkpoint there, then repeat this.");
  }
  return is_damaged ? kFound : code;
}

ExitCode RunRestore(const std::vector<std::string>&, Report* report) {
  if (FLAGS_from.empty()) {
    return report->Fail("restore needs --from=PLACE");
  }
  report->json()["from"] = FLAGS_from;
  report->json()["to"] = FLAGS_to;
  std::vector<HeldDatabase> databases;
  const Status status = ReadPlace(FLAGS_from, &databases);
  if (!status.ok() && databases.empty()) {
    return report->Fail(status);
  }
  if (FLAGS_to.empty()) {
    ShowPlace(databases, report);
    return status.ok() ? kFine : report->Fail(status, kFound);
  }
  const ExitCode chosen = Choose(&databases, report);
  return chosen == kFine ? RestoreTo(databases, report) : chosen;
}

ExitCode RunTrim(const std::vector<std::string>&, Report* report) {
  if (FLAGS_from.empty() || FLAGS_all != FLAGS_database.empty()) {
    return report->Fail("trim needs --from=PLACE, and either --database or --all");
  }
  report->json()["from"] = FLAGS_from;
  std::vector<HeldDatabase> databases;
  const Status read = ReadPlace(FLAGS_from, &databases);
  std::set<lss::Uuid> chosen;
  ExitCode code = kFine;
  for (const HeldDatabase& held : databases) {
    if (IsChosen(held) && held.is_needed && !FLAGS_give_up) {
      code = report->Fail(held.directory +
                              " was not closed, and its files may lack what is here: "
                              "open it with the plugin, or add --give-up",
                          kFound);
    } else if (IsChosen(held)) {
      chosen.insert(held.database);
    }
  }
  if (!read.ok() && databases.empty()) {
    return report->Fail(read);
  }
  const auto gives_up = [&](const lss::StreamName& stream) {
    return chosen.count(stream.database) > 0 &&
           (FLAGS_before_log == 0 || stream.number < FLAGS_before_log);
  };
  TrimmedPlace trimmed;
  if (const Status status = TrimPlace(FLAGS_from, FLAGS_take_over, gives_up, &trimmed);
      !status.ok()) {
    return report->Fail(status);
  }
  for (const std::string& why : trimmed.kept) {
    code = report->Fail(why, kFound);
  }
  if (trimmed.busy > 0) {
    code = report->Fail(std::to_string(trimmed.busy) + " side logs are in use and were left alone",
                        kFound);
  }
  report->json()["streams_given_up"] = trimmed.streams;
  report->json()["files_removed"] = trimmed.files;
  report->json()["busy"] = trimmed.busy;
  report->Line(std::to_string(trimmed.streams) + " logs given up, " +
               std::to_string(trimmed.files) + " empty side logs removed");
  return code;
}

}  // namespace

Command RestoreCommand() {
  return {
      "restore",
      "--from=PLACE [--to=DIR] [--wal-dir=DIR] [--database=NAME] [--dry-run]",
      "Shows the logs that a second place holds, or writes them into DIR.",
      "A mirror has what was synced since the database's last backup: restore the backup into\n"
      "DIR, then the mirror, and any RocksDB opens it with every synced row. Logs that DIR has\n"
      "already are continued.\n",
      {"from", "to", "wal_dir", "database", "dry_run"},
      0,
      0,
      RunRestore};
}

Command TrimCommand() {
  return {"trim",
          "--from=PLACE (--database=NAME | --all) [--before-log=N]",
          "Gives up logs that a second place holds, and removes side logs that hold nothing.",
          "For databases that will not be opened again, and mirrors whose backup is newer.\n",
          {"from", "database", "all", "before_log", "give_up", "take_over"},
          0,
          0,
          RunTrim};
}

}  // namespace bloom_lfs::tool

#include "plugin/tool/place_contents.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "lss/device/remote_device.h"
#include "lss/second_place/side_log.h"
#include "lss/second_place/side_place.h"
#include "lss/second_place/side_scan.h"
#include "plugin/second/second_marker.h"
#include "plugin/warning.h"

namespace bloom_lfs {
namespace {

using lss::Status;

void AddTo(const lss::SideRecord& record, std::map<uint64_t, HeldLog>* logs) {
  const auto [entry, is_new] = logs->try_emplace(record.stream.number);
  HeldLog& log = entry->second;
  const uint64_t end = record.offset + record.bytes.size;
  if (is_new) {
    log = {record.stream.number, record.offset, end, end};
    return;
  }
  log.end = record.offset <= log.end ? std::max(log.end, end) : log.end;
  log.last = std::max(log.last, end);
}

bool IsNeeded(const std::string& directory, const lss::Uuid& database) {
  SecondMarker marker;
  return !directory.empty() && ReadSecondMarker(directory, &marker).ok() &&
         marker.database == database;
}

Status ReadSpace(const lss::SideSpace& space, std::vector<HeldDatabase>* databases) {
  std::map<lss::Uuid, std::map<uint64_t, HeldLog>> found;
  lss::SideScan scan;
  Status status = lss::ScanSideLog(
      space,
      [&](const lss::SideRecord& record, uint64_t) {
        AddTo(record, &found[record.stream.database]);
      },
      &scan);
  const std::map<lss::Uuid, std::string> labels = space.labels()->All();
  for (const auto& [database, logs] : found) {
    HeldDatabase held;
    held.database = database;
    held.side_log = space.place();
    held.side_log_name = space.name();
    const auto label = labels.find(database);
    held.directory = label == labels.end() ? "" : label->second;
    held.is_needed = IsNeeded(held.directory, database);
    for (const auto& [number, log] : logs) {
      held.logs.push_back(log);
    }
    databases->push_back(std::move(held));
  }
  return status;
}

// `name`: of the side log, for a message.
Status TrimOne(lss::HeldSideSpace* held,
               const std::function<bool(const lss::StreamName&)>& gives_up, TrimmedPlace* trimmed,
               bool* is_empty) {
  lss::LiveRecords wanted;
  std::set<lss::StreamName> given_up;
  std::set<lss::Uuid> kept;
  lss::SideScan scan;
  Status status = held->space->TakeOver();
  if (status.ok()) {
    status = lss::ScanSideLog(
        *held->space,
        [&](const lss::SideRecord& record, uint64_t lsn) {
          if (gives_up(record.stream)) {
            given_up.insert(record.stream);
          } else {
            wanted.Add(record.stream, record.offset + record.bytes.size, lsn);
            kept.insert(record.stream.database);
          }
        },
        &scan);
  }
  std::unique_ptr<lss::SideLog> log;
  if (status.ok()) {
    status = lss::SideLog::Open(std::move(held->space), scan.end, std::move(wanted), 1, &log);
  }
  if (!status.ok()) {
    return status;
  }
  for (const auto& [database, directory] : log->space().labels()->All()) {
    if (kept.count(database) == 0) {
      (void)log->labels()->Remove(database);
    }
  }
  trimmed->streams += given_up.size();
  *is_empty = kept.empty();
  return status;
}

}  // namespace

Status ReadPlace(const std::string& place, std::vector<HeldDatabase>* databases) {
  databases->clear();
  Status failed;
  Status status =
      lss::ForEachSideSpace(place, WarnOnce, [&](std::unique_ptr<lss::SideSpace> space) {
        const Status read = ReadSpace(*space, databases);
        failed = failed.ok() ? read : failed;
      });
  return status.ok() ? failed : status;
}

uint64_t WholeFrom(const std::vector<HeldLog>& logs) {
  uint64_t from = 0;
  for (auto log = logs.rbegin(); log != logs.rend() && log->is_whole(); ++log) {
    from = log->number;
  }
  return from;
}

Status ReadHeldLogs(const std::string& place, const std::vector<HeldDatabase>& lives,
                    RecordedLogs* logs) {
  logs->clear();
  Status failed;
  std::set<lss::Uuid> left;
  for (const HeldDatabase& life : lives) {
    left.insert(life.database);
  }
  const auto read = [&](std::unique_ptr<lss::SideSpace> space) {
    for (const HeldDatabase& life : lives) {
      if (life.side_log != space->place() || !failed.ok()) {
        continue;
      }
      RecordedLogs own;
      failed = ReadRecordedLogs(*space, life.database, {}, &own);
      left.erase(life.database);
      for (auto& [number, records] : own) {
        if (!logs->emplace(number, std::move(records)).second) {
          failed = Status::InvalidArgument(
              "two databases of the same directory have a log " + std::to_string(number) + " in " +
              place + "; choose one of them by its UUID: " + lss::UuidText(life.database) +
              " has one");
        }
      }
    }
  };
  Status status = lss::ForEachSideSpace(place, WarnOnce, read);
  // Another log of the place that cannot be read is nobody's business here.
  return failed.ok() && !left.empty() ? status : failed;
}

Status TrimPlace(const std::string& place, bool take_over,
                 const std::function<bool(const lss::StreamName&)>& gives_up,
                 TrimmedPlace* trimmed) {
  const bool is_remote = lss::IsRemotePlace(place);
  if (is_remote && !take_over) {
    return Status::InvalidArgument(
        place + " has no locks: end the processes that use it, and say so by --take_over");
  }
  std::vector<std::pair<lss::Uuid, std::string>> logs;
  Status status =
      lss::ForEachSideSpace(place, WarnOnce, [&](std::unique_ptr<lss::SideSpace> space) {
        logs.emplace_back(space->place(), space->name());
      });
  if (!status.ok() && logs.empty()) {
    return status;
  }
  if (!status.ok()) {
    trimmed->kept.push_back(status.message());
  }
  for (const auto& [log, name] : logs) {
    lss::HeldSideSpace held;
    bool is_empty = false;
    status = lss::OpenNamedSideSpace(place, log, WarnOnce, &held);
    if (lss::RingLock::IsBusy(status)) {
      ++trimmed->busy;
      continue;
    }
    status = status.ok() ? TrimOne(&held, gives_up, trimmed, &is_empty) : status;
    if (!status.ok()) {
      trimmed->kept.push_back(status.message());
    } else if (is_empty && !is_remote) {
      trimmed->files += unlink(name.c_str()) == 0 ? 1 : 0;  // its lock stays, and is ours
    }
  }
  return Status::Ok();
}

}  // namespace bloom_lfs

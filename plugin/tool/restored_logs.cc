#include "plugin/tool/restored_logs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <map>
#include <utility>

#include "lss/base/posix_file.h"
#include "lss/base/unique_fd.h"
#include "plugin/wal_tail.h"

namespace bloom_lfs {
namespace {

using lss::Status;

// The records that follow `begin` without a hole, and how many bytes lie behind it.
RecordedLog UpToHole(RecordedLog records, uint64_t begin, uint64_t* end, uint64_t* missing) {
  std::stable_sort(records.begin(), records.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  *end = begin;
  *missing = 0;
  auto record = records.begin();
  for (; record != records.end() && record->first <= *end; ++record) {
    *end = std::max(*end, record->first + record->second.size());
  }
  for (auto behind = record; behind != records.end(); ++behind) {
    *missing += behind->second.size();
  }
  records.erase(record, records.end());
  return records;
}

Status SizeOf(const std::string& path, uint64_t* size) {
  struct stat st = {};
  if (stat(path.c_str(), &st) != 0) {
    return Status::FromErrno("stat", path, -1, errno);
  }
  *size = static_cast<uint64_t>(st.st_size);
  return Status::Ok();
}

// Of the log as it will be: the file's first `own` bytes, and the records over them.
void Describe(const std::string& path, const RecordedLog& records, RestoredLog* log) {
  std::string bytes(log->size, '\0');
  const lss::UniqueFd fd(path.empty() ? -1 : open(path.c_str(), O_RDONLY | O_CLOEXEC));
  size_t read = 0;
  if (fd.valid()) {
    (void)lss::ReadFully(fd.get(), path, 0, bytes.size(), bytes.data(), &read);
  }
  for (const auto& [offset, piece] : records) {
    std::copy(piece.begin(), piece.end(), bytes.begin() + static_cast<int64_t>(offset));
  }
  const TailReadFunction reader = [&](uint64_t at, size_t n, char* scratch) {
    return static_cast<int64_t>(at < bytes.size() ? bytes.copy(scratch, n, at) : 0);
  };
  const WalTail tail = FindWalTail(reader, bytes.size(), static_cast<uint32_t>(log->number));
  log->records = tail.records;
  log->first_sequence = tail.first_sequence;
  log->last_sequence = tail.last_sequence;
}

std::string NewPath(const std::string& directory, uint64_t number) {
  char name[32];
  snprintf(name, sizeof(name), "/%06llu.log", static_cast<unsigned long long>(number));
  return directory + name;
}

// What is to become of one log; `records` are left with what is to be written.
Status Plan(const std::string& directory, uint64_t number, RecordedLog* records, RestoredLog* log) {
  log->number = number;
  const std::string path = FindLog(directory, number);
  uint64_t own = 0;
  if (!path.empty()) {
    if (Status status = SizeOf(path, &own); !status.ok()) {
      return status;
    }
  }
  *records = UpToHole(std::move(*records), own, &log->size, &log->missing);
  if (!path.empty()) {
    Status agrees = CheckRecordedLog(path, *records);
    if (agrees.code() == Status::Code::kCorruption) {
      log->outcome = RestoredLog::Outcome::kOther;
      log->size = own;
      records->clear();
      return Status::Ok();
    }
    if (!agrees.ok()) {
      return agrees;
    }
    log->outcome = log->size > own ? RestoredLog::Outcome::kContinued : RestoredLog::Outcome::kSame;
  } else if (records->empty()) {
    log->outcome = RestoredLog::Outcome::kNoBeginning;
  }
  Describe(path, *records, log);
  return Status::Ok();
}

// Empty files, for the logs that are not there.
Status MakeFiles(const std::string& directory, const std::vector<RestoredLog>& logs) {
  for (const RestoredLog& log : logs) {
    if (log.outcome == RestoredLog::Outcome::kNew) {
      const std::string path = NewPath(directory, log.number);
      const lss::UniqueFd fd(
          open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
      if (!fd.valid()) {
        return Status::FromErrno("make", path, -1, errno);
      }
    }
  }
  return Status::Ok();
}

Status SyncDirectory(const std::string& directory) {
  const lss::UniqueFd fd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd.valid() && fsync(fd.get()) == 0 ? Status::Ok()
                                            : Status::FromErrno("sync", directory, -1, errno);
}

}  // namespace

const char* ToString(RestoredLog::Outcome outcome) {
  switch (outcome) {
    case RestoredLog::Outcome::kNew:
      return "new";
    case RestoredLog::Outcome::kContinued:
      return "continued";
    case RestoredLog::Outcome::kSame:
      return "same";
    case RestoredLog::Outcome::kNoBeginning:
      return "no beginning";
    case RestoredLog::Outcome::kOther:
      return "other bytes";
  }
  return "unknown";
}

Status RestoreLogs(const RecordedLogs& recorded, const std::string& directory, bool dry_run,
                   std::vector<RestoredLog>* logs) {
  RecordedLogs written;
  logs->clear();
  for (const auto& [number, records] : recorded) {
    RestoredLog log;
    RecordedLog rest = records;
    if (Status status = Plan(directory, number, &rest, &log); !status.ok()) {
      return status;
    }
    logs->push_back(log);
    if (!rest.empty()) {
      written[number] = std::move(rest);
    }
  }
  if (dry_run) {
    return Status::Ok();
  }
  Status status = MakeFiles(directory, *logs);
  if (status.ok()) {
    status = WriteRecordedLogs(directory, written, /*touching_only=*/false);
  }
  return status.ok() ? SyncDirectory(directory) : status;
}

}  // namespace bloom_lfs

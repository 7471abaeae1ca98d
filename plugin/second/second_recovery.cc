#include "plugin/second/second_recovery.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "lss/base/posix_file.h"
#include "lss/base/unique_fd.h"
#include "lss/recovery/ring_directory.h"
#include "lss/second_place/hand_off_queue.h"
#include "lss/second_place/side_scan.h"
#include "plugin/file_kind.h"
#include "plugin/log_beginning.h"
#include "plugin/wal_tail.h"

namespace bloom_lfs {
namespace {

using lss::Status;

// A log's file, and what is recorded of it.
class LogFile {
 public:
  static Status Open(const std::string& path, const RecordedLog& records, LogFile* log) {
    log->path_ = path;
    log->records_ = &records;
    log->fd_ = lss::UniqueFd(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    struct stat st = {};
    if (!log->fd_.valid() || fstat(log->fd_.get(), &st) != 0) {
      return Status::FromErrno("open", path, -1, errno);
    }
    log->size_ = static_cast<uint64_t>(st.st_size);
    return Status::Ok();
  }

  Status Check(bool touching_only) {
    uint64_t end = size_;
    for (const auto& [offset, bytes] : *records_) {
      if (offset > end && !touching_only) {
        return Status::Corruption(
            path_ + " ends at offset " + std::to_string(end) +
            ", and what is recorded of it begins at offset " + std::to_string(offset) +
            ": bytes between them that were durable in the file are gone. Is it a snapshot of one "
            "of the two places?");
      }
      if (Status status = CompareTo(offset, bytes); !status.ok()) {
        return status;
      }
      end = std::max(end, offset + bytes.size());
    }
    return Status::Ok();
  }

  Status Write(bool touching_only) {
    uint64_t end = size_;
    for (const auto& [offset, bytes] : *records_) {
      if (touching_only && offset > end) {
        continue;
      }
      if (Status status = WriteOne(offset, bytes); !status.ok()) {
        return status;
      }
      end = std::max(end, offset + bytes.size());
    }
    // Also if it had all of it: perhaps in the page cache only.
    return fdatasync(fd_.get()) == 0 ? Status::Ok() : Status::FromErrno("sync", path_, -1, errno);
  }

  // Of the log as it will be.
  uint64_t LastSequence(uint64_t number) {
    uint64_t end = size_;
    for (const auto& [offset, bytes] : *records_) {
      end = std::max(end, offset + bytes.size());
    }
    const TailReadFunction read = [this, end](uint64_t at, size_t n, char* scratch) {
      return ReadThrough(at, n, scratch, end);
    };
    return FindWalTail(read, end, static_cast<uint32_t>(number)).last_sequence;
  }

 private:
  Status CompareTo(uint64_t offset, const std::string& bytes) const {
    std::string own(bytes.size(), '\0');
    size_t read = 0;
    Status status = lss::ReadFully(fd_.get(), path_, offset, own.size(), own.data(), &read);
    for (size_t i = 0; i < read && status.ok(); ++i) {
      if (own[i] != bytes[i] && own[i] != '\0') {
        status = Status::Corruption(
            path_ + " has other bytes at offset " + std::to_string(offset + i) +
            " than were recorded of it: it is another log of that name, or damaged");
      }
    }
    return status;
  }

  Status WriteOne(uint64_t offset, const std::string& bytes) const {
    for (size_t done = 0; done < bytes.size();) {
      const ssize_t written = pwrite(fd_.get(), bytes.data() + done, bytes.size() - done,
                                     static_cast<off_t>(offset + done));
      if (written <= 0 && errno != EINTR) {
        return Status::FromErrno("write", path_, static_cast<int64_t>(offset + done), errno);
      }
      done += written > 0 ? static_cast<size_t>(written) : 0;
    }
    return Status::Ok();
  }

  int64_t ReadThrough(uint64_t at, size_t n, char* scratch, uint64_t end) const {
    const size_t wanted = at >= end ? 0 : std::min<uint64_t>(n, end - at);
    size_t read = 0;
    const Status status = lss::ReadFully(fd_.get(), path_, at, wanted, scratch, &read);
    std::fill(scratch + read, scratch + wanted, '\0');
    for (const auto& [offset, bytes] : *records_) {
      const uint64_t from = std::max(at, offset);
      const uint64_t to = std::min(at + wanted, offset + bytes.size());
      if (from < to) {
        std::copy_n(bytes.data() + (from - offset), to - from, scratch + (from - at));
      }
    }
    return TailReadResult(status, wanted);
  }

  lss::UniqueFd fd_;
  std::string path_;
  uint64_t size_ = 0;
  const RecordedLog* records_ = nullptr;
};

// The logs that are still there.
Status OpenLogs(const std::string& directory, const RecordedLogs& recorded,
                std::map<uint64_t, LogFile>* logs) {
  for (const auto& [number, records] : recorded) {
    const std::string path = FindLog(directory, number);
    if (path.empty()) {
      continue;  // deleted
    }
    if (Status status = LogFile::Open(path, records, &(*logs)[number]); !status.ok()) {
      return status;
    }
  }
  return Status::Ok();
}

}  // namespace

std::string FindLog(const std::string& directory, uint64_t number) {
  char name[32];
  snprintf(name, sizeof(name), "%06llu.log", static_cast<unsigned long long>(number));
  for (const std::string& path :
       {directory + "/" + name, directory + "/" + lss::kArchiveDirectoryName + "/" + name}) {
    struct stat st = {};
    if (lstat(path.c_str(), &st) == 0) {
      return path;
    }
  }
  return {};
}

Status ReadRecordedLogs(const lss::SideSpace& space, const lss::Uuid& database,
                        const lss::PlaceCaller& caller, RecordedLogs* logs) {
  lss::SideScan scan;
  logs->clear();
  return lss::ScanSideLog(
      space,
      [&](const lss::SideRecord& record, uint64_t) {
        caller.NoteStep();
        if (record.stream.database == database && record.stream.kind == lss::StreamName::kLog) {
          (*logs)[record.stream.number].emplace_back(
              record.offset, std::string(record.bytes.data, record.bytes.size));
        }
      },
      &scan);
}

Status ReadQueuedLogs(const std::string& queues, const std::string& directory,
                      const lss::Uuid& database, RecordedLogs* logs) {
  struct stat st = {};
  if (queues.empty() || stat(directory.c_str(), &st) != 0) {
    return Status::Ok();
  }
  return lss::HandOffQueue::Recover(
      queues, database, st.st_uid,
      [&](const lss::StreamName& stream, uint64_t offset, lss::ByteView bytes) {
        (*logs)[stream.number].emplace_back(offset, std::string(bytes.data, bytes.size));
        return Status::Ok();
      });
}

bool IsSuperseded(const std::string& directory, const RecordedLogs& recorded) {
  std::map<uint64_t, LogFile> logs;
  std::vector<std::string> names;
  if (!OpenLogs(directory, recorded, &logs).ok() || !lss::ListDirectory(directory, &names).ok()) {
    return false;
  }
  // Sequence numbers that others begin with.
  std::map<uint64_t, uint64_t> firsts;
  for (const std::string& name : names) {
    const uint64_t number = IsWal(name) ? WalNumber(name) : 0;
    if (number > 0 && recorded.count(number) == 0) {
      const uint64_t first = ScanLogBeginning(directory + "/" + name).first_sequence;
      if (first > 0) {
        firsts[number] = first;
      }
    }
  }
  return std::any_of(logs.begin(), logs.end(), [&](auto& log) {
    const auto newer = firsts.upper_bound(log.first);
    if (newer == firsts.end()) {
      return false;
    }
    const uint64_t last = log.second.LastSequence(log.first);
    return std::any_of(newer, firsts.end(), [&](const auto& first) { return last > first.second; });
  });
}

Status CheckRecordedLog(const std::string& path, const RecordedLog& records) {
  LogFile log;
  Status status = LogFile::Open(path, records, &log);
  return status.ok() ? log.Check(/*touching_only=*/false) : status;
}

Status WriteRecordedLogs(const std::string& directory, const RecordedLogs& recorded,
                         bool touching_only) {
  std::map<uint64_t, LogFile> logs;
  Status status = OpenLogs(directory, recorded, &logs);
  for (auto log = logs.begin(); status.ok() && log != logs.end(); ++log) {
    status = log->second.Check(touching_only);
  }
  for (auto log = logs.begin(); status.ok() && log != logs.end(); ++log) {
    status = log->second.Write(touching_only);
  }
  return status;
}

}  // namespace bloom_lfs

#include "plugin/second/second_recovery.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <map>
#include <vector>

#include "lss/base/posix_file.h"
#include "lss/base/unique_fd.h"
#include "lss/recovery/ring_directory.h"
#include "lss/second_place/side_scan.h"

namespace bloom_lfs {
namespace {

using lss::Status;

// A log of the database, if it is still there.
struct Log {
  lss::UniqueFd fd;
  std::string path;
  uint64_t size = 0;
  bool changed = false;
};

class Recovery {
 public:
  Recovery(const std::string& directory, const lss::Uuid& database, const lss::SideSpace& space,
           SecondRecovery* result)
      : directory_(directory), database_(database), space_(space), result_(result) {}

  // First only looks: if the files lack what lies before a record, none is changed.
  Status Run() {
    for (const bool writes : {false, true}) {
      if (Status status = Pass(writes); !status.ok()) {
        return status;
      }
    }
    for (auto& [number, log] : logs_) {
      if (log.changed) {
        ++result_->files;
      }
      // Also one that has all of it: perhaps in the page cache only.
      if (log.fd.valid() && fdatasync(log.fd.get()) != 0) {
        return Status::FromErrno("sync", log.path, -1, errno);
      }
    }
    return Status::Ok();
  }

 private:
  Status Pass(bool writes) {
    ends_.clear();
    Status failed;
    lss::SideScan scan;
    Status status = lss::ScanSideLog(
        space_,
        [&](const lss::SideRecord& record, uint64_t) {
          if (failed.ok() && record.stream.database == database_ && record.stream.kind == 0) {
            failed = writes ? Write(record) : Check(record);
          }
        },
        &scan);
    return status.ok() ? failed : status;
  }

  Status LogOf(uint64_t number, Log** result) {
    const auto [entry, is_new] = logs_.try_emplace(number);
    *result = &entry->second;
    return is_new ? OpenLog(number, *result) : Status::Ok();
  }

  Status OpenLog(uint64_t number, Log* log) const {
    char name[32];
    snprintf(name, sizeof(name), "%06llu.log", static_cast<unsigned long long>(number));
    for (const std::string& directory :
         {directory_, directory_ + "/" + lss::kArchiveDirectoryName}) {
      log->path = directory + "/" + name;
      log->fd = lss::UniqueFd(open(log->path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
      struct stat st = {};
      if (log->fd.valid() && fstat(log->fd.get(), &st) == 0) {
        log->size = static_cast<uint64_t>(st.st_size);
        return Status::Ok();
      }
      if (errno != ENOENT) {
        return Status::FromErrno("open", log->path, -1, errno);
      }
    }
    return Status::Ok();  // deleted
  }

  Status Check(const lss::SideRecord& record) {
    Log* log = nullptr;
    if (Status status = LogOf(record.stream.number, &log); !status.ok() || !log->fd.valid()) {
      return status;
    }
    ++result_->records;
    uint64_t& end = ends_.try_emplace(record.stream.number, log->size).first->second;
    if (record.offset > end) {
      return Status::Corruption(
          log->path + " ends at offset " + std::to_string(end) + ", and what " + space_.name() +
          " has of it begins at offset " + std::to_string(record.offset) +
          ": bytes between them that were durable in the file are gone. Is it a snapshot of one of "
          "the two places?");
    }
    end = std::max(end, record.offset + record.bytes.size);
    return Status::Ok();
  }

  Status Write(const lss::SideRecord& record) {
    Log* log = nullptr;
    if (Status status = LogOf(record.stream.number, &log); !status.ok() || !log->fd.valid()) {
      return status;
    }
    if (Has(*log, record)) {
      return Status::Ok();
    }
    size_t done = 0;
    while (done < record.bytes.size) {
      const ssize_t written =
          pwrite(log->fd.get(), record.bytes.data + done, record.bytes.size - done,
                 static_cast<off_t>(record.offset + done));
      if (written <= 0 && errno != EINTR) {
        return Status::FromErrno("write", log->path, static_cast<int64_t>(record.offset + done),
                                 errno);
      }
      done += written > 0 ? written : 0;
    }
    result_->bytes += record.bytes.size;
    log->changed = true;
    return Status::Ok();
  }

  bool Has(const Log& log, const lss::SideRecord& record) {
    scratch_.resize(record.bytes.size);
    size_t read = 0;
    return lss::ReadFully(log.fd.get(), log.path, record.offset, scratch_.size(), scratch_.data(),
                          &read)
               .ok() &&
           read == record.bytes.size &&
           std::equal(scratch_.begin(), scratch_.end(), record.bytes.data);
  }

  const std::string& directory_;
  const lss::Uuid& database_;
  const lss::SideSpace& space_;
  SecondRecovery* const result_;
  std::map<uint64_t, Log> logs_;
  std::map<uint64_t, uint64_t> ends_;  // of the logs as they will be
  std::vector<char> scratch_;
};

}  // namespace

Status RecoverFromSide(const std::string& directory, const lss::Uuid& database,
                       const lss::SideSpace& space, SecondRecovery* result) {
  *result = {};
  return Recovery(directory, database, space, result).Run();
}

}  // namespace bloom_lfs

#include "plugin/tool/log_reader.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "lss/base/posix_file.h"
#include "plugin/tool/log_files.h"

namespace bloom_lfs::tool {
namespace {

using lss::Status;

constexpr uint64_t kReadAheadBytes = 8 << 20;

// Whether a ring of this case says what was synced of the file that is there.
bool VouchesForFile(lss::RingCase ring_case) {
  switch (ring_case) {
    case lss::RingCase::kR3ProcessKilled:
    case lss::RingCase::kR4Closed:
    case lss::RingCase::kR5MachineDown:
    case lss::RingCase::kR14Proven:
      return true;
    default:
      return false;
  }
}

}  // namespace

Status LogReader::Open(const std::string& path, const lss::RecoveryContext& context,
                       std::function<void(uint64_t bytes)> on_read,
                       std::unique_ptr<LogReader>* result) {
  lss::UniqueFd fd;
  struct stat st = {};
  if (Status status = OpenLogFile(path, &fd, &st); !status.ok()) {
    return status;
  }
  std::unique_ptr<LogReader> reader(new LogReader(std::move(fd), path, std::move(on_read)));
  reader->in_file_ = reader->size_ = static_cast<uint64_t>(st.st_size);
  const std::string ring = lss::FindRing(path, st.st_ino);
  if (!ring.empty()) {
    if (Status status = reader->Resolve(ring, context); !status.ok()) {
      return status;
    }
  }
  *result = std::move(reader);
  return Status::Ok();
}

Status LogReader::Resolve(const std::string& ring, const lss::RecoveryContext& context) {
  std::unique_ptr<lss::RingView> view;
  if (Status status = lss::RingView::Open(ring, &view); !status.ok()) {
    return status.code() == Status::Code::kNotFound ? Status::Ok() : status;
  }
  if (Status status = lss::ResolveTail(fd_.get(), path_, ring, context, &tail_); !status.ok()) {
    return status;
  }
  ring_case_ = tail_.ring_case;
  if (tail_.growing) {
    size_ = tail_.ring->committed();
  } else if (tail_.ring != nullptr) {
    size_ = tail_.part.end;
  }
  if (VouchesForFile(tail_.ring_case) && view->header_state() == lss::HeaderState::kWhole &&
      view->LiveWordsAgree()) {
    durable_ = view->durable();
  }
  return Status::Ok();
}

uint64_t LogReader::in_ring_only() const {
  if (tail_.ring == nullptr) {
    return 0;
  }
  const uint64_t from = tail_.growing ? tail_.ring->hi_stable() : tail_.part.from;
  return size_ - std::min(size_, from);
}

void LogReader::ReadAhead(uint64_t from) {
  if (from + kReadAheadBytes / 2 < ahead_ || ahead_ >= in_file_) {
    return;
  }
  const uint64_t begin = std::max(from, ahead_);
  (void)posix_fadvise(fd_.get(), static_cast<off_t>(begin), static_cast<off_t>(kReadAheadBytes),
                      POSIX_FADV_WILLNEED);
  ahead_ = begin + kReadAheadBytes;
}

int64_t LogReader::Read(uint64_t offset, size_t n, char* destination) {
  size_t got = 0;
  Status status;
  n = offset >= size_ ? 0 : static_cast<size_t>(std::min<uint64_t>(n, size_ - offset));
  ReadAhead(offset);
  if (tail_.growing) {
    status = lss::ReadMerged(fd_.get(), *tail_.ring, offset, n, size_, destination, &got);
  } else if (tail_.ring != nullptr) {
    status = lss::ReadMerged(fd_.get(), *tail_.ring, tail_.part, offset, n, destination, &got);
  } else {
    status = lss::ReadFully(fd_.get(), path_, offset, n, destination, &got);
  }
  if (offset + got > furthest_) {
    on_read_(offset + got - std::max(offset, furthest_));
    furthest_ = offset + got;
  }
  return TailReadResult(status, got);
}

}  // namespace bloom_lfs::tool

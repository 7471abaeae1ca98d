#include "lss/second_place/side_scan.h"

#include <algorithm>
#include <cerrno>

#include "lss/base/page_buffer.h"
#include "lss/second_place/side_log.h"

namespace lss {
namespace {

using Visit = std::function<void(const SideRecord&, uint64_t lsn)>;

class Scanner {
 public:
  Scanner(const SideSpace& space, const Visit& visit)
      : space_(space), visit_(visit), superblock_(space.superblock()) {}

  Status Run(SideScan* result) {
    if (!pages_.Reserve(std::max(superblock_.group_bytes, kWindowBytes))) {
      return Status::FromErrno("read", space_.name(), -1, ENOMEM);
    }
    result->end = superblock_.head;
    for (size_t i = 0; i < superblock_.epoch_count; ++i) {
      const SideEpoch& epoch = superblock_.epochs[i];
      result->end = std::max(result->end, epoch.begin);
      if (Status status = Walk(epoch, result); !status.ok()) {
        return status;
      }
    }
    return Status::Ok();
  }

 private:
  // From result->end on.
  Status Walk(const SideEpoch& epoch, SideScan* result) {
    while (result->end < epoch.end) {
      const uint64_t lsn = NextGroupAt(result->end, superblock_.log_bytes, superblock_.group_bytes);
      if (lsn + superblock_.group_bytes - superblock_.head > superblock_.log_bytes) {
        return epoch.end == SideEpoch::kOpen ? Status::Ok() : Damaged(lsn);  // once round
      }
      GroupHead head;
      bool found = false;
      if (Status status = ReadGroup(epoch, lsn, &head, &found); !status.ok()) {
        return status;
      }
      if (!found) {
        return epoch.end == SideEpoch::kOpen ? CheckEnd(epoch, lsn) : Damaged(lsn);
      }
      const auto give = [&](const SideRecord& record) { visit_(record, lsn); };
      if (!ForEachRecord(BytesAt(lsn), head, give)) {
        return Damaged(lsn);
      }
      result->end = lsn + PageCeil(head.bytes);
      ++result->groups;
    }
    return Status::Ok();
  }

  // What is fetched at once: where the place is far away, each read takes its time.
  static constexpr uint64_t kWindowBytes = 1 << 20;

  // Has [lsn, lsn + length) in memory. REQUIRES: it is not cut by the log's end
  Status Fetch(uint64_t lsn, uint64_t length) {
    if (lsn >= window_begin_ && lsn + length <= window_end_) {
      return Status::Ok();
    }
    const uint64_t to_end = superblock_.log_bytes - lsn % superblock_.log_bytes;
    uint64_t fetched = std::max(length, std::min(kWindowBytes, to_end));
    Status status = space_.Read(lsn, fetched, pages_.data());
    if (!status.ok() && fetched > length) {  // what is behind it may not be needed
      fetched = length;
      status = space_.Read(lsn, fetched, pages_.data());
    }
    window_begin_ = lsn;
    window_end_ = status.ok() ? lsn + fetched : lsn;
    return status;
  }
  const char* BytesAt(uint64_t lsn) const { return pages_.data() + (lsn - window_begin_); }

  // Whether there is a whole group of this writer at `lsn`; then it is in memory.
  Status ReadGroup(const SideEpoch& epoch, uint64_t lsn, GroupHead* head, bool* found) {
    *found = false;
    bool is_own = false;
    if (Status status = ReadHead(epoch, lsn, head, &is_own); !status.ok() || !is_own) {
      return status;
    }
    Status status = Fetch(lsn, PageCeil(head->bytes));
    *found = status.ok() && IsWholeGroup(BytesAt(lsn), *head);
    return status;
  }

  Status ReadHead(const SideEpoch& epoch, uint64_t lsn, GroupHead* head, bool* is_own) {
    Status status = Fetch(lsn, kPageBytes);
    *is_own = status.ok() && DecodeGroupHead(BytesAt(lsn), lsn, head) &&
              head->bytes <= superblock_.group_bytes && head->epoch == epoch.epoch &&
              head->writer == epoch.writer;
    return status;
  }

  // No group is at `lsn`: the end, unless a later one knows that there was one. At most as many as
  // there is memory for are written before the first that knows.
  Status CheckEnd(const SideEpoch& epoch, uint64_t lsn) {
    const uint64_t round = superblock_.head + superblock_.log_bytes;
    const uint64_t end = std::min(lsn + (SideLog::kGroups + 1) * superblock_.group_bytes, round);
    for (uint64_t at = lsn + kPageBytes; at + kPageBytes <= end; at += kPageBytes) {
      GroupHead head;
      bool is_own = false;
      if (Status status = ReadHead(epoch, at, &head, &is_own); !status.ok()) {
        return status;
      }
      if (is_own && head.durable > lsn) {
        return Damaged(lsn);
      }
    }
    return Status::Ok();
  }

  Status Damaged(uint64_t lsn) const {
    return Status::Corruption(
        space_.name() + " is damaged at offset " +
        std::to_string(kSuperblocksBytes + lsn % superblock_.log_bytes) +
        ": a group of records (LSN " + std::to_string(lsn) +
        ") that had been acknowledged is not whole; what its files do not have is lost");
  }

  const SideSpace& space_;
  const Visit& visit_;
  const SideSuperblock superblock_;
  PageBuffer pages_;
  uint64_t window_begin_ = 0;  // LSNs of what is in it
  uint64_t window_end_ = 0;
};

}  // namespace

Status ScanSideLog(const SideSpace& space, const Visit& visit, SideScan* result) {
  *result = {};
  return Scanner(space, visit).Run(result);
}

}  // namespace lss

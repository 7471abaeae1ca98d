#include "lss/second_place/side_scan.h"

#include <cerrno>

#include "lss/base/page_buffer.h"

namespace lss {
namespace {

// Behind the beginning of the last epoch only its own groups count: others there were written by
// one who did not know yet that it had been taken over.
bool HadARight(const SideSuperblock& superblock, const GroupHead& head) {
  return head.lsn >= superblock.epoch_begin ? head.epoch == superblock.epoch
                                            : head.epoch < superblock.epoch;
}

// OK and *found: there is a whole group at `lsn`, in `pages`.
Status ReadGroup(const SideSpace& space, uint64_t lsn, char* pages, GroupHead* head, bool* found) {
  const SideSuperblock& superblock = space.superblock();
  *found = false;
  if (Status status = space.Read(lsn, kPageBytes, pages); !status.ok()) {
    return status;
  }
  if (!DecodeGroupHead(pages, lsn, head) || head->bytes > superblock.group_bytes ||
      !HadARight(superblock, *head)) {
    return Status::Ok();
  }
  if (Status status = space.Read(lsn, PageCeil(head->bytes), pages); !status.ok()) {
    return status;
  }
  *found = IsWholeGroup(pages, *head);
  return Status::Ok();
}

}  // namespace

Status ScanSideLog(const SideSpace& space,
                   const std::function<void(const SideRecord&, uint64_t lsn)>& visit,
                   SideScan* result) {
  const SideSuperblock& superblock = space.superblock();
  PageBuffer pages(superblock.group_bytes);
  if (pages.size() < superblock.group_bytes) {
    return Status::FromErrno("read", space.name(), -1, ENOMEM);
  }
  *result = {superblock.head, 0};
  for (;;) {
    const uint64_t lsn = NextGroupAt(result->end, superblock.log_bytes, superblock.group_bytes);
    if (lsn + superblock.group_bytes - superblock.head > superblock.log_bytes) {
      return Status::Ok();  // once round
    }
    GroupHead head;
    bool found = false;
    if (Status status = ReadGroup(space, lsn, pages.data(), &head, &found); !status.ok()) {
      return status;
    }
    const auto give = [&](const SideRecord& record) { visit(record, lsn); };
    if (!found || !ForEachRecord(pages.data(), head, give)) {
      return Status::Ok();
    }
    result->end = lsn + PageCeil(head.bytes);
    ++result->groups;
  }
}

}  // namespace lss

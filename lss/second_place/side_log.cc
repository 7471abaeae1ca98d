#include "lss/second_place/side_log.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "lss/base/check.h"

namespace lss {

SideLog::SideLog(std::unique_ptr<SideSpace> space, uint64_t in_flight)
    : space_(std::move(space)),
      log_bytes_(space_->superblock().log_bytes),
      group_bytes_(space_->superblock().group_bytes),
      in_flight_(in_flight) {}

Status SideLog::Open(std::unique_ptr<SideSpace> space, uint64_t end, uint64_t in_flight,
                     std::unique_ptr<SideLog>* result) {
  LSS_CHECK(in_flight >= 1 && in_flight <= kMaxInFlight, "a group is left for what comes");
  std::unique_ptr<SideLog> log(new SideLog(std::move(space), in_flight));
  Status status = log->Init(end);
  if (status.ok()) {
    *result = std::move(log);
  }
  return status;
}

Status SideLog::Init(uint64_t end) {
  for (size_t i = 0; i < kGroups; ++i) {
    if (!memory_[i].Reserve(group_bytes_)) {
      return Status::FromErrno("buffer writes to", space_->name(), -1, ENOMEM);
    }
    buffers_[i].Attach(memory_[i].data(), static_cast<uint32_t>(group_bytes_), &bases_[i]);
  }
  SideSuperblock superblock = space_->superblock();
  superblock.epoch += 1;
  superblock.epoch_begin = end;
  if (Status status = space_->WriteSuperblock(superblock); !status.ok()) {
    return status;
  }
  epoch_ = superblock.epoch;
  const MutexLock lock(&mutex_);
  kept_head_ = superblock.head;
  // As if a group of no length had ended there.
  const uint64_t lsn = NextGroupAt(end, log_bytes_, group_bytes_);
  if (lsn + group_bytes_ - kept_head_ > log_bytes_) {
    return Status::NoSpace(space_->name() +
                           " is full of what is still wanted; recover the databases "
                           "that use it, or give it up");
  }
  // Relaxed: nobody else has the log yet.
  lsns_[0].store(lsn, std::memory_order_relaxed);
  buffers_[0].Reopen(0, GenerationOf(0));
  (void)buffers_[0].Reserve(kGroupHeaderBytes, GenerationOf(0));
  (void)buffers_[0].Leave();
  return Status::Ok();
}

Status SideLog::Append(const SideRecord& record, SideMark* mark) {
  const size_t most = (group_bytes_ - kGroupHeaderBytes - kRecordHeadBytes) & ~size_t{7};
  SideRecord piece = record;
  for (size_t done = 0; done < record.bytes.size; done += piece.bytes.size) {
    piece.offset = record.offset + done;
    piece.bytes = {record.bytes.data + done, std::min(most, record.bytes.size - done)};
    SideMark each;
    if (Status status = AppendPiece(piece, &each); !status.ok()) {
      return status;
    }
    mark->group = each.group;
    mark->lsn = done == 0 ? each.lsn : mark->lsn;
  }
  return Status::Ok();
}

Status SideLog::AppendPiece(const SideRecord& piece, SideMark* mark) {
  const auto room = static_cast<uint32_t>(RecordRoom(piece.bytes.size));
  for (;;) {
    const uint64_t open = open_.load(std::memory_order_acquire);  // P50
    FlushBuffer& buffer = BufferOf(open);
    const BufferReservation taken = buffer.Reserve(room, GenerationOf(open));
    FlushDuty duty = taken.duty;
    if (taken.reserved) {
      EncodeRecord(piece, buffer.data() + taken.offset);
      *mark = {open, LsnOf(open)};  // the group cannot go before it is left
      duty = buffer.Leave();
    }
    if (duty == FlushDuty::kMustFlush) {
      Write(open);
    }
    if (taken.reserved) {
      return Status::Ok();
    }
    if (Status status = AwaitNext(open); !status.ok()) {
      return status;
    }
  }
}

Status SideLog::AwaitNext(uint64_t group) {
  const MutexLock lock(&mutex_);
  for (;;) {
    TryOpenNext();
    if (!failed_.ok()) {
      return failed_;
    }
    // Relaxed: who opens a group holds the mutex
    if (open_.load(std::memory_order_relaxed) != group) {
      return Status::Ok();
    }
    if (full_) {
      return Status::NoSpace(space_->name() + " is full of records whose files are behind");
    }
    changed_.Wait(&mutex_);
  }
}

void SideLog::TryOpenNext() {
  const uint64_t open = open_.load(std::memory_order_relaxed);  // Relaxed: as above
  const uint64_t next = open + 1;
  FlushBuffer& sealed = BufferOf(open);
  if (!failed_.ok() || !sealed.IsSealed(GenerationOf(open)) || next >= durable_ + kGroups) {
    return;
  }
  sealed.AwaitSealed(GenerationOf(open));
  const uint64_t end = LsnOf(open) + PageCeil(sealed.SealedLength());
  const uint64_t lsn = NextGroupAt(end, log_bytes_, group_bytes_);
  full_ = lsn + group_bytes_ - kept_head_ > log_bytes_;
  if (full_) {
    return;
  }
  written_[next % kGroups] = false;
  lsns_[next % kGroups].store(lsn, std::memory_order_relaxed);  // Relaxed: P50 publishes it
  FlushBuffer& buffer = BufferOf(next);
  buffer.Reopen(0, GenerationOf(next));
  (void)buffer.Reserve(kGroupHeaderBytes, GenerationOf(next));
  (void)buffer.Leave();
  open_.store(next, std::memory_order_release);  // P50
  changed_.NotifyAll();
}

Status SideLog::Sync(uint64_t group) {
  MutexLock lock(&mutex_);
  while (durable_ <= group) {
    if (!failed_.ok()) {
      return failed_;
    }
    FlushBuffer& buffer = BufferOf(group);
    // While those before it are written, others add to it: one write will do for all of them.
    const bool may_seal = group - durable_ < in_flight_;
    if (open_.load(std::memory_order_relaxed) == group &&  // Relaxed: as above
        !buffer.IsSealed(GenerationOf(group)) && may_seal) {
      const FlushDuty duty = buffer.Seal(GenerationOf(group));
      TryOpenNext();
      if (duty == FlushDuty::kMustFlush) {
        lock.Unlock();
        Write(group);
        lock.Lock();
      }
      continue;
    }
    changed_.Wait(&mutex_);
  }
  return Status::Ok();
}

void SideLog::Write(uint64_t group) {
  FlushBuffer& buffer = BufferOf(group);
  buffer.AwaitSealed(GenerationOf(group));
  const GroupHead head = {epoch_, LsnOf(group), buffer.SealedLength()};
  SealGroup(head, buffer.data());
  const uint64_t length = PageCeil(head.bytes);
  const Status status = space_->WriteGroup(head.lsn, buffer.data(), length);
  writes_.fetch_add(1, std::memory_order_relaxed);              // Relaxed: a figure
  written_bytes_.fetch_add(length, std::memory_order_relaxed);  // Relaxed: a figure
  const MutexLock lock(&mutex_);
  if (!status.ok() && failed_.ok()) {
    failed_ = status;
  }
  written_[group % kGroups] = status.ok();
  // Relaxed: as above
  while (failed_.ok() && durable_ <= open_.load(std::memory_order_relaxed) &&
         written_[durable_ % kGroups]) {
    written_[durable_ % kGroups] = false;
    ++durable_;
  }
  TryOpenNext();
  changed_.NotifyAll();
}

Status SideLog::SetHead(uint64_t lsn) {
  const MutexLock head_lock(&head_mutex_);
  uint64_t kept = 0;
  {
    const MutexLock lock(&mutex_);
    kept = kept_head_;
    if (lsn <= kept || (!full_ && lsn - kept < log_bytes_ / 8)) {
      return Status::Ok();
    }
  }
  SideSuperblock superblock = space_->superblock();
  superblock.head = lsn;
  Status status = space_->WriteSuperblock(superblock);
  const MutexLock lock(&mutex_);
  if (status.ok()) {
    kept_head_ = lsn;
    TryOpenNext();
    changed_.NotifyAll();
  }
  return status;
}

}  // namespace lss

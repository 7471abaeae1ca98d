#include "lss/second_place/side_log.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "lss/base/check.h"

namespace lss {

SideLog::SideLog(std::unique_ptr<SideSpace> space, uint64_t in_flight)
    : space_(std::move(space)),
      log_bytes_(space_->log_bytes()),
      group_bytes_(space_->group_bytes()),
      in_flight_(in_flight) {}

Status SideLog::Open(std::unique_ptr<SideSpace> space, uint64_t end, LiveRecords wanted,
                     uint64_t in_flight, std::unique_ptr<SideLog>* result) {
  LSS_CHECK(in_flight >= 1 && in_flight <= kMaxInFlight, "a group is left for what comes");
  std::unique_ptr<SideLog> log(new SideLog(std::move(space), in_flight));
  Status status = log->Init(end, std::move(wanted));
  if (status.ok()) {
    *result = std::move(log);
  }
  return status;
}

Status SideLog::Init(uint64_t end, LiveRecords wanted) {
  for (Slot& slot : slots_) {
    if (!slot.memory.Reserve(group_bytes_)) {
      return Status::FromErrno("buffer writes to", space_->name(), -1, ENOMEM);
    }
    slot.buffer.Attach(slot.memory.data(), static_cast<uint32_t>(group_bytes_), &slot.base);
  }
  {
    const MutexLock lock(&live_mutex_);
    live_ = std::move(wanted);
  }
  return BeginEpoch(end);
}

Status SideLog::BeginEpoch(uint64_t end) {
  SideSuperblock superblock = space_->superblock();
  superblock.head = end;
  {
    const MutexLock lock(&live_mutex_);
    StreamName stream;
    if (!live_.empty()) {
      superblock.head = live_.oldest_lsn(&stream);
    }
  }
  if (superblock.epoch_count > 0) {
    superblock.epochs[superblock.epoch_count - 1].end = end;
  }
  superblock.DropDeadEpochs();
  if (superblock.epoch_count == SideSuperblock::kMaxEpochs) {
    return Status::NoSpace(
        space_->name() + " was opened " + std::to_string(SideSuperblock::kMaxEpochs) +
        " times while records of it are wanted; open their databases, or recover "
        "them with the tool");
  }
  epoch_ = superblock.epoch;
  writer_ = superblock.writer;
  // Writes that a dead writer had under way may still arrive: not where this one writes.
  const uint64_t begin = end + kMaxInFlight * group_bytes_;
  superblock.epochs[superblock.epoch_count++] = {epoch_, writer_, begin, SideEpoch::kOpen};
  if (Status status = space_->WriteSuperblock(superblock); !status.ok()) {
    return status;
  }
  const MutexLock lock(&mutex_);
  kept_head_ = superblock.head;
  next_lsn_ = begin;
  durable_lsn_ = begin;
  prepared_ = preparing_ = begin;
  TryOpenNext();
  return Status::Ok();
}

Status SideLog::Append(const SideRecord& record, uint64_t* group) {
  const size_t most = (group_bytes_ - kGroupHeaderBytes - kRecordHeadBytes) & ~size_t{7};
  SideRecord piece = record;
  size_t done = 0;
  do {
    piece.offset = record.offset + done;
    piece.bytes = {record.bytes.data + done, std::min(most, record.bytes.size - done)};
    if (Status status = AppendPiece(piece, group); !status.ok()) {
      return status;
    }
    done += piece.bytes.size;
  } while (done < record.bytes.size);
  return Status::Ok();
}

Status SideLog::AppendPiece(const SideRecord& piece, uint64_t* group) {
  const auto room = static_cast<uint32_t>(RecordRoom(piece.bytes.size));
  for (;;) {
    const uint64_t open = open_.load(std::memory_order_acquire);  // P50
    Slot& slot = SlotOf(open);
    const BufferReservation taken = slot.buffer.Reserve(room, GenerationOf(open));
    FlushDuty duty = taken.duty;
    if (taken.reserved) {
      EncodeRecord(piece, slot.buffer.data() + taken.offset);
      // Not `open`: who sleeps before it reserves may find a later group in the buffer. Relaxed: P1
      *group = slot.group.load(std::memory_order_relaxed);
      {
        const MutexLock lock(&live_mutex_);
        live_.Add(piece.stream, piece.offset + piece.bytes.size,
                  slot.lsn.load(std::memory_order_relaxed));  // Relaxed: P1
      }
      duty = slot.buffer.Leave();
    }
    if (duty == FlushDuty::kMustFlush) {
      Write(&slot);
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
  bool moved_head = false;
  MutexLock lock(&mutex_);
  for (;;) {
    TryOpenNext();
    if (!failed_.ok()) {
      return failed_;
    }
    // Relaxed: who opens a group holds the mutex
    if (open_.load(std::memory_order_relaxed) != group) {
      return Status::Ok();
    }
    if (full_ && moved_head) {
      return Status::NoSpace(space_->name() + " is full of records whose files are behind");
    }
    if (full_) {
      lock.Unlock();
      MoveHead(true);
      lock.Lock();
      moved_head = true;
      continue;
    }
    opened_.Wait(&mutex_);
  }
}

void SideLog::TryOpenNext() {
  const uint64_t open = open_.load(std::memory_order_relaxed);  // Relaxed: as above
  const uint64_t next = open + 1;
  if (!failed_.ok() || next >= durable_ + kGroups) {
    return;
  }
  if (open > 0) {
    Slot& sealed = SlotOf(open);
    if (!sealed.buffer.IsSealed(GenerationOf(open))) {
      return;
    }
    sealed.buffer.AwaitSealed(GenerationOf(open));
    next_lsn_ =
        sealed.lsn.load(std::memory_order_relaxed) +  // Relaxed: who stores it has the mutex
        PageCeil(sealed.buffer.SealedLength());
  }
  const uint64_t lsn = NextGroupAt(next_lsn_, log_bytes_, group_bytes_);
  full_ = lsn + group_bytes_ - kept_head_ > log_bytes_;
  const bool in_zeros =
      prepared_ < preparing_ && lsn < preparing_ && lsn + group_bytes_ > prepared_;
  if (full_ || in_zeros) {
    return;
  }
  Slot& slot = SlotOf(next);
  slot.written = false;
  slot.group.store(next, std::memory_order_relaxed);  // Relaxed: P1 publishes it
  slot.lsn.store(lsn, std::memory_order_relaxed);     // Relaxed: P1 publishes it
  slot.buffer.Reopen(lsn, GenerationOf(next), kGroupHeaderBytes);
  open_.store(next, std::memory_order_release);  // P50
  opened_.NotifyAll();
}

Status SideLog::Sync(uint64_t group) {
  Slot& slot = SlotOf(group);
  MutexLock lock(&mutex_);
  while (durable_ <= group) {
    if (!failed_.ok()) {
      return failed_;
    }
    // While those before it are written, others add to it: one write will do for all of them.
    const bool may_seal = group - durable_ < in_flight_;
    if (may_seal && !slot.buffer.IsSealed(GenerationOf(group))) {
      const FlushDuty duty = slot.buffer.Seal(GenerationOf(group));
      TryOpenNext();
      if (duty == FlushDuty::kMustFlush) {
        lock.Unlock();
        Write(&slot);
        lock.Lock();
      }
      continue;
    }
    slot.synced.Wait(&mutex_);
  }
  return Status::Ok();
}

void SideLog::Write(Slot* slot) {
  const uint64_t group = slot->group.load(std::memory_order_relaxed);  // Relaxed: the duty holds it
  slot->buffer.AwaitSealed(GenerationOf(group));
  GroupHead head = {epoch_, writer_, slot->lsn.load(std::memory_order_relaxed), 0,
                    slot->buffer.SealedLength()};  // Relaxed: as above
  {
    const MutexLock lock(&mutex_);
    head.durable = durable_lsn_;
    TryOpenNext();
  }
  SealGroup(head, slot->buffer.data());
  const uint64_t length = PageCeil(head.bytes);
  const Status status = space_->WriteGroup(head.lsn, slot->buffer.data(), length);
  writes_.fetch_add(1, std::memory_order_relaxed);              // Relaxed: a figure
  written_bytes_.fetch_add(length, std::memory_order_relaxed);  // Relaxed: a figure
  const MutexLock lock(&mutex_);
  if (!status.ok()) {
    FailAll(status);
    return;
  }
  slot->written = true;
  AdvanceDurable();
  TryOpenNext();
}

void SideLog::AdvanceDurable() {
  while (failed_.ok() && SlotOf(durable_).written) {
    Slot& slot = SlotOf(durable_);
    slot.written = false;
    durable_lsn_ =
        slot.lsn.load(std::memory_order_relaxed) +  // Relaxed: who stores it has the mutex
        PageCeil(slot.buffer.SealedLength());
    ++durable_;
    slot.synced.NotifyAll();
  }
  // One of those who wait for the next that may be sealed will do it.
  SlotOf(open_.load(std::memory_order_relaxed)).synced.NotifyOne();  // Relaxed: as above
}

void SideLog::FailAll(const Status& status) {
  if (failed_.ok()) {
    // A full device is no full log: nobody can make room in it.
    const bool is_full = status.code() == Status::Code::kNoSpace;
    failed_ = is_full ? Status::IoError(status.message()) : status;
  }
  for (Slot& slot : slots_) {
    slot.synced.NotifyAll();
  }
  opened_.NotifyAll();
}

void SideLog::FileDurable(const StreamName& stream, Address end) {
  {
    const MutexLock lock(&live_mutex_);
    live_.FileDurable(stream, end);
  }
  FindRoom();
}

void SideLog::Forget(const StreamName& stream) {
  {
    const MutexLock lock(&live_mutex_);
    live_.Forget(stream);
  }
  FindRoom();
}

void SideLog::FindRoom() {
  uint64_t head = 0;
  if (room_is_due_ == nullptr) {
    MoveHead(false);
  } else if (WantedHead(/*all=*/false, &head)) {
    room_is_due_();
  }
}

void SideLog::ForgetDatabase(const Uuid& database) {
  {
    const MutexLock lock(&live_mutex_);
    live_.ForgetDatabase(database);
  }
  MoveHead(true);
}

bool SideLog::Oldest(StreamName* stream) const {
  const MutexLock lock(&live_mutex_);
  if (live_.empty()) {
    return false;
  }
  (void)live_.oldest_lsn(stream);
  return true;
}

uint64_t SideLog::durable_lsn() const {
  const MutexLock lock(&mutex_);
  return durable_lsn_;
}

uint64_t SideLog::RoomUsed() const {
  const uint64_t end = durable_lsn();
  const MutexLock lock(&live_mutex_);
  StreamName stream;
  return live_.empty() ? 0 : end - std::min(end, live_.oldest_lsn(&stream));
}

void SideLog::CheckOwner() {
  const MutexLock head_lock(&head_mutex_);  // nor while this one writes a superblock itself
  const Status status = space_->CheckOwner();
  if (status.code() == Status::Code::kClosed) {
    const MutexLock lock(&mutex_);
    FailAll(status);
  }
}

Status SideLog::PrepareAhead(uint64_t ahead) {
  constexpr uint64_t kChunkBytes = 1 << 20;
  if (zeros_.size() == 0) {
    if (!zeros_.Reserve(kChunkBytes)) {
      return Status::FromErrno("prepare", space_->name(), -1, ENOMEM);
    }
    memset(zeros_.data(), 0, kChunkBytes);
  }
  for (;;) {
    uint64_t begin = 0;
    uint64_t end = 0;
    {
      const MutexLock lock(&mutex_);
      // Not where groups are that are being written, or will be before this is done.
      // Relaxed: who stores them has the mutex.
      const uint64_t open =
          SlotOf(open_.load(std::memory_order_relaxed)).lsn.load(std::memory_order_relaxed);
      begin = std::max(prepared_, std::max(open, next_lsn_) + 8 * group_bytes_);
      end = std::min(begin + kChunkBytes, log_bytes_);  // later laps find written blocks
      if (begin >= end || begin > open + ahead) {
        return failed_;
      }
      prepared_ = begin;
      preparing_ = end;
    }
    Status status = space_->WriteZeros(begin, zeros_.data(), end - begin);
    const MutexLock lock(&mutex_);
    prepared_ = preparing_ = end;
    TryOpenNext();
    if (!status.ok()) {
      return status;
    }
  }
}

bool SideLog::WantedHead(bool all, uint64_t* head) const {
  uint64_t kept = 0;
  {
    // Before the records: one that is appended later is in a group that was not durable here.
    const MutexLock lock(&mutex_);
    if (!failed_.ok()) {
      return false;
    }
    kept = kept_head_;
    *head = durable_lsn_;
  }
  const MutexLock lock(&live_mutex_);
  StreamName stream;
  if (!live_.empty()) {
    *head = std::min(*head, live_.oldest_lsn(&stream));
  }
  return *head > kept && (all || *head - kept >= log_bytes_ / 8);
}

void SideLog::MoveHead(bool all) {
  uint64_t head = 0;
  if (!WantedHead(all, &head)) {
    return;
  }
  const MutexLock head_lock(&head_mutex_);
  if (!WantedHead(all, &head)) {
    return;
  }
  SideSuperblock superblock = space_->superblock();
  superblock.head = head;
  superblock.DropDeadEpochs();
  const Status status = space_->WriteSuperblock(superblock);
  const MutexLock lock(&mutex_);
  if (!status.ok()) {
    FailAll(status);
    return;
  }
  kept_head_ = head;
  TryOpenNext();
}

}  // namespace lss

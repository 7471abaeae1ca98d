#include "lss/stream/tail_writer.h"

#include <algorithm>
#include <cstring>

#include "lss/base/check.h"

namespace lss {

TailWriter::TailWriter(Device* device, RingMemory* memory, FlushBufferRing* ring,
                       FlushPipeline* pipeline, Space* space, const StreamOptions& options)
    : device_(device),
      memory_(memory),
      ring_(ring),
      pipeline_(pipeline),
      space_(space),
      may_use_direct_io_(options.use_direct_io),
      exact_size_when_synced_(options.exact_size_when_synced),
      settle_predecessors_(options.settle_predecessors),
      tail_page_(new Page) {}

Status TailWriter::Sync() {
  sync_count_.fetch_add(1, std::memory_order_relaxed);
  return pipeline_->SyncTo(committed(), [this] { return SyncOnce(); });
}

Status TailWriter::SyncOnce() {
  // Read again under exclusive access: this run also covers whoever appended while it waited.
  const Address end = committed();
  Status status = hot() ? SyncHot(end) : SyncCold(end);
  if (status.ok()) {
    pipeline_->MakeDurable(end);
  }
  return status;
}

// C4: until the sync is done the bytes count only as far as the ring lives.
Status TailWriter::SyncCold(Address end) {
  if (Status status = WriteExact(end); !status.ok()) {
    return status;
  }
  if (Status status = device_->Sync(); !status.ok()) {
    return status;
  }
  pipeline_->OnFullSync();
  return Status::Ok();
}

Status TailWriter::SyncHot(Address end) {
  // A durable write vouches for its own bytes only (with FUA the device's cache is not flushed). So
  // it is enough if nothing else is pending; otherwise the tail goes down plain, and a full sync
  // after it covers both, and the file's size.
  const bool full_sync = exact_size_when_synced_ || pipeline_->plain_writes_unsynced() ||
                         pipeline_->hi_stable() >= end;
  if (Status status = WritePages(end, full_sync ? WriteKind::kPlain : WriteKind::kDurable);
      !status.ok()) {
    return status;
  }
  if (exact_size_when_synced_) {  // C17
    if (Status status = CutToTail(end); !status.ok()) {
      return status;
    }
  }
  if (full_sync) {
    if (Status status = device_->Sync(); !status.ok()) {
      return status;
    }
    pipeline_->OnFullSync();
  }
  return Status::Ok();
}

Status TailWriter::CutToTail(Address end) {
  // An append under way may have sealed buffers in the file beyond what is committed.
  return space_->CutTo(std::max(end, pipeline_->WrittenEnd()));
}

// Once: before any byte of ours is in the file. Whoever appends to us has finished with them.
Status TailWriter::SettlePredecessors(bool durable) {
  const Settled wanted = durable ? Settled::kDurable : Settled::kWritten;
  if (settle_predecessors_ == nullptr ||
      predecessors_.load(std::memory_order_acquire) >= wanted) {  // P16
    return Status::Ok();
  }
  Status status = settle_predecessors_(durable);
  if (status.ok()) {
    predecessors_.store(wanted, std::memory_order_release);  // P16
  }
  return status;
}

// Exactly the bytes, through the page cache: the file's size follows the data, as with stock.
Status TailWriter::WriteExact(Address end) {
  const Address begin = pipeline_->hi_stable();
  if (begin >= end) {
    return Status::Ok();
  }
  if (Status status = SettlePredecessors(/*durable=*/false); !status.ok()) {
    return status;
  }
  pieces_.clear();
  ring_->Gather(begin, end, &pieces_);
  if (Status status = WritePieces(begin, WriteKind::kPlain); !status.ok()) {
    return status;
  }
  pipeline_->OnTailWritten(begin, end, WriteKind::kPlain);
  return Status::Ok();
}

// Asked twice: zeros in place of what was lost shall not get into the file, and if they have come
// to be there meanwhile, they shall not be taken for bytes.
Status TailWriter::WritePieces(Address begin, WriteKind kind) {
  const auto lost = [this] { return memory_->failed() && LostPieces(); };
  if (lost()) {
    return memory_->Failure();
  }
  if (Status status = device_->Write(pieces_, begin, kind); !status.ok()) {
    return status;
  }
  return lost() ? memory_->Failure() : Status::Ok();
}

bool TailWriter::LostPieces() const {
  return std::any_of(pieces_.begin(), pieces_.end(), [this](const iovec& piece) {
    return memory_->Lost(static_cast<const char*>(piece.iov_base), piece.iov_len);
  });
}

// Whole pages from the page of the watermark on; the last one from a private copy, zero padded. The
// first may hold durable bytes, which are written again unchanged (C8).
Status TailWriter::WritePages(Address end, WriteKind kind) {
  const Address stable = pipeline_->hi_stable();
  if (stable >= end) {
    return Status::Ok();
  }
  const Address begin = PageFloor(stable);
  const Address whole = PageFloor(end);
  pieces_.clear();
  if (whole > begin) {
    ring_->Gather(begin, whole, &pieces_);
  }
  if (end > whole) {
    const size_t copied = ring_->CopyOut(whole, end - whole, end, tail_page_->bytes);
    LSS_CHECK(copied == end - whole, "bytes above the watermark have left the ring");
    if (memory_->AnyLost()) {
      return memory_->Failure();
    }
    std::memset(tail_page_->bytes + (end - whole), 0, kPageBytes - (end - whole));
    pieces_.push_back({tail_page_->bytes, kPageBytes});
  }
  if (Status status = space_->PrepareForWrite(end); !status.ok()) {
    return status;
  }
  if (Status status = WritePieces(begin, kind); !status.ok()) {
    return status;
  }
  pipeline_->OnTailWritten(begin, end, kind);
  return Status::Ok();
}

void TailWriter::TryWriteOut() {
  const FlushPipeline::Exclusive exclusive = FlushPipeline::Exclusive::Try(pipeline_);
  if (!exclusive.valid()) {
    return;  // somebody is writing anyway
  }
  const Status status = WriteTail(committed());
  if (!status.ok()) {
    pipeline_->Fail(status);
  }
}

Status TailWriter::WriteThrough(Address at, ByteView bytes) {
  const FlushPipeline::Exclusive exclusive(pipeline_);
  return WriteThroughAlone(at, bytes);
}

Status TailWriter::WriteThroughAlone(Address at, ByteView bytes) {
  if (pipeline_->failed()) {
    return pipeline_->error();
  }
  space_->StopZeroing();
  device_->BypassCache(false);
  Status status = WriteExact(at);
  if (status.ok()) {
    status = WriteBehind(at, bytes);
  }
  const Address end = std::max<Address>(at + bytes.size, pipeline_->WrittenEnd());
  if (status.ok() && space_->ReachesBeyond(end)) {
    status = CutToTail(end);
  }
  if (status.ok() && !left_ring_) {
    status = LeaveRing();
  }
  if (!status.ok() && status.code() != Status::Code::kNoSpace) {
    pipeline_->Fail(status);
  }
  return status;
}

// From the caller's own memory: what the ring has of these bytes does not count.
Status TailWriter::WriteBehind(Address at, ByteView bytes) {
  const Address begin = std::max(at, pipeline_->hi_stable());
  const Address end = at + bytes.size;
  if (begin >= end) {
    return Status::Ok();  // all of a record larger than the ring had been written
  }
  Status status = SettlePredecessors(/*durable=*/false);
  if (status.ok()) {
    const iovec piece = {const_cast<char*>(bytes.data) + (begin - at), end - begin};
    status = device_->Write({piece}, begin, WriteKind::kPlain);
  }
  if (status.ok()) {
    pipeline_->OnTailWritten(begin, end, WriteKind::kPlain);
  }
  return status;
}

// Nobody needs the ring any more, and it must not tell of a past that the file has left behind.
// Where there were zeros behind the tail, not before they are gone from the device. And not before
// older streams are in their files: a log without a ring makes their rings look outdated.
Status TailWriter::LeaveRing() {
  if (!SettlePredecessors(/*durable=*/false).ok()) {
    return Status::Ok();  // another time; what is wrong there is said there
  }
  if (hot()) {
    if (Status status = device_->Sync(); !status.ok()) {
      return status;
    }
    pipeline_->OnFullSync();
  }
  memory_->Remove();
  left_ring_ = true;
  return Status::Ok();
}

void TailWriter::MakeHot() {
  if (hot() || pipeline_->failed()) {
    return;
  }
  if (memory_->failed()) {
    pipeline_
        ->AllowWrites();  // cold for good; a record larger than the ring may be waiting for room
    return;
  }
  // Before the first zero behind the tail, there must be a ring on the device that tells of it
  // (C5). The flusher cannot wait for other streams, so they are settled here, before it gets
  // anything.
  Status status = memory_->MakeHeaderDurable();
  if (memory_->failed()) {
    pipeline_->AllowWrites();
    return;
  }
  if (status.ok()) {
    status = SettlePredecessors(/*durable=*/true);
  }
  {
    const FlushPipeline::Exclusive exclusive(pipeline_);
    if (finished_) {
      return;  // closed meanwhile, and its ring removed
    }
    if (!status.ok()) {
      pipeline_->Fail(status);
      return;
    }
    if (may_use_direct_io_ && prefer_direct_io_.load(std::memory_order_relaxed)) {
      device_->BypassCache(true);
    }
    hot_.store(true, std::memory_order_release);  // P13
  }
  pipeline_->AllowWrites();
}

void TailWriter::Tick() {
  if (memory_->failed()) {
    // What it still holds goes to the file while it can. The next append says what is wrong. Without
    // a byte it holds nothing, and what comes before it may still be growing.
    if (committed() == 0) {
      return;
    }
    const FlushPipeline::Exclusive exclusive = FlushPipeline::Exclusive::Try(pipeline_);
    if (exclusive.valid()) {
      (void)WriteThroughAlone(committed(), {nullptr, 0});
    }
    return;
  }
  const TailAge::Look look = age_.At(committed(), pipeline_->hi_stable());
  if (look.due && !pipeline_->failed()) {
    TryWriteOut();
  }
  if (look.accepted_bytes == 0) {
    return;  // a store to the ring would have the kernel write it back, again and again
  }
  // The kernel writes the ring's pages back now and then, and makes them fault on the next store; a
  // fault can wait for the file system's journal. Better here than in somebody's append. Not more
  // than is soon needed: what is made writable counts as written to.
  if (hot()) {
    ring_->PrefaultNext(2 * look.accepted_bytes);
  }
}

Status TailWriter::WriteTail(Address end) {
  return hot() ? WritePages(end, WriteKind::kPlain) : WriteExact(end);
}

Status TailWriter::Settle() {
  const FlushPipeline::Exclusive exclusive(pipeline_);
  if (pipeline_->failed()) {
    return pipeline_->error();
  }
  const Address end = committed();
  Status status = WriteTail(end);
  if (status.ok() && hot()) {
    status = CutToTail(end);
  }
  if (!status.ok()) {
    pipeline_->Fail(status);
  }
  return status;
}

Status TailWriter::WriteOut() {
  if (pipeline_->hi_stable() >= committed()) {
    return Status::Ok();
  }
  const FlushPipeline::Exclusive exclusive(pipeline_);
  if (pipeline_->failed()) {
    return pipeline_->error();
  }
  Status status = WriteTail(committed());
  if (!status.ok()) {
    pipeline_->Fail(status);
  }
  return status;
}

Status TailWriter::Finish() {
  space_->StopZeroing();
  const FlushPipeline::Exclusive exclusive(pipeline_);
  finished_ = true;
  if (pipeline_->failed()) {
    return pipeline_->error();
  }
  const Address end = committed();
  Status status;
  if (hot()) {
    // Through the page cache: a close promises visible, not durable, and must not wait for the
    // device. Whole pages, so that the kernel need not read the page first.
    device_->BypassCache(false);
    status = WritePages(end, WriteKind::kPlain);
  } else {
    status = WriteExact(end);
  }
  if (status.ok()) {
    status = space_->Finish(end);  // C12: until then zeros lie behind the tail
  }
  if (!status.ok()) {
    pipeline_->Fail(status);
  }
  return status;
}

}  // namespace lss

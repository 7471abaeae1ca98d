#include "lss/stream/tail_writer.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "lss/base/check.h"
#include "lss/base/clock.h"

namespace lss {
namespace {

// What keeps a stream from being hot may pass; asking with every buffer would not help it.
constexpr int64_t kHeatAgainNs = 1'000'000'000;

}  // namespace

TailWriter::TailWriter(Device* device, RingMemory* memory, FlushBufferRing* ring,
                       FlushPipeline* pipeline, Space* space, const StreamOptions& options,
                       StreamFigures* figures)
    : device_(device),
      memory_(memory),
      ring_(ring),
      pipeline_(pipeline),
      space_(space),
      figures_(figures),
      may_use_direct_io_(options.use_direct_io),
      exact_size_when_synced_(options.exact_size_when_synced),
      settle_predecessors_(options.settle_predecessors),
      tail_page_(new Page) {}

Status TailWriter::Sync() {
  sync_count_.fetch_add(1, std::memory_order_relaxed);
  return pipeline_->SyncTo(committed(), [this] { return WriteForSync(); });
}

FlushPipeline::SyncStep TailWriter::WriteForSync() {
  // Read again under exclusive access: this run also covers whoever appended while it waited.
  const Address end = committed();
  if (Status status = RewriteUnsynced(); !status.ok()) {
    return {status};
  }
  if (hot()) {
    return WriteForHotSync(end);
  }
  // C4: until the sync is done the bytes count only as far as the ring lives.
  return {WriteExact(end), end, /*sync_device=*/true};
}

FlushPipeline::SyncStep TailWriter::WriteForHotSync(Address end) {
  // A durable write vouches for its own bytes only (with FUA the device's cache is not flushed). So
  // it is enough if nothing else is pending; otherwise the tail goes down plain, and a full sync
  // after it covers both, and the file's size.
  const bool full_sync = exact_size_when_synced_ || pipeline_->plain_writes_unsynced() ||
                         pipeline_->hi_stable() >= end;
  Status status = WritePages(end, full_sync ? WriteKind::kPlain : WriteKind::kDurable);
  if (status.ok() && exact_size_when_synced_) {  // C17
    status = CutToTail(end);
  }
  return {status, end, full_sync, /*alone=*/true};
}

// After a failed sync the file may lack bytes that were written, and the next sync would not tell:
// so they are written again before it, out of the ring.
Status TailWriter::RewriteUnsynced() {
  if (!pipeline_->TakeDoubt()) {
    return Status::Ok();
  }
  Status status = RewriteFrom(PageFloor(pipeline_->durable()), pipeline_->hi_stable());
  if (!status.ok()) {
    pipeline_->PutDoubtBack();
  }
  return status;
}

// Copied, because the buffers may be reopened meanwhile. What has left the ring is lost to us, and
// then the error is final.
Status TailWriter::RewriteFrom(Address at, Address end) {
  for (; at < end; at += kPageBytes) {
    const size_t length = std::min(end - at, kPageBytes);
    if (memory_->failed() || ring_->CopyOut(at, length, end, tail_page_->bytes) < length) {
      Status lost =
          Status::FromErrno("sync again", device_->name(), static_cast<int64_t>(at), ENOSPC);
      pipeline_->Fail(lost);
      return lost;
    }
    const bool whole_page = hot() && WholePages(end);
    const size_t written = whole_page ? kPageBytes : length;
    std::memset(tail_page_->bytes + length, 0, kPageBytes - length);
    if (Status status = device_->Write({{tail_page_->bytes, written}}, at, WriteKind::kPlain);
        !status.ok()) {
      return status;
    }
    figures_->written(WrittenAs::kAgain).Add(written);
  }
  pipeline_->OnTailWritten(end, end, WriteKind::kPlain);
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
Status TailWriter::WriteBytes(Address begin, Address end) {
  if (begin >= end) {
    return Status::Ok();
  }
  if (Status status = SettlePredecessors(/*durable=*/false); !status.ok()) {
    return status;
  }
  pieces_.clear();
  ring_->Gather(begin, end, &pieces_);
  if (Status status = WritePieces(begin, end - begin, WriteKind::kPlain); !status.ok()) {
    return status;
  }
  pipeline_->OnTailWritten(begin, end, WriteKind::kPlain);
  return Status::Ok();
}

// Asked twice: zeros in place of what was lost shall not get into the file, and if they have come
// to be there meanwhile, they shall not be taken for bytes.
Status TailWriter::WritePieces(Address begin, uint64_t fresh, WriteKind kind) {
  const auto lost = [this] { return memory_->failed() && LostPieces(); };
  if (lost()) {
    return FailForLostBytes();
  }
  if (Status status = WriteTimed(begin, kind); !status.ok()) {
    return status;
  }
  CountPieces(fresh);
  return lost() ? FailForLostBytes() : Status::Ok();
}

Status TailWriter::WriteTimed(Address begin, WriteKind kind) {
  if (kind == WriteKind::kPlain) {
    return device_->Write(pieces_, begin, kind);
  }
  const Stopwatch watch(&figures_->wait(WaitFor::kDevice));
  return device_->Write(pieces_, begin, kind);
}

void TailWriter::CountPieces(uint64_t fresh) {
  uint64_t written = 0;
  for (const iovec& piece : pieces_) {
    written += piece.iov_len;
  }
  figures_->written(WrittenAs::kTail).Add(fresh);
  figures_->written(WrittenAs::kAgain).Add(written - fresh);
}

bool TailWriter::LostPieces() const {
  return std::any_of(pieces_.begin(), pieces_.end(), [this](const iovec& piece) {
    return memory_->Lost(static_cast<const char*>(piece.iov_base), piece.iov_len);
  });
}

Status TailWriter::FailForLostBytes() {
  pipeline_->Fail(memory_->Failure());
  return pipeline_->error();
}

bool TailWriter::WholePages(Address end) {
  const bool whole = space_->MayWritePageOf(end);
  if (!whole) {
    device_->BypassCache(false);  // the process's size limit ends inside the page
  }
  return whole;
}

// The last page from a private copy, zero padded if it is written as a whole.
Status TailWriter::Collect(Address begin, Address end, bool whole_page) {
  const Address whole = PageFloor(end);
  pieces_.clear();
  if (whole > begin) {
    ring_->Gather(begin, whole, &pieces_);
  }
  if (end > whole) {
    const size_t copied = ring_->CopyOut(whole, end - whole, end, tail_page_->bytes);
    LSS_CHECK(copied == end - whole, "bytes above the watermark have left the ring");
    if (memory_->AnyLost()) {
      return FailForLostBytes();
    }
    std::memset(tail_page_->bytes + (end - whole), 0, kPageBytes - (end - whole));
    pieces_.push_back({tail_page_->bytes, whole_page ? kPageBytes : end - whole});
  }
  return Status::Ok();
}

// Whole pages from the page of the watermark on. The first may hold durable bytes, which are
// written again unchanged (C8).
Status TailWriter::WritePages(Address end, WriteKind kind) {
  const Address stable = pipeline_->hi_stable();
  if (stable >= end) {
    return Status::Ok();
  }
  const Address begin = PageFloor(stable);
  if (Status status = Collect(begin, end, WholePages(end)); !status.ok()) {
    return status;
  }
  space_->PrepareForWrite(end);
  if (Status status = WritePieces(begin, end - stable, kind); !status.ok()) {
    return status;
  }
  pipeline_->OnTailWritten(begin, end, kind);
  return Status::Ok();
}

Status TailWriter::WriteTail(Address end) {
  Status status = RewriteUnsynced();
  if (status.ok()) {
    status = hot() ? WritePages(end, WriteKind::kPlain) : WriteExact(end);
  }
  return FinalUnlessPassing(status);
}

Status TailWriter::FinalUnlessPassing(const Status& status) {
  if (!status.ok() && !status.IsPassing()) {
    pipeline_->Fail(status);
  }
  return status;
}

void TailWriter::TryWriteOut() {
  const FlushPipeline::Exclusive exclusive = FlushPipeline::Exclusive::Try(pipeline_);
  if (exclusive.valid()) {         // otherwise somebody is writing anyway
    (void)WriteTail(committed());  // what passes is tried again
  }
}

// Before the first zero behind the tail, there must be a ring on the device that tells of it (C5).
// The flusher cannot wait for other streams, so they are settled here, before it gets anything.
Status TailWriter::PrepareHeat() {
  Status status = memory_->MakeHeaderDurable();
  return status.ok() ? SettlePredecessors(/*durable=*/true) : status;
}

bool TailWriter::MakeHot() {
  const MutexLock heating(&heating_);
  if (hot() || pipeline_->failed()) {
    return false;
  }
  if (SteadyNowNs() < heat_again_ns_ || memory_->failed()) {
    StayCold();
    return false;
  }
  if (!PrepareHeat().ok()) {
    heat_again_ns_ = SteadyNowNs() + kHeatAgainNs;
    StayCold();
    return false;
  }
  const FlushPipeline::Exclusive exclusive(pipeline_);
  if (finished_) {
    return false;  // closed meanwhile, and its ring removed
  }
  if (may_use_direct_io_ && prefer_direct_io_.load(std::memory_order_relaxed)) {
    device_->BypassCache(true);
  }
  space_->Resume();
  leaves_zeros_ = true;
  hot_.store(true, std::memory_order_release);  // P13
  figures_->is_hot.Set(1);
  pipeline_->OnPastCache();
  pipeline_->AllowWrites(FlushPipeline::Gate::kHot);
  return true;
}

void TailWriter::Tick() {
  if (memory_->failed()) {
    // What it still holds goes to the file while it can. The next append says what is wrong.
    // Without a byte it holds nothing, and what comes before it may still be growing.
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
  if (pipeline_->writes_allowed()) {
    ring_->PrefaultNext(2 * look.accepted_bytes);
  }
}

Status TailWriter::SyncFinished() {
  const FlushPipeline::Exclusive exclusive(pipeline_);
  Status status = pipeline_->SyncWritten();
  if (!status.ok()) {
    pipeline_->Fail(status);  // whoever still waits for a sync will not be told of it by the kernel
  }
  return status;
}

Status TailWriter::Settle() {
  const FlushPipeline::Exclusive exclusive(pipeline_);
  if (pipeline_->failed()) {
    return pipeline_->error();
  }
  const Address end = committed();
  Status status = WriteTail(end);
  if (status.ok() && (hot() || space_->ReachesBeyond(end))) {
    status = FinalUnlessPassing(CutToTail(end));
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
  return WriteTail(committed());
}

Status TailWriter::Finish() {
  space_->StopZeroing();
  const FlushPipeline::Exclusive exclusive(pipeline_);
  finished_ = true;
  if (pipeline_->failed()) {
    return pipeline_->error();
  }
  const Address end = committed();
  if (hot()) {
    // Through the page cache: a close promises visible, not durable, and must not wait for the
    // device. Whole pages, so that the kernel need not read the page first.
    device_->BypassCache(false);
  }
  Status status = WriteTail(end);
  if (status.ok()) {
    status = space_->Finish(end);  // C12: until then zeros lie behind the tail
  }
  if (!status.ok()) {
    pipeline_->Fail(status);  // nobody will try again
  }
  return status;
}

}  // namespace lss

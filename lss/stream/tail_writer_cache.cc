// A stream that goes through the page cache: because it is not hot yet, or outruns its device.
#include "lss/stream/tail_writer.h"

namespace lss {

void TailWriter::WriteThroughCache() {
  const MutexLock heating(&heating_);
  if (!hot() && !pipeline_->failed()) {
    StayCold();
  }
}

// No byte of the stream is touched by what keeps it from being hot: it goes on as stock would.
void TailWriter::StayCold() {
  // The flusher cannot wait for other streams.
  const Status status = SettlePredecessors(/*durable=*/false);
  if (status.ok()) {
    pipeline_->AllowWrites(FlushPipeline::Gate::kCold);
  } else {
    pipeline_->Refuse(status);
  }
}

bool TailWriter::Relieve(FlushPipeline::Relief relief) {
  const FlushPipeline::Exclusive exclusive(pipeline_);
  const bool cools = hot() && relief == FlushPipeline::Relief::kOutruns;
  if (finished_ || pipeline_->failed() || (hot() && !cools)) {
    return false;
  }
  Status status = cools ? CoolDown() : Status::Ok();
  if (status.ok()) {
    status = RewriteUnsynced();
  }
  const Address stable = pipeline_->hi_stable();
  if (const Address end = pipeline_->SealedEnd(); status.ok() && end > stable) {
    // Whole pages, or the page cache would have to read them first. What is sealed ends with one.
    status = WriteBytes(cools ? PageFloor(stable) : stable, end);
  }
  if (!FinalUnlessPassing(status).ok()) {
    pipeline_->Refuse(status);  // who waits is told
  }
  return cools;
}

// First the cut, then bytes behind it: a file that has shrunk would have to write out what is
// dirty. Zeros lie behind the tail on the device until SyncCut (C18).
Status TailWriter::CoolDown() {
  device_->BypassCache(false);
  Status status = space_->Rest(pipeline_->WrittenEnd());
  hot_.store(false, std::memory_order_release);  // P13
  figures_->is_hot.Set(0);
  figures_->outran_device.Add();
  ++times_cooled_;
  pipeline_->OnThroughCache();
  return status;
}

// On a way of its own: of write-backs that have failed, the stream's own syncs must be told.
void TailWriter::SyncCut() {
  uint64_t times_cooled = 0;
  {
    const FlushPipeline::Exclusive exclusive(pipeline_);
    times_cooled = times_cooled_;
    if (hot() || finished_) {
      return;
    }
  }
  std::unique_ptr<Device> aside;
  if (!device_->OpenAside(&aside).ok() || !aside->Sync().ok()) {
    return;  // the close will see to it
  }
  const FlushPipeline::Exclusive exclusive(pipeline_);
  if (!hot() && !finished_ && times_cooled == times_cooled_) {
    leaves_zeros_ = false;
  }
}

}  // namespace lss

// A stream whose ring has failed: its bytes go straight to the file.
#include <algorithm>

#include "lss/stream/tail_writer.h"

namespace lss {

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
  return FinalUnlessPassing(status);
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
    figures_->written(WrittenAs::kTail).Add(end - begin);
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
  if (leaves_zeros_) {
    if (Status status = pipeline_->SyncWritten(); !status.ok()) {
      return status;
    }
    leaves_zeros_ = false;
  }
  memory_->Remove();
  figures_->left_ring.Add();
  left_ring_ = true;
  return Status::Ok();
}

}  // namespace lss

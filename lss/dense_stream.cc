#include "lss/dense_stream.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace lss {

Status DenseStream::Open(Runtime* runtime, const std::string& path, const StoreOptions& options,
                         OpenMode mode, std::shared_ptr<DenseStream>* result) {
  Parts parts;
  Status status = Prepare(runtime, path, options, mode, &parts);
  return status.ok() ? Finish(std::move(parts), result) : status;
}

Status DenseStream::Open(Runtime* runtime, std::unique_ptr<Device> device,
                         const StoreOptions& options, std::shared_ptr<DenseStream>* result) {
  Parts parts;
  Status status = Prepare(runtime, std::move(device), options, &parts);
  return status.ok() ? Finish(std::move(parts), result) : status;
}

Status DenseStream::Finish(Parts parts, std::shared_ptr<DenseStream>* result) {
  const Address size = parts.size;
  std::shared_ptr<DenseStream> stream(new DenseStream(std::move(parts), PageFloor(size)));
  if (Status status = stream->AdoptTail(size); !status.ok()) {
    stream->memory()->Remove();
    return status;
  }
  stream->MayStayCold();
  stream->Start();
  *result = std::move(stream);
  return Status::Ok();
}

// The partial last page of an existing file is in the first buffer's memory already, where
// appending goes on; the buffer's state does not know of it yet.
Status DenseStream::AdoptTail(Address size) {
  const auto partial = static_cast<uint32_t>(size - PageFloor(size));
  char page[kPageBytes];
  std::memcpy(page, memory()->buffer(0), partial);
  if (Status status = CopyIn(page, partial); !status.ok()) {
    return status;
  }
  accepted_end_.store(size, std::memory_order_release);  // P15
  return Status::Ok();
}

Status DenseStream::Append(ByteView bytes) {
  Status status = AppendUncounted(bytes);
  if (status.ok()) {
    figures()->appends.AddAlone();
    figures()->appended_bytes.AddAlone(bytes.size);
  }
  return status;
}

Status DenseStream::AppendUncounted(ByteView bytes) {
  if (pipeline()->failed()) {
    return pipeline()->error();
  }
  if (closed()) {
    return Status::Closed("append to " + path() + " after close");
  }
  if (!broken_off_.ok()) {
    return broken_off_;
  }
  const Address begin = accepted_end_.load(std::memory_order_relaxed);  // our own
  const Address end = begin + bytes.size;
  // Space is real before bytes are accepted.
  if (Status status = EnsureSpace(end); !status.ok()) {
    return status;
  }
  // So is room in the ring.
  if (Status status = pipeline()->AwaitStable(ring()->StableBefore(bytes.size)); !status.ok()) {
    return status;
  }
  memory()->AwaitThaw();
  accepted_end_.store(end, std::memory_order_release);  // P15
  if (!memory()->failed()) {
    if (Status status = CopyIn(bytes.data, bytes.size); !status.ok()) {
      broken_off_ = status;
      return status;
    }
    // P7: whoever reads the new length finds the bytes in the ring, also another process, also
    // after this one has been killed right behind this line (C3; before it: C2).
    memory()->words()->committed.Publish(end, std::memory_order_release);
  }
  // A store that the ring's file has refused, just now or earlier: nothing of it counts.
  if (memory()->failed()) {
    return AppendPastRing(begin, bytes);
  }
  return Acknowledge(end);
}

Status DenseStream::AppendPastRing(Address begin, ByteView bytes) {
  if (Status status = WriteThrough(begin, bytes); !status.ok()) {
    accepted_end_.store(begin, std::memory_order_release);  // P15
    return status;
  }
  return Acknowledge(begin + bytes.size);
}

Status DenseStream::Acknowledge(Address end) {
  memory()->words()->committed.Keep(end, std::memory_order_release);  // P7
  // P8: either we see that we are retired, or whoever retires and then settles us sees our length.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  NoteGrowth();  // P19
  return retired() ? Sync() : Status::Ok();
}

void DenseStream::Retire() { StopPreparing(); }

Status DenseStream::Flush() {
  if (fork_guard().InForkedChild()) {
    return Status::Closed("flush of " + path() + " in a forked child");
  }
  // A full disk is over some time, and the log that comes next is opened only if this one's buffers
  // are said to be flushed: they are, to the ring.
  const bool failed = pipeline()->failed() && !pipeline()->error().IsPassing();
  return failed ? pipeline()->error() : Status::Ok();
}

Status DenseStream::CopyIn(const char* data, size_t size) {
  while (size > 0) {
    const FlushBufferRing::Cursor cursor = ring()->current();
    FlushBuffer& buffer = ring()->buffer(cursor.index);
    const auto part =
        static_cast<uint32_t>(std::min<size_t>(buffer.Remaining(cursor.generation), size));
    if (part == 0) {
      HandOver(buffer.Seal(cursor.generation), cursor);
      if (memory()->failed()) {
        return Status::Ok();
      }
      if (Status status = ring()->Rotate(cursor.sequence, pipeline()); !status.ok()) {
        return status;
      }
      continue;
    }
    std::memcpy(buffer.data() + buffer.Take(part), data, part);
    data += part;
    size -= part;
  }
  return Status::Ok();
}

void DenseStream::HandOver(FlushDuty duty, const FlushBufferRing::Cursor& cursor) {
  if (duty == FlushDuty::kMustFlush) {
    pipeline()->OnSealed(ring()->TakeSealed(cursor));
  }
}

}  // namespace lss

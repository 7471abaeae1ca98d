#include "tests/support/store_parts.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "tests/support/stream_bytes.h"

namespace lss::test {

StoreOptions SmallOptions(WriteMode mode) {
  StoreOptions options;
  options.write_mode = mode;
  options.buffer_bytes = 4096;
  options.buffer_count = 4;
  options.frontier_bytes = 0;
  options.allocation_step_bytes = 64 << 10;
  return options;
}

std::unique_ptr<RingMemory> MakeRingMemory(const std::string& directory,
                                           const StoreOptions& options) {
  std::unique_ptr<RingMemory> memory;
  const FileIdentity nobody = {1, 42, 7};
  const Status status = RingMemory::Create(directory + "/ring", nobody, options, &memory);
  if (!status.ok()) {
    throw std::runtime_error(status.ToString());
  }
  return memory;
}

StoreParts::StoreParts(const std::string& directory, const StoreOptions& store_options,
                       Flusher* flusher)
    : options(store_options),
      memory(MakeRingMemory(directory, options)),
      ring(*memory, options, 0),
      space(&device, options, &figures),
      pipeline(&device, memory->words(), &space, flusher, options, &figures),
      tail(&device, memory.get(), &ring, &pipeline, &space, options, &figures) {}

std::shared_ptr<StoreParts> StoreParts::Make(const std::string& directory,
                                             const StoreOptions& options, Flusher* flusher) {
  std::shared_ptr<StoreParts> parts(new StoreParts(directory, options, flusher));
  parts->pipeline.SetOwner(parts);
  return parts;
}

Status StoreParts::CopyIn(size_t length) {
  while (length > 0) {
    const FlushBufferRing::Cursor cursor = ring.current();
    FlushBuffer& buffer = ring.buffer(cursor.index);
    const auto part =
        static_cast<uint32_t>(std::min<size_t>(buffer.Remaining(cursor.generation), length));
    if (part == 0) {
      if (buffer.Seal(cursor.generation) == FlushDuty::kMustFlush) {
        pipeline.OnSealed(ring.TakeSealed(cursor));
      }
      if (Status status = ring.Rotate(cursor.sequence, &pipeline); !status.ok()) {
        return status;
      }
      continue;
    }
    const BufferReservation reservation = buffer.Reserve(part, cursor.generation);
    if (!reservation.reserved) {
      throw std::logic_error("a sole appender's reservation failed");
    }
    std::memcpy(buffer.data() + reservation.offset, StreamBytes(end_, part).data(), part);
    if (buffer.Leave() == FlushDuty::kMustFlush) {
      pipeline.OnSealed(ring.TakeSealed(cursor));
    }
    end_ += part;
    length -= part;
  }
  return Status::Ok();
}

void StoreParts::Commit() { memory->words()->committed.store(end_, std::memory_order_release); }

Status StoreParts::Append(size_t length) {
  if (Status status = space.EnsureAllocated(end_ + length); !status.ok()) {
    return status;
  }
  if (Status status = CopyIn(length); !status.ok()) {
    return status;
  }
  Commit();
  return Status::Ok();
}

void StoreParts::CarryWrites() {
  std::vector<WriteOp> ops;
  pipeline.NextWrites(&ops);
  while (!ops.empty()) {
    for (const WriteOp& op : ops) {
      const iovec piece = {const_cast<char*>(op.data), op.length};
      pipeline.OnWriteDone(op, device.Write({piece}, op.offset, WriteKind::kPlain));
    }
    ops.clear();
    pipeline.NextWrites(&ops);
  }
}

}  // namespace lss::test

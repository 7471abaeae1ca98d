// The parts of a DenseStream over a MemoryDevice, without the façade: so that a test can
// hold, fail and cut the power of a device that the store itself would open as a real file.
#pragma once

#include <memory>
#include <string>

#include "lss/options.h"
#include "lss/ring/flush_buffer_ring.h"
#include "lss/ring/ring_memory.h"
#include "lss/stream/flush_pipeline.h"
#include "lss/stream/space.h"
#include "lss/stream/tail_writer.h"
#include "tests/support/memory_device.h"

namespace lss::test {

// 2 to 4 small buffers, no frontier, allocation by 64 KiB: traces stay readable.
StoreOptions SmallOptions(WriteMode mode = WriteMode::kSerializedWrites);

// A ring for tests that need nothing else of a store. Its file lies in `directory`.
std::unique_ptr<RingMemory> MakeRingMemory(const std::string& directory,
                                           const StoreOptions& options);

class StoreParts : public std::enable_shared_from_this<StoreParts> {
 public:
  // `flusher` may be null: then CarryWrites does its work. Must outlive the parts.
  static std::shared_ptr<StoreParts> Make(const std::string& directory, const StoreOptions& options,
                                          Flusher* flusher = nullptr);

  // The next `length` bytes of the stream of stream_bytes.h, as Append of the store does it: one
  // thread, dense, committed as a whole.
  Status Append(size_t length);
  // Only the copying, as an Append that has not come to its end: nothing is committed.
  Status CopyIn(size_t length);
  void Commit();
  Address end() const { return end_; }

  // Does the flusher's work, on this thread, until nothing is left to write.
  void CarryWrites();

  StoreOptions options;
  MemoryDevice device;
  std::unique_ptr<RingMemory> memory;
  StreamFigures figures;
  FlushBufferRing ring;
  Space space;
  FlushPipeline pipeline;
  TailWriter tail;

 private:
  StoreParts(const std::string& directory, const StoreOptions& store_options, Flusher* flusher);

  Address end_ = 0;
};

}  // namespace lss::test

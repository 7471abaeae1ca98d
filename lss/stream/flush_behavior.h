// The two write modes: which sealed buffers may go down now, given what is under way.
//
// Pure decisions over plain data; the pipeline calls them under its lock.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "lss/base/types.h"
#include "lss/device/device.h"
#include "lss/options.h"

namespace lss {

// A buffer whose writers have all left, waiting for its write.
struct SealedBuffer {
  uint64_t sequence = 0;
  Address base = 0;
  uint32_t length = 0;  // captured by the seal
  char* data = nullptr;
  Address end() const { return base + length; }
};

class FlushBehavior {
 public:
  static std::unique_ptr<FlushBehavior> Make(WriteMode mode);
  virtual ~FlushBehavior() = default;

  // Moves buffers that may be written now from `sealed` (ordered by sequence) into `ops`.
  // `next_sequence` is the oldest sequence that has not been taken yet, `in_flight` the number of
  // ops under way, `written` the address up to which somebody has already written the stream:
  // pages wholly below it are left out.
  virtual void Select(std::deque<SealedBuffer>* sealed, uint64_t* next_sequence, size_t in_flight,
                      Address written, std::vector<WriteOp>* ops) const = 0;
  // Whether the ops of one Select must complete in order.
  virtual bool InOrder() const = 0;
};

}  // namespace lss

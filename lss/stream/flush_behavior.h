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
#include "lss/ring/ring_options.h"
#include "lss/ring/sealed_buffer.h"

namespace lss {

class FlushBehavior {
 public:
  static std::unique_ptr<FlushBehavior> Make(WriteMode mode);
  virtual ~FlushBehavior() = default;

  // Moves buffers that may be written now from `sealed` (ordered by sequence) into `ops`.
  // `next_sequence` is the oldest sequence that has not been taken yet, `in_flight` the number of
  // ops under way, `written` the address up to which somebody has already written the stream:
  // pages wholly below it are left out. In order, no more than `bytes_max`, but at least one
  // buffer.
  virtual void Select(std::deque<SealedBuffer>* sealed, uint64_t* next_sequence, size_t in_flight,
                      Address written, uint64_t bytes_max, std::vector<WriteOp>* ops) const = 0;
  // Whether the ops of one Select must complete in order.
  virtual bool InOrder() const = 0;
};

}  // namespace lss

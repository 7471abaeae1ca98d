#include "lss/stream/flush_behavior.h"

#include <algorithm>

namespace lss {
namespace {

// The write of one sealed buffer, from the page of `written` on, to the end of its last page.
// length 0: everything has been written.
WriteOp OpFor(const SealedBuffer& buffer, Address written) {
  const Address padded_end = PageCeil(buffer.end());
  const Address from = PageFloor(std::clamp(written, buffer.base, buffer.end()));
  WriteOp op;
  op.data = buffer.data + (from - buffer.base);
  op.offset = from;
  op.length = written >= buffer.end() ? 0 : padded_end - from;
  return op;
}

bool Adjacent(const WriteOp& first, const WriteOp& second) {
  return first.data + first.length == second.data && first.offset + first.length == second.offset;
}

class SerializedBehavior final : public FlushBehavior {
 public:
  // Everything that waits in an unbroken sequence goes down as one batch; the next batch waits for
  // this one. Neighbours in memory become one larger write, the turn of the ring a second.
  void Select(std::deque<SealedBuffer>* sealed, uint64_t* next_sequence, size_t in_flight,
              Address written, uint64_t bytes_max, std::vector<WriteOp>* ops) const override {
    if (in_flight > 0) {
      return;
    }
    uint64_t bytes = 0;
    while (!sealed->empty() && sealed->front().sequence == *next_sequence) {
      const WriteOp op = OpFor(sealed->front(), written);
      if (bytes > 0 && bytes + op.length > bytes_max) {
        break;
      }
      bytes += op.length;
      sealed->pop_front();
      ++*next_sequence;
      if (op.length == 0) {
        continue;
      }
      if (!ops->empty() && Adjacent(ops->back(), op)) {
        ops->back().length += op.length;
      } else {
        ops->push_back(op);
      }
    }
  }
  bool InOrder() const override { return true; }
};

class TailLocalizedBehavior final : public FlushBehavior {
 public:
  // Every sealed buffer goes down at once, whatever is under way. How far writes can be apart is
  // bounded by the ring: a buffer opens again only when everything before its next lap is stable.
  void Select(std::deque<SealedBuffer>* sealed, uint64_t* next_sequence, size_t /*in_flight*/,
              Address written, uint64_t /*bytes_max*/, std::vector<WriteOp>* ops) const override {
    while (!sealed->empty()) {
      const WriteOp op = OpFor(sealed->front(), written);
      *next_sequence = std::max(*next_sequence, sealed->front().sequence + 1);
      sealed->pop_front();
      if (op.length > 0) {
        ops->push_back(op);
      }
    }
  }
  bool InOrder() const override { return false; }
};

}  // namespace

std::unique_ptr<FlushBehavior> FlushBehavior::Make(WriteMode mode) {
  if (mode == WriteMode::kSerializedWrites) {
    return std::make_unique<SerializedBehavior>();
  }
  return std::make_unique<TailLocalizedBehavior>();
}

}  // namespace lss

// What to do with the results of writes that were submitted together: a pure state machine.
//
// A chain holds the ops of one batch. In an ordered chain each request is linked to the next, and
// the kernel cancels what follows a failed or SHORT one. So nothing is judged before every result
// of a submission is in; then everything from the first unfinished byte on is issued again, in
// order. An unordered chain has one op.
#pragma once

#include <cstdint>
#include <vector>

#include "lss/device/device.h"

namespace lss {

class WriteChain {
 public:
  explicit WriteChain(const std::vector<WriteOp>& ops);

  // A request to put on the queue: the rest of op `index`.
  struct Request {
    size_t index;
    const char* data;
    uint64_t length;
    Address offset;
  };
  // The requests to submit now, in order. Each must be answered by one OnResult.
  std::vector<Request> TakeRequests();
  // `result` as in a completion entry: bytes written or -errno.
  void OnResult(size_t index, int64_t result);

  enum class Verdict {
    kPending,   // results are still to come
    kResubmit,  // call TakeRequests again
    kDone,      // every op is written
    kFailed,    // error_number() says why; ops before first_unfinished() are written
  };
  Verdict verdict() const { return verdict_; }
  int error_number() const { return error_number_; }
  size_t first_unfinished() const;
  const std::vector<WriteOp>& ops() const { return ops_; }

 private:
  void Judge();

  std::vector<WriteOp> ops_;
  std::vector<uint64_t> written_;  // whole pages of each op that are in the file
  std::vector<int64_t> results_;   // of the submission under way
  size_t pending_ = 0;
  int stalls_ = 0;
  int error_number_ = 0;
  Verdict verdict_ = Verdict::kResubmit;
};

}  // namespace lss

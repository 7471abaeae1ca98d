#include "lss/device/write_chain.h"

#include <algorithm>
#include <cerrno>

#include "lss/base/check.h"

namespace lss {
namespace {

bool IsTransient(int64_t result) {
  return result == -EAGAIN || result == -EINTR || result == -ECANCELED;
}

}  // namespace

WriteChain::WriteChain(const std::vector<WriteOp>& ops)
    : ops_(ops), written_(ops.size(), 0), results_(ops.size(), 0) {}

std::vector<WriteChain::Request> WriteChain::TakeRequests() {
  LSS_CHECK(verdict_ == Verdict::kResubmit, "requests are taken once a submission");
  std::vector<Request> requests;
  for (size_t i = first_unfinished(); i < ops_.size(); ++i) {
    const WriteOp& op = ops_[i];
    requests.push_back({i, op.data + written_[i], op.length - written_[i],
                        op.offset + written_[i] + static_cast<uint64_t>(op.shift)});
  }
  pending_ = requests.size();
  verdict_ = pending_ > 0 ? Verdict::kPending : Verdict::kDone;
  return requests;
}

void WriteChain::OnResult(size_t index, int64_t result) {
  LSS_CHECK(pending_ > 0, "a result that nobody waits for");
  results_[index] = result;
  if (--pending_ == 0) {
    Judge();
  }
}

size_t WriteChain::first_unfinished() const {
  size_t i = 0;
  while (i < ops_.size() && written_[i] == ops_[i].length) {
    ++i;
  }
  return i;
}

void WriteChain::Judge() {
  const size_t first = first_unfinished();
  int64_t first_result = 0;
  bool progress = false;
  for (size_t i = first; i < ops_.size(); ++i) {
    const int64_t result = results_[i];
    if (result < 0 && !IsTransient(result) && error_number_ == 0) {
      error_number_ = static_cast<int>(-result);
    }
    if (i == first) {
      first_result = result;
    }
    // Only whole pages count: a direct write must go on at a page. Bytes behind a gap are written
    // again, because order is a promise about what the file can contain.
    const uint64_t left = ops_[i].length - written_[i];
    const uint64_t whole =
        result <= 0 ? 0 : std::min<uint64_t>(PageFloor(static_cast<uint64_t>(result)), left);
    const bool contiguous = i == first_unfinished();
    if (contiguous && whole > 0) {
      written_[i] += whole;
      progress = true;
    }
  }
  stalls_ = progress ? 0 : stalls_ + 1;
  if (first_unfinished() == ops_.size()) {
    verdict_ = Verdict::kDone;
  } else if (error_number_ != 0 || stalls_ > kMaxStalls) {
    if (error_number_ == 0) {
      error_number_ = first_result < 0 ? static_cast<int>(-first_result) : EIO;
    }
    verdict_ = Verdict::kFailed;
  } else {
    verdict_ = Verdict::kResubmit;
  }
}

}  // namespace lss

// Writes to files through one io_uring, shared by all streams of a flusher.
//
// There is a way back at any time. When the kernel stops taking requests (a seccomp filter that
// came late, no memory) or stops carrying them (no worker threads), the writer gives io_uring up
// for good and writes on the flusher's thread, as BlockingWriter does. Each request is then in one
// of two places: the kernel has it, and its completion is awaited; or it has not, and its bytes are
// written plainly.
#pragma once

#include <liburing.h>

#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "lss/base/status.h"
#include "lss/base/warning_sink.h"
#include "lss/device/async_writer.h"
#include "lss/device/write_chain.h"

namespace lss {

// Thread safety: created, used and destroyed by the flusher's thread only.
class UringWriter final : public AsyncWriter {
 public:
  // NotSupported where the kernel or a seccomp filter refuses io_uring, or an operation that is
  // needed; the message says which, and what to do. `wake_fd` is an eventfd that ends a waiting
  // Reap; not owned. `warn` is told when io_uring is given up later.
  static Status Create(int wake_fd, WarningSink warn, std::unique_ptr<UringWriter>* result);
  // Drains: the kernel owns the memory of writes under way until their completions are in.
  ~UringWriter() override;

  void WriteFile(int fd, FlushClient* client, const std::vector<WriteOp>& ops) override;
  void Reap(const Done& done) override;
  size_t in_flight() const override { return chains_.size() + reported_count(); }
  bool given_up() const { return given_up_; }

 private:
  struct Chain {
    int fd;
    FlushClient* client;
    WriteChain writes;
  };
  // Travels as user data of one request; owned by its request until the completion is handled.
  struct Tag {
    Chain* chain;
    size_t index;
  };

  UringWriter(int wake_fd, WarningSink warn) : AsyncWriter(wake_fd), warn_(std::move(warn)) {}
  Status SetUp();
  void IssueOrQueue(Chain* chain);
  void Issue(Chain* chain);
  void IssueWaiting();
  void ArmWake();
  // Hands the kernel what is queued, then waits for `completions`. Gives up if it takes nothing.
  void Submit(unsigned completions);
  void GiveUp(int error_number);
  void OnCompletion(Tag* tag, int32_t result);
  void OnWake(int32_t result);
  void DrainCompletions();
  void AwaitWithoutEnter();
  void Finish(Chain* chain, const Done& done);
  Status WriteInstead(const Chain& chain, const WriteOp& op);

  const WarningSink warn_;
  io_uring ring_ = {};
  bool given_up_ = false;
  uint64_t wake_count_ = 0;
  bool wake_armed_ = false;
  int wake_failures_ = 0;  // in a row
  size_t in_flight_ = 0;   // requests of chains, the wake request not counted
  // Requests that the kernel has not taken yet, in the order of the queue; null is the wake's.
  std::deque<Tag*> untaken_;
  // Chains that wait for room: with at most kMaxInFlight requests under way neither queue of the
  // io_uring can fill up, so there is no full-queue case to handle.
  std::deque<Chain*> waiting_;
  // Chains that the next Reap reports.
  std::vector<Chain*> ended_;
  std::unordered_map<Chain*, std::unique_ptr<Chain>> chains_;
};

}  // namespace lss

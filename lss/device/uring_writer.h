// Writes to files through one io_uring, shared by all streams of a flusher.
#pragma once

#include <liburing.h>

#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "lss/base/status.h"
#include "lss/device/async_writer.h"
#include "lss/device/write_chain.h"

namespace lss {

// Thread safety: created, used and destroyed by the flusher's thread only.
class UringWriter final : public AsyncWriter {
 public:
  // NotSupported where the kernel or a seccomp filter refuses io_uring. `wake_fd` is an eventfd
  // that ends a waiting Reap; not owned.
  static Status Create(int wake_fd, std::unique_ptr<UringWriter>* result);
  // Drains: the kernel owns the memory of writes under way until their completions are in.
  ~UringWriter() override;

  void WriteFile(int fd, FlushClient* client, const std::vector<WriteOp>& ops) override;
  void Reap(const Done& done) override;
  size_t in_flight() const override { return chains_.size(); }

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

  explicit UringWriter(int wake_fd) : AsyncWriter(wake_fd) {}
  void IssueOrQueue(Chain* chain);
  void Issue(Chain* chain);
  void ArmWake();
  void SubmitQueued();
  void Finish(Chain* chain, const Done& done);

  io_uring ring_ = {};
  uint64_t wake_count_ = 0;
  bool wake_armed_ = false;
  size_t in_flight_ = 0;  // requests of chains, the wake request not counted
  // Chains that wait for room: with at most kMaxInFlight requests under way neither queue of the
  // io_uring can fill up, so there is no full-queue case to handle.
  std::deque<Chain*> waiting_;
  std::unordered_map<Chain*, std::unique_ptr<Chain>> chains_;
};

}  // namespace lss

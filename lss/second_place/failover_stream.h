// One stream whose appends and syncs do not wait for a file that hangs.
//
//   Append ─► hand-off queue ─► the stream's own thread ─► file
//   Sync: until the file has it; or, after a while (failover) or at once (hedge), the side log
//
// What was appended survives the process in the queue until the file has taken it. What the side
// log cannot do, the file does: such a sync waits for it. After an error of the file nothing more
// is acknowledged.
//
// Thread safety: Append by one thread at a time; the rest from any thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "lss/base/fork_guard.h"
#include "lss/base/mutex.h"
#include "lss/base/status.h"
#include "lss/runtime/thread.h"
#include "lss/second_place/failover_policy.h"
#include "lss/second_place/hand_off_queue.h"
#include "lss/second_place/side_appender.h"

namespace lss {

// The file at the end of it.
class HandOffFile {
 public:
  virtual ~HandOffFile() = default;
  virtual Status Append(ByteView bytes) = 0;
  // Everything appended before is durable when it returns OK.
  virtual Status Sync() = 0;
};

// A policy that all streams of a database share.
struct SharedFailoverPolicy {
  explicit SharedFailoverPolicy(const FailoverLimits& limits) : policy(limits) {}
  Mutex mutex;
  FailoverPolicy policy LSS_GUARDED_BY(mutex);
};

class FailoverStream : public std::enable_shared_from_this<FailoverStream> {
 public:
  // More than this since the last sync waits for the file.
  static constexpr size_t kMostKept = 16 << 20;

  // `hedge`: both are asked for every sync.
  static Status Start(const StreamName& name, bool hedge, const SecondParts& parts,
                      std::shared_ptr<SharedFailoverPolicy> policy,
                      std::unique_ptr<HandOffQueue> queue, std::shared_ptr<HandOffFile> file,
                      std::shared_ptr<FailoverStream>* result);
  // Finishes; in a forked child does nothing.
  ~FailoverStream();

  const StreamName& name() const { return name_; }
  // Waits only if the queue is full.
  Status Append(ByteView bytes);
  Status Sync();
  // The file has taken everything that was appended before the call.
  Status Drain();
  // The same, and what the side log has is durable in the file. The stream's thread has ended then;
  // no call comes any more. The side log is not waited for: a worker may still be at it.
  Status Finish();

 private:
  using Clock = std::chrono::steady_clock;

  FailoverStream(const StreamName& name, bool hedge, const SecondParts& parts,
                 std::shared_ptr<SharedFailoverPolicy> policy, std::unique_ptr<HandOffQueue> queue,
                 std::shared_ptr<HandOffFile> file);
  // The stream's thread.
  void Run();
  bool IsWorkDue() const LSS_REQUIRES(mutex_);
  // Brings what is in the queue to the file, and syncs it if that is wanted.
  void Feed() LSS_REQUIRES(mutex_);
  void SyncFile() LSS_REQUIRES(mutex_);
  void BeginSide() LSS_REQUIRES(mutex_);
  // On a worker.
  void RunSide();
  // What was to be appended there is in the queue or the file only.
  void FailSide(const Status& status);
  bool IsDurable(Address end) const LSS_REQUIRES(mutex_) {
    return file_durable_ >= end || side_durable_ >= end;
  }
  static int64_t Now() { return Clock::now().time_since_epoch().count(); }

  const StreamName name_;
  const bool hedge_;
  const SecondParts parts_;
  const std::shared_ptr<SharedFailoverPolicy> policy_;
  const std::unique_ptr<HandOffQueue> queue_;
  const std::shared_ptr<HandOffFile> file_;
  Thread thread_;
  const ForkGuard fork_guard_;

  Mutex order_;  // held by who appends to the side log
  SideAppender side_ LSS_GUARDED_BY(order_);

  Mutex mutex_;
  CondVar work_;     // for the stream's thread
  CondVar changed_;  // for all others
  Address appended_ LSS_GUARDED_BY(mutex_) = 0;
  Address applied_ LSS_GUARDED_BY(mutex_) = 0;       // the file has taken
  Address sync_wanted_ LSS_GUARDED_BY(mutex_) = 0;   // by syncs
  Address drain_wanted_ LSS_GUARDED_BY(mutex_) = 0;  // by those who look at the file
  Address file_durable_ LSS_GUARDED_BY(mutex_) = 0;
  Address side_durable_ LSS_GUARDED_BY(mutex_) = 0;
  Address on_side_ LSS_GUARDED_BY(mutex_) = 0;  // the side log may have bytes below
  // [appended_ - size, appended_): what neither has durably, nor was handed to the side log.
  std::string pending_ LSS_GUARDED_BY(mutex_);
  bool too_much_ LSS_GUARDED_BY(mutex_) = false;  // it is not all kept
  bool side_queued_ LSS_GUARDED_BY(mutex_) = false;
  Status side_error_ LSS_GUARDED_BY(mutex_);
  Status file_error_ LSS_GUARDED_BY(mutex_);
  bool stop_ LSS_GUARDED_BY(mutex_) = false;
};

}  // namespace lss

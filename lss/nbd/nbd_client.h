// Requests of many threads to one export, over one connection at a time, and a new one when that is
// lost.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lss/base/fork_guard.h"
#include "lss/base/mutex.h"
#include "lss/base/status.h"
#include "lss/base/unique_fd.h"
#include "lss/device/remote_device.h"
#include "lss/nbd/nbd_session.h"
#include "lss/nbd/nbd_uri.h"
#include "lss/runtime/thread.h"

namespace lss {

// What requests have in common that one call makes together. For Run only; its caller looks at the
// connections afterwards.
struct NbdBatch {
  // Over which connections they were answered, counted from 1. They differ where one was lost.
  uint64_t oldest_connection = UINT64_MAX;
  uint64_t newest_connection = 0;

  // Run's own, guarded by the client's mutex.
  size_t left = 0;
  Status status;
  CondVar done;
  std::optional<std::chrono::steady_clock::time_point> give_up_at;  // after a vain attempt
  std::optional<std::chrono::steady_clock::time_point> leave_at;    // whatever is under way
  std::chrono::milliseconds answer_within{0};                       // 0: without limit
  std::optional<std::chrono::steady_clock::time_point> answer_by;   // of what was sent last
};

// A request, and what the client notes about it. `vouched` is for writes: their caller makes sure
// of them itself, by FUA or by a flush and a look at the connections.
struct NbdCall : NbdRequest {
  bool vouched = false;
  NbdBatch* batch = nullptr;
  uint64_t covers = 0;  // a flush: so many unvouched writes had been answered before it
};

// The thread that starts the client polls the connection and makes new ones; requests are sent by
// the threads that make them, and wait under one lock.
//
// What is sent again after a loss: reads, writes (the same bytes to the same place) and flushes. A
// flush that is answered by a new connection says nothing of writes that were answered by an older
// one: the server may have lost them when it ended. Then lost_writes() is true for good.
//
// Thread safety: any thread, but no call may be under way at the end. In a forked child every call
// is an error.
class NbdClient {
 public:
  // Connects. Errors as OpenRemoteDevice says.
  static Status Open(NbdUri uri, const RemoteOptions& options, std::unique_ptr<NbdClient>* client);
  ~NbdClient();
  NbdClient(const NbdClient&) = delete;
  NbdClient& operator=(const NbdClient&) = delete;

  // The same for all connections: one that offers less, or another size, is refused.
  const NbdExport& facts() const { return facts_; }
  const NbdUri& uri() const { return uri_; }
  const RemoteOptions& options() const { return options_; }

  // Does all of `calls`, in any order, several at a time, and waits for them. The first error of
  // any; kIoError if there was no connection for as long as the options say.
  Status Run(std::vector<NbdCall>* calls, NbdBatch* batch) LSS_EXCLUDES(mutex_);

  // Whether writes that no flush had covered were answered by a connection that was lost.
  bool lost_writes() LSS_EXCLUDES(mutex_);

 private:
  using Clock = std::chrono::steady_clock;
  NbdClient(NbdUri uri, const RemoteOptions& options) : uri_(std::move(uri)), options_(options) {}
  NbdSession::Limits Limits() const;
  std::chrono::milliseconds Patience() const;
  std::chrono::milliseconds AnswerWithin(const std::vector<NbdCall>& calls) const;
  Status Start(std::unique_ptr<NbdSession> session) LSS_EXCLUDES(mutex_);

  // --- on the caller's thread ---
  void Begin(NbdCall* call) LSS_REQUIRES(mutex_);
  void WaitFor(NbdBatch* batch) LSS_REQUIRES(mutex_);
  void WaitForAnswer(NbdBatch* batch) LSS_REQUIRES(mutex_);
  void Wake() const;

  // --- on our thread ---
  void Main() LSS_EXCLUDES(mutex_);
  void PollSession() LSS_REQUIRES(mutex_);
  void Rest(int timeout_ms) LSS_REQUIRES(mutex_);
  void Reconnect() LSS_REQUIRES(mutex_);
  Status CheckSame(const NbdExport& found) const;
  void Adopt(std::unique_ptr<NbdSession> session) LSS_REQUIRES(mutex_);
  void Settle() LSS_REQUIRES(mutex_);
  void Lose() LSS_REQUIRES(mutex_);
  void Answer(NbdCall* call) LSS_REQUIRES(mutex_);
  void NoteDone(const NbdCall& call) LSS_REQUIRES(mutex_);
  // Those that wait for a connection and match.
  template <typename Match>
  void Abandon(const Match& match) LSS_REQUIRES(mutex_);
  void Finish(NbdCall* call, const Status& status) LSS_REQUIRES(mutex_);
  Status NoConnection(const NbdCall& call) const LSS_REQUIRES(mutex_);
  void Say(const std::string& line) const;

  const NbdUri uri_;
  const RemoteOptions options_;
  const ForkGuard fork_guard_;
  NbdExport facts_;
  UniqueFd wake_;  // an eventfd
  Thread thread_;
  // Relaxed: only a hint to an attempt under way; what follows is ordered by the mutex.
  std::atomic<bool> stopping_{false};

  Mutex mutex_;
  std::unique_ptr<NbdSession> session_ LSS_GUARDED_BY(mutex_);  // null: none at the moment
  uint64_t connection_ LSS_GUARDED_BY(mutex_) = 0;
  std::vector<NbdCall*> waiting_ LSS_GUARDED_BY(mutex_);  // for a connection
  Status cause_ LSS_GUARDED_BY(mutex_);                   // of the last vain attempt or loss
  std::optional<Clock::time_point> failing_since_ LSS_GUARDED_BY(mutex_);
  uint64_t writes_done_ LSS_GUARDED_BY(mutex_) = 0;  // unvouched
  uint64_t writes_synced_ LSS_GUARDED_BY(mutex_) = 0;
  bool lost_writes_ LSS_GUARDED_BY(mutex_) = false;
};

}  // namespace lss

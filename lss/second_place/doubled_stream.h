// One stream whose syncs rest on a side log, too: what it has appended since, and where it is
// durable.
//
//   group   a sync returns when the side log has it; the file follows
//   mirror  a sync returns when both have it
//
// Whatever the side log cannot do, the file does: a sync that returns OK is durable in one of them,
// and of a mirror in both, unless its options say that it may be behind.
//
// Thread safety: Appended by one thread at a time; the rest from any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "lss/base/mutex.h"
#include "lss/base/status.h"
#include "lss/base/warning_sink.h"
#include "lss/second_place/side_appender.h"

namespace lss {

enum class SecondMode { kGroup, kMirror };

class DoubledStream : public std::enable_shared_from_this<DoubledStream> {
 public:
  // More than this since the last sync is not worth writing twice in order to write it sooner.
  static constexpr size_t kMostGrouped = 256 << 10;
  // So far a mirror may be behind in memory.
  static constexpr size_t kMostBehind = 64 << 20;
  static constexpr int64_t kNever = -1;

  // `sync_file` makes everything durable that was appended before the call, from any thread.
  // `degrade_after_ms`: when a mirror's sync goes without the side log, if that does not answer or
  // has failed; kNever: it waits, or fails.
  DoubledStream(const StreamName& name, SecondMode mode, int64_t degrade_after_ms,
                const SecondParts& parts, std::function<Status()> sync_file);

  const StreamName& name() const { return name_; }
  SecondMode mode() const { return mode_; }
  // The file has taken these bytes, behind those before.
  void Appended(ByteView bytes);
  // Everything appended before the call is durable when it returns OK.
  Status Sync();
  // Makes the file durable if the side log may have more of it.
  Status CatchUp();

 private:
  using TimePoint = std::chrono::steady_clock::time_point;

  Status SyncGroup();
  Status HandOver(uint64_t* group);
  Status SyncMirror();
  void BeginMirroring() LSS_REQUIRES(mutex_);
  // On a worker: brings what there is to the side log.
  void Mirror();
  // Bytes are missing there from now on.
  void FailMirror(const Status& status);
  Status AwaitMirrored(Address end, TimePoint deadline);

  // The file, and what follows from it.
  Status SyncFile();
  Status SyncFileTimed();

  const StreamName name_;
  const SecondMode mode_;
  const int64_t degrade_after_ms_;
  const SecondParts parts_;
  const std::function<Status()> sync_file_;

  std::string spare_ LSS_GUARDED_BY(order_);  // memory for pending_
  Mutex order_;                               // held by who appends to the side log; before mutex_
  SideAppender side_ LSS_GUARDED_BY(order_);

  Mutex mutex_;
  CondVar changed_;  // mirrored_, side_error_, or pending_ has become empty
  Address appended_ LSS_GUARDED_BY(mutex_) = 0;
  // What the side log has not been given, and of a group the file does not have durably either:
  // [appended_ - size, appended_).
  std::string pending_ LSS_GUARDED_BY(mutex_);
  // Group: it has become too much, so it is not kept, and the file has to be synced.
  bool too_much_ LSS_GUARDED_BY(mutex_) = false;
  // Group: the side log has bytes below, and perhaps the file does not.
  Address on_side_ LSS_GUARDED_BY(mutex_) = 0;
  Address file_durable_ LSS_GUARDED_BY(mutex_) = 0;
  // Mirror: a worker will look; so far it is durable there; or bytes are missing, for good.
  bool queued_ LSS_GUARDED_BY(mutex_) = false;
  Address mirrored_ LSS_GUARDED_BY(mutex_) = 0;
  bool behind_ LSS_GUARDED_BY(mutex_) = false;  // a sync has gone without it; until it moves
  Status side_error_ LSS_GUARDED_BY(mutex_);
  // The file may have lost bytes, whatever a later sync says.
  Status file_error_ LSS_GUARDED_BY(mutex_);
};

}  // namespace lss

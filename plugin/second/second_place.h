// A second place as this process uses it: one side log for all databases that name the place, the
// threads that it needs, and the streams that rest on it.
//
// Thread safety: every method from any thread.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lss/base/fork_guard.h"
#include "lss/base/mutex.h"
#include "lss/runtime/thread.h"
#include "lss/second_place/doubled_stream.h"
#include "lss/second_place/failover_stream.h"
#include "lss/second_place/side_place.h"

namespace bloom_lfs {

class SecondPlace {
 public:
  // One that this process has open at `place`, a directory, if it is still used. Otherwise an empty
  // log there, or one that has records of `own`; of `bytes` if it is made.
  static lss::Status Open(const std::string& place, const std::set<lss::Uuid>& own, uint64_t bytes,
                          std::shared_ptr<SecondPlace>* result);
  // Files stay behind the log for at most so long; the shortest that any database asks for.
  void CatchUpWithin(std::chrono::milliseconds time);
  // The log of that name there. NotFound, or Busy (lss::RingLock::IsBusy): another process has it.
  static lss::Status OpenNamed(const std::string& place, const lss::Uuid& log,
                               std::shared_ptr<SecondPlace>* result);
  ~SecondPlace();
  SecondPlace(const SecondPlace&) = delete;
  SecondPlace& operator=(const SecondPlace&) = delete;

  const lss::Uuid& log_name() const { return log_->space().place(); }
  const std::string& place() const { return place_; }
  const lss::SecondFigures& figures() const { return figures_; }
  lss::SideLog* log() const { return log_.get(); }

  // A stream that is about to be written. `this` must outlive it.
  std::shared_ptr<lss::DoubledStream> Begin(const lss::StreamName& name, lss::SecondMode mode,
                                            int64_t degrade_after_ms,
                                            std::function<lss::Status()> sync_file);
  // The same for a stream that does not wait for `file`; it keeps what it appends in a queue in
  // `queue_directory` meanwhile.
  lss::Status BeginFailover(const lss::StreamName& name, bool hedge,
                            std::shared_ptr<lss::SharedFailoverPolicy> policy,
                            const std::string& queue_directory,
                            std::shared_ptr<lss::HandOffFile> file,
                            std::shared_ptr<lss::FailoverStream>* result);
  // What was appended to the log has reached the file: for those who look at it.
  lss::Status Drain(const lss::StreamName& name);
  // Its file is closed, as durable as it will be: of a group, everything that the log has of it.
  void End(const lss::StreamName& name);
  // Its file is deleted: nothing of it is wanted, or nothing if its room is.
  void Forget(const lss::StreamName& name);
  void Retire(const lss::StreamName& name);
  // The streams of these databases that were there when the log was opened.
  std::vector<lss::StreamName> FoundOf(const std::set<lss::Uuid>& databases) const;

 private:
  explicit SecondPlace(std::string place) : place_(std::move(place)) {}
  // REQUIRES: held_.space was taken over
  lss::Status Init();
  lss::Status StartThreads();
  // Files behind the log for long, or in the way, are brought up to date; zeros are written ahead.
  void Maintain();
  lss::SecondParts Parts();
  void CatchUpAll();
  bool MakeRoom();
  // Gives up the records of a database of an earlier life whose files have them by now.
  bool ForgetOrphans();

  const lss::ForkGuard fork_guard_;
  const std::string place_;
  std::set<lss::StreamName> found_;  // when it was opened
  lss::HeldSideSpace held_;          // the lock; the log has the space
  std::unique_ptr<lss::SideLog> log_;
  lss::SecondFigures figures_;
  std::unique_ptr<lss::SideWorkers> workers_;

  lss::Mutex mutex_;
  lss::CondVar changed_;
  std::chrono::milliseconds catch_up_within_ LSS_GUARDED_BY(mutex_) = std::chrono::hours(24);
  bool stop_ LSS_GUARDED_BY(mutex_) = false;
  std::map<lss::StreamName, std::shared_ptr<lss::DoubledStream>> streams_ LSS_GUARDED_BY(mutex_);
  std::map<lss::StreamName, std::weak_ptr<lss::FailoverStream>> failovers_ LSS_GUARDED_BY(mutex_);
  std::deque<lss::StreamName> retired_ LSS_GUARDED_BY(mutex_);  // of mirrors, oldest first
  lss::Thread maintenance_;
};

}  // namespace bloom_lfs

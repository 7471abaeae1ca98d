// A second place as this process uses it: one side log for all databases that name the place, the
// threads that it needs, and the streams that rest on it.
//
// Thread safety: every method from any thread.
#pragma once

#include <atomic>
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
#include "lss/device/remote_device.h"
#include "lss/runtime/thread.h"
#include "lss/second_place/doubled_stream.h"
#include "lss/second_place/failover_stream.h"
#include "lss/second_place/side_place.h"
#include "plugin/figures/figures.h"

namespace bloom_lfs {

class SecondPlace final : public FigureSource {
 public:
  // What a database wants of a place.
  struct Wish {
    std::string place;        // a directory or an address
    lss::Uuid database = {};  // gets a label in the log, durable when Open returns
    std::string directory;    // that it is in: the label's words
    bool goes_on = false;     // in the log that has records of this directory, if there is one
    uint64_t bytes = 0;       // of a log that has to be made
    std::chrono::milliseconds patience{0};
  };
  struct Opened {
    std::shared_ptr<SecondPlace> place;
    // Of a wish to go on: the streams of this directory that were there when the log was opened.
    std::vector<lss::StreamName> earlier;
  };
  // A log of the place that this process has open already and that has not failed; otherwise one
  // that is empty, or wanted. IoError: for so long nobody in this process has got on there. If it
  // opens later all the same, it is closed again, without the label.
  static lss::Status Open(const Wish& wish, Opened* result);
  // The error of a place that has not answered.
  static lss::Status NoAnswer(const std::string& place, std::chrono::milliseconds patience);
  // Given the log if this process has it open, otherwise null.
  using Looking =
      std::function<void(const std::shared_ptr<SecondPlace>& open, const lss::PlaceCaller& caller)>;
  // Has `look` look at a log of the place, on a thread of its own, which it may have to be left to:
  // it has to own what it uses. False: for so long nobody in this process has got on there.
  static bool Look(const std::string& place, const lss::Uuid& log,
                   std::chrono::milliseconds patience, const Looking& look);
  // Does any other `work` that may hang with the place, under the same conditions.
  static bool AskWithin(const std::string& place, std::chrono::milliseconds patience,
                        const std::function<void()>& work);
  // Files stay behind the log for at most so long; the shortest that any database asks for.
  void CatchUpWithin(std::chrono::milliseconds time);
  // Gives up the records of `database` in the log of that name, which is open then. NotFound; Busy
  // (lss::RingLock::IsBusy): another process has it; IoError as Open, and they are given up later.
  static lss::Status GiveUp(const std::string& place, const lss::Uuid& log,
                            const lss::Uuid& database, std::chrono::milliseconds patience,
                            std::shared_ptr<SecondPlace>* result);
  ~SecondPlace() override;
  SecondPlace(const SecondPlace&) = delete;
  SecondPlace& operator=(const SecondPlace&) = delete;

  const lss::Uuid& log_name() const { return log_->space().place(); }
  const std::string& place() const { return place_; }
  void Collect(FigureSink* sink) const override;
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
  void Forget(const lss::StreamName& name) { log_->Forget(name); }
  void Retire(const lss::StreamName& name);
  // The log need not know the database any more. Does not wait for it.
  void Unlabel(const lss::Uuid& database);

 private:
  using Clock = std::chrono::steady_clock;

  explicit SecondPlace(std::string place) : place_(std::move(place)) {}
  static std::shared_ptr<SecondPlace> New(const std::string& place);
  // Ends it, which waits for its device; of one that does not answer not for ever, but a thread
  // does.
  static void Close(SecondPlace* place);
  void RemoveLabels();
  // One at `place` with the space that `hold` opens and takes over.
  using Holding = std::function<lss::Status(lss::HeldSideSpace*)>;
  static lss::Status Start(const std::string& place, const lss::PlaceCaller& caller,
                           const Holding& hold, std::shared_ptr<SecondPlace>* result);
  // REQUIRES: held_ has a space that was taken over
  lss::Status Init(const lss::PlaceCaller& caller);
  // The streams of the databases in `directory` that were there when the log was opened.
  std::vector<lss::StreamName> FoundOf(const std::string& directory) const;
  lss::Status StartThreads();
  // Files behind the log for long, or in the way, are brought up to date; zeros are written ahead.
  void Maintain();
  void LookAfterLog();
  void NoteEnd() LSS_REQUIRES(mutex_);
  // How long the oldest record has been waiting for its file.
  double SecondsBehind() const;
  lss::SecondParts Parts();
  void CatchUpAll();
  void CatchUp(const std::shared_ptr<lss::DoubledStream>& stream);
  bool is_remote() const { return lss::IsRemotePlace(place_); }
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
  std::unique_ptr<lss::SideWorkers> catch_up_workers_;

  mutable lss::Mutex mutex_;
  lss::CondVar changed_;
  std::atomic<bool> room_is_due_{false};
  std::chrono::milliseconds catch_up_within_ LSS_GUARDED_BY(mutex_) = std::chrono::hours(24);
  bool stop_ LSS_GUARDED_BY(mutex_) = false;
  std::map<lss::StreamName, std::shared_ptr<lss::DoubledStream>> streams_ LSS_GUARDED_BY(mutex_);
  std::map<lss::StreamName, std::weak_ptr<lss::FailoverStream>> failovers_ LSS_GUARDED_BY(mutex_);
  std::set<lss::StreamName> catching_up_ LSS_GUARDED_BY(mutex_);
  std::deque<lss::StreamName> retired_ LSS_GUARDED_BY(mutex_);  // of mirrors, oldest first
  std::vector<lss::Uuid> unlabelled_ LSS_GUARDED_BY(mutex_);
  // When the log's end was last seen where, so that the age of a record can be told; oldest first.
  std::deque<std::pair<uint64_t, Clock::time_point>> ends_ LSS_GUARDED_BY(mutex_);
  lss::Thread maintenance_;
  std::unique_ptr<RegisteredFigures> registered_;
};

}  // namespace bloom_lfs

// How a place is opened and closed. It may hang in each of its calls, with its disk or its server,
// so they are made by a thread of their own.
#include <algorithm>
#include <utility>

#include "lss/base/per_process.h"
#include "lss/second_place/side_scan.h"
#include "plugin/patience.h"
#include "plugin/second/second_place.h"
#include "plugin/warning.h"

namespace bloom_lfs {
namespace {

using lss::Status;
using PlacePtr = std::shared_ptr<SecondPlace>;

constexpr uint64_t kInFlight = 2;  // a directory is near: more syncs combine if fewer are under way
constexpr uint64_t kInFlightRemote = lss::SideLog::kMaxInFlight;
// Closing a database waits for its place so long.
constexpr auto kCloseWithin = std::chrono::seconds(10);

// The logs that this process has open in one place.
class PlaceLogs {
 public:
  // Those that are still used and have not failed.
  std::vector<PlacePtr> Used() {
    std::vector<PlacePtr> used;
    std::vector<PlacePtr> failed;  // if they end here, then not under the lock
    std::vector<std::weak_ptr<SecondPlace>> left;
    const lss::MutexLock lock(&mutex_);
    for (const std::weak_ptr<SecondPlace>& each : all_) {
      if (PlacePtr place = each.lock(); place != nullptr) {
        left.push_back(each);
        (place->log()->has_failed() ? failed : used).push_back(std::move(place));
      }
    }
    all_.swap(left);
    return used;
  }
  PlacePtr Find(const lss::Uuid& log) {
    for (const PlacePtr& used : Used()) {
      if (used->log_name() == log) {
        return used;
      }
    }
    return nullptr;
  }
  void Add(const PlacePtr& place) {
    const lss::MutexLock lock(&mutex_);
    all_.push_back(place);
  }

  // Whoever connects to the place does so alone: a server may have one client at a time.
  lss::Mutex* turn() { return &turn_; }

  // Somebody asks something of the place, with so much patience. What is left of it for the first
  // step: others may have waited for that already. Nothing: it is not to be asked.
  std::chrono::milliseconds BeginAsking(std::chrono::milliseconds patience) {
    const lss::MutexLock lock(&mutex_);
    std::chrono::milliseconds left = patience;
    if (asking_ > 0) {
      left -= std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - last_step_);
    } else {
      last_step_ = Clock::now();
    }
    asking_ += left.count() > 0 ? 1 : 0;
    return left;
  }
  void EndAsking() {
    const lss::MutexLock lock(&mutex_);
    --asking_;
    GetOn();
  }
  void NoteStep() {
    const lss::MutexLock lock(&mutex_);
    GetOn();
  }
  uint64_t steps() {
    const lss::MutexLock lock(&mutex_);
    return steps_;
  }

 private:
  using Clock = std::chrono::steady_clock;

  void GetOn() LSS_REQUIRES(mutex_) {
    ++steps_;
    last_step_ = Clock::now();
  }

  lss::Mutex turn_;
  lss::Mutex mutex_;
  std::vector<std::weak_ptr<SecondPlace>> all_ LSS_GUARDED_BY(mutex_);
  uint64_t asking_ LSS_GUARDED_BY(mutex_) = 0;
  uint64_t steps_ LSS_GUARDED_BY(mutex_) = 0;
  Clock::time_point last_step_ LSS_GUARDED_BY(mutex_);
};

struct Places {
  lss::Mutex mutex;
  std::map<std::string, std::shared_ptr<PlaceLogs>> by_name LSS_GUARDED_BY(mutex);
};

lss::PerProcess<Places> g_places;

std::shared_ptr<PlaceLogs> LogsAt(const std::string& place) {
  Places* const places = g_places.Get();
  const lss::MutexLock lock(&places->mutex);
  std::shared_ptr<PlaceLogs>& logs = places->by_name[place];
  if (logs == nullptr) {
    logs = std::make_shared<PlaceLogs>();
  }
  return logs;
}

// Does `work` within patience, which begins anew with each step that anybody gets on there.
bool AskOf(const std::shared_ptr<PlaceLogs>& logs, std::chrono::milliseconds patience,
           const std::function<void()>& work) {
  const std::chrono::milliseconds left = logs->BeginAsking(patience);
  return left.count() > 0 && DoWithin({left, patience, [logs] { return logs->steps(); }}, [=] {
           work();
           logs->EndAsking();
         });
}

// Between somebody who waits, perhaps not for ever, and the thread that is waited for.
class Waiting {
 public:
  // Whoever comes second, the thread with its answer or the one who gives up, learns of the other.
  bool IsSettledAlready() {
    const lss::MutexLock lock(&mutex_);
    return std::exchange(is_settled_, true);
  }
  bool IsAwaited() {
    const lss::MutexLock lock(&mutex_);
    return !is_settled_;
  }

 private:
  lss::Mutex mutex_;
  bool is_settled_ LSS_GUARDED_BY(mutex_) = false;
};

// What a thread has found that was asked for a place.
struct Answer {
  Waiting waiting;
  Status status;
  SecondPlace::Opened opened;
};

using Opening = std::function<Status(PlaceLogs*, const lss::PlaceCaller&, SecondPlace::Opened*)>;

// `work` opens the place, or finds it open; `undo` is for what comes too late.
Status Ask(const std::string& name, std::chrono::milliseconds patience, const Opening& work,
           const std::function<void(SecondPlace*)>& undo, SecondPlace::Opened* result) {
  const std::shared_ptr<PlaceLogs> logs = LogsAt(name);
  const auto answer = std::make_shared<Answer>();
  const auto ask = [=] {
    const lss::MutexLock turn(logs->turn());
    if (!answer->waiting.IsAwaited()) {
      return;
    }
    const lss::PlaceCaller caller = {[logs] { logs->NoteStep(); },
                                     [answer] { return answer->waiting.IsAwaited(); }};
    answer->status = work(logs.get(), caller, &answer->opened);
    if (!answer->status.ok()) {
      answer->opened = {};
    }
    if (answer->waiting.IsSettledAlready() && answer->opened.place != nullptr) {
      undo(answer->opened.place.get());
      answer->opened.place.reset();  // before others have their turn
    }
  };
  if (!AskOf(logs, patience, ask) && !answer->waiting.IsSettledAlready()) {
    return SecondPlace::NoAnswer(name, patience);
  }
  *result = std::move(answer->opened);
  return answer->status;
}

}  // namespace

Status SecondPlace::Open(const Wish& wish, Opened* result) {
  const auto open = [wish](PlaceLogs* logs, const lss::PlaceCaller& caller, Opened* opened) {
    if (const std::vector<PlacePtr> used = logs->Used(); !used.empty()) {
      opened->place = used.front();
    } else {
      const auto hold = [&](lss::HeldSideSpace* held) {
        return lss::OpenSideSpace(wish.place, wish.goes_on ? wish.directory : std::string(),
                                  wish.bytes, WarnOnce, caller, held);
      };
      if (Status status = Start(wish.place, caller, hold, &opened->place); !status.ok()) {
        return status;
      }
      logs->Add(opened->place);
    }
    if (wish.goes_on) {
      opened->earlier = opened->place->FoundOf(wish.directory);
    }
    return opened->place->log()->labels()->Set(wish.database, wish.directory);
  };
  return Ask(
      wish.place, wish.patience, open,
      [wish](SecondPlace* place) { place->Unlabel(wish.database); }, result);
}

bool SecondPlace::AskWithin(const std::string& place, std::chrono::milliseconds patience,
                            const std::function<void()>& work) {
  return AskOf(LogsAt(place), patience, work);
}

Status SecondPlace::NoAnswer(const std::string& place, std::chrono::milliseconds patience) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(patience).count();
  return Status::IoError("the second place " + place + " has not answered for " +
                         std::to_string(seconds) + " s: its disk hangs, or its server");
}

bool SecondPlace::Look(const std::string& place, const lss::Uuid& log,
                       std::chrono::milliseconds patience, const Looking& look) {
  const std::shared_ptr<PlaceLogs> logs = LogsAt(place);
  const auto waiting = std::make_shared<Waiting>();
  const bool is_done = AskOf(logs, patience, [=] {
    lss::MutexLock turn(logs->turn());
    if (!waiting->IsAwaited()) {
      return;
    }
    const PlacePtr open = logs->Find(log);
    if (open != nullptr || !lss::IsRemotePlace(place)) {
      turn.Unlock();  // no connection is made, and others may look, too
    }
    look(open, {[logs] { logs->NoteStep(); }, [waiting] { return waiting->IsAwaited(); }});
    (void)waiting->IsSettledAlready();
  });
  return is_done || waiting->IsSettledAlready();
}

Status SecondPlace::GiveUp(const std::string& place, const lss::Uuid& log,
                           const lss::Uuid& database, std::chrono::milliseconds patience,
                           std::shared_ptr<SecondPlace>* result) {
  const auto give_up = [=](PlaceLogs* logs, const lss::PlaceCaller& caller, Opened* opened) {
    opened->place = logs->Find(log);
    if (opened->place == nullptr) {
      const auto hold = [&](lss::HeldSideSpace* held) {
        Status status = lss::OpenNamedSideSpace(place, log, WarnOnce, held);
        if (status.ok()) {
          status = caller.CheckWaits(place);
        }
        return status.ok() ? held->space->TakeOver() : status;
      };
      if (Status status = Start(place, caller, hold, &opened->place); !status.ok()) {
        return status;
      }
      logs->Add(opened->place);
    }
    opened->place->log()->ForgetDatabase(database);
    (void)opened->place->log()->labels()->Remove(database);  // one that stays takes room, no more
    return Status::Ok();
  };
  Opened opened;
  Status status = Ask(
      place, patience, give_up, [](SecondPlace*) {}, &opened);
  *result = std::move(opened.place);
  return status;
}

Status SecondPlace::Start(const std::string& place, const lss::PlaceCaller& caller,
                          const Holding& hold, std::shared_ptr<SecondPlace>* result) {
  std::shared_ptr<SecondPlace> fresh = New(place);
  Status status = hold(&fresh->held_);
  if (status.ok()) {
    status = fresh->Init(caller);
  }
  if (status.ok()) {
    *result = std::move(fresh);
  }
  return status;
}

std::shared_ptr<SecondPlace> SecondPlace::New(const std::string& place) {
  return {new SecondPlace(place), Close};
}

void SecondPlace::Close(SecondPlace* place) {
  if (place->fork_guard_.InForkedChild()) {
    delete place;
    return;
  }
  const std::string name = place->place_;
  if (!DoWithin(kCloseWithin, [place] { delete place; })) {
    WarnOnce("the second place " + name + " does not answer; it is closed when it does");
  }
}

Status SecondPlace::Init(const lss::PlaceCaller& caller) {
  lss::LiveRecords wanted;
  lss::SideScan scan;
  Status status = lss::ScanSideLog(
      *held_.space,
      [&](const lss::SideRecord& record, uint64_t lsn) {
        caller.NoteStep();
        wanted.Add(record.stream, record.offset + record.bytes.size, lsn);
        found_.insert(record.stream);
      },
      &scan);
  if (status.ok()) {
    status = caller.CheckWaits(place_);
  }
  if (status.ok()) {
    status = lss::SideLog::Open(std::move(held_.space), scan.end, std::move(wanted),
                                is_remote() ? kInFlightRemote : kInFlight, &log_);
  }
  return status.ok() ? StartThreads() : status;
}

}  // namespace bloom_lfs

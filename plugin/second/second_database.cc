#include "plugin/second/second_database.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <thread>
#include <utility>

#include "lss/base/boot_id.h"
#include "lss/base/file_identity.h"
#include "lss/base/per_process.h"
#include "lss/base/posix_file.h"
#include "lss/recovery/ring_directory.h"
#include "lss/second_place/hand_off_queue.h"
#include "plugin/directory_id.h"
#include "plugin/directory_recovery.h"
#include "plugin/file_kind.h"
#include "plugin/plugin_options.h"
#include "plugin/second/doubled_log_file.h"
#include "plugin/second/failover_log_file.h"
#include "plugin/second/second_figures.h"
#include "plugin/second/second_recovery.h"
#include "plugin/warning.h"

namespace bloom_lfs {
namespace {

using lss::Status;

// The last owner may still be on its way out.
constexpr auto kWaitForOwner = std::chrono::seconds(5);
// Of the time that a failed attempt to open a place took, so long is the pause before the next.
constexpr int kPauseFactor = 10;
// A log that is being written looks damaged where a write is under way.
constexpr int kReadings = 5;
// A place that does not get on for so long is done without, or is not there. Longer than a
// connection may take, whose error says more.
constexpr auto kAnswerWithin = std::chrono::seconds(15);
constexpr auto kNeededWithin = std::chrono::seconds(60);

lss::FailoverLimits LimitsOf(const PluginOptions& options) {
  constexpr int64_t kNanosPerMilli = 1000000;
  return {static_cast<int64_t>(options.failover_after_ms) * kNanosPerMilli,
          static_cast<int64_t>(options.failback_below_ms) * kNanosPerMilli,
          static_cast<int64_t>(options.failback_after_s) * 1000 * kNanosPerMilli};
}

lss::SecondMode ModeOf(const PluginOptions& options) {
  return options.second_mode == "mirror" ? lss::SecondMode::kMirror : lss::SecondMode::kGroup;
}

Status WithoutPlace(const std::string& directory, const SecondMarker& marker, const Status& why) {
  return Status::IoError(
      directory + " was written with the second place " + marker.place +
      ", which may have what its files lack, and which cannot be used: " + why.message() +
      ". Bring it back, or give up what is only there: bloom_lfs recover --without-second-place " +
      directory);
}

lss::FileIdentity IdentityOf(const std::string& directory) {
  lss::FileIdentity identity;
  uint64_t size = 0;
  (void)lss::IdentifyPath(directory, &identity, &size);
  return identity;
}

lss::Uuid ThisBoot() {
  lss::Uuid boot = {};
  std::copy_n(lss::BootId(), boot.size(), boot.begin());
  return boot;
}

// Names are written down, and read by processes that were started elsewhere.
std::string Absolute(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> whole(realpath(path.c_str(), nullptr), std::free);
  return whole == nullptr ? path : whole.get();
}

// Of a directory that may be missing, in one that is not.
Status ResolvePlace(const std::string& name, std::string* resolved) {
  if (lss::IsRemotePlace(name)) {
    *resolved = name;
    return Status::Ok();
  }
  const std::string parent = Absolute(lss::DirectoryOf(name));
  if (access(parent.c_str(), F_OK) != 0) {
    return Status::FromErrno("find", parent, -1, errno);
  }
  *resolved = Absolute(parent + "/" + lss::BaseNameOf(name));
  return Status::Ok();
}

// Looking for it may hang as much as anything else there.
Status ResolvePlaceWithin(const std::string& name, std::chrono::milliseconds patience,
                          std::string* resolved) {
  struct Found {
    Status status;
    std::string name;
  };
  const auto found = std::make_shared<Found>();
  if (!SecondPlace::AskWithin(name, patience,
                              [=] { found->status = ResolvePlace(name, &found->name); })) {
    return SecondPlace::NoAnswer(name, patience);
  }
  *resolved = found->name;
  return found->status;
}

Status ReadRecordsOnce(const SecondMarker& marker, const std::shared_ptr<SecondPlace>& open,
                       const lss::PlaceCaller& caller, RecordedLogs* logs) {
  // A server may have one client at a time.
  if (open != nullptr) {
    return ReadRecordedLogs(open->log()->space(), marker.database, caller, logs);
  }
  std::unique_ptr<lss::SideSpace> space;
  std::string path;
  Status status = lss::FindSideSpace(marker.place, marker.log, WarnOnce, &space, &path);
  return status.ok() ? ReadRecordedLogs(*space, marker.database, caller, logs) : status;
}

Status ReadRecords(const SecondMarker& marker, RecordedLogs* logs) {
  struct Read {
    Status status;
    RecordedLogs logs;
  };
  const auto read = std::make_shared<Read>();
  const auto look = [=](const std::shared_ptr<SecondPlace>& open, const lss::PlaceCaller& caller) {
    for (int reading = 0; reading < kReadings; ++reading) {
      read->status = ReadRecordsOnce(marker, open, caller, &read->logs);
      if (read->status.code() != Status::Code::kCorruption) {
        break;
      }
    }
  };
  if (!SecondPlace::Look(marker.place, marker.log, kNeededWithin, look)) {
    return SecondPlace::NoAnswer(marker.place, kNeededWithin);
  }
  *logs = std::move(read->logs);
  return read->status;
}

}  // namespace

SecondDatabase::SecondDatabase(const std::string& directory) : directory_(Absolute(directory)) {}

Status SecondDatabase::Arrive(bool* busy) {
  const lss::MutexLock own(&mutex_);
  *busy = false;
  Status status = ReadSecondMarker(directory_, &marker_);
  if (status.code() == Status::Code::kNotFound) {
    return Status::Ok();
  }
  if (status.ok()) {
    status = lock_.Take(directory_, busy);
  }
  if (status.ok()) {
    status = ReadSecondMarker(directory_, &marker_);  // as it stays now
  }
  return status.ok() ? Recover() : status.code() == Status::Code::kNotFound ? Status::Ok() : status;
}

Status SecondDatabase::Recover() {
  RecordedLogs recorded;
  Status status = ReadRecords(marker_, &recorded);
  if (!status.ok()) {
    return WithoutPlace(directory_, marker_, status);
  }
  if (IsSuperseded(directory_, recorded)) {
    WarnOnce("somebody has gone on with " + directory_ + " without its second place " +
             marker_.place + "; what was only there is left out");
    recorded.clear();
  } else if (marker_.boot != ThisBoot()) {
    // The rings' recovery cuts a file behind its last whole record, and a record that ends in the
    // side log looks torn in the file. In the same boot the rings have everything.
    status = WriteRecordedLogs(directory_, recorded, /*touching_only=*/true);
  }
  if (status.ok()) {
    status = RecoverDirectory(directory_);
  }
  if (status.ok()) {
    status = WriteRecordedLogs(directory_, recorded, /*touching_only=*/false);
  }
  RecordedLogs queued;
  if (status.ok()) {
    status = ReadQueuedLogs(marker_.queues, directory_, marker_.database, &queued);
  }
  if (status.ok()) {
    status = WriteRecordedLogs(directory_, queued, /*touching_only=*/false);
  }
  if (!status.ok()) {
    return status;
  }
  if (marker_.directory.SameFile(IdentityOf(directory_))) {
    lss::HandOffQueue::Remove(marker_.queues, marker_.database);
    GiveUpRecords();  // a copy leaves them to the original
  }
  return RemoveSecondMarker(directory_, marker_.database);
}

// If another process has the log, it finds out itself when it wants the room.
void SecondDatabase::GiveUpRecords() {
  (void)SecondPlace::GiveUp(marker_.place, marker_.log, marker_.database, kAnswerWithin, &place_);
}

SecondDatabase::~SecondDatabase() {
  if (fork_guard_.InForkedChild()) {
    return;
  }
  const lss::MutexLock own(&mutex_);
  if (begun_ && !place_->log()->Wants(marker_.database)) {
    // One that stays costs a look at the next open.
    (void)RemoveSecondMarker(directory_, marker_.database);
    place_->Unlabel(marker_.database);
  }
}

bool SecondDatabase::HasPlace() const {
  if (!begun_ || !place_->log()->has_failed()) {
    return begun_;
  }
  // As long as files may need what the failed log has, its marker has to stay.
  return !is_mirror_ && place_->log()->Wants(marker_.database);
}

Status SecondDatabase::Begin(const PluginOptions& options) {
  if (HasPlace()) {
    return Status::Ok();
  }
  if (!options.needs_second_place() && Clock::now() < not_before_) {
    return begin_error_;
  }
  const Clock::time_point begin = Clock::now();
  begin_error_ = BeginNow(options);
  // A machine that is not there takes a connection's timeout to find out, and RocksDB waits.
  not_before_ = Clock::now() + kPauseFactor * (Clock::now() - begin);
  return begin_error_;
}

Status SecondDatabase::BeginNow(const PluginOptions& options) {
  const bool is_mirror = options.second_mode == "mirror";
  SecondPlace::Wish wish;
  wish.database = lss::DrawUuid();
  wish.directory = directory_;
  wish.goes_on = is_mirror;  // where its last life was
  wish.bytes = options.second_bytes;
  wish.patience = options.needs_second_place() ? kNeededWithin : kAnswerWithin;
  Status status = ResolvePlaceWithin(options.second_place, wish.patience, &wish.place);
  SecondPlace::Opened opened;
  if (status.ok()) {
    status = SecondPlace::Open(wish, &opened);
  }
  if (!status.ok()) {
    return status;
  }
  const std::shared_ptr<SecondPlace> place = std::move(opened.place);
  place->CatchUpWithin(std::chrono::milliseconds(options.second_catch_up_ms));
  const SecondMarker marker = {place->log_name(),      wish.database,          ThisBoot(),
                               IdentityOf(directory_), options.ring_directory, wish.place};
  // A mirror has nothing that the files lack.
  if (!is_mirror) {
    status = WriteMarker(marker);
  }
  if (!status.ok()) {
    return status;
  }
  if (begun_) {
    earlier_.emplace_back(marker_.database, place_);
  }
  marker_ = marker;
  place_ = place;
  is_mirror_ = is_mirror;
  begun_ = true;
  if (options.second_mode == "failover" || options.second_mode == "hedge") {
    policy_ = std::make_shared<lss::SharedFailoverPolicy>(LimitsOf(options));
  }
  figures_ = nullptr;
  figures_ = std::make_unique<DatabaseFigures>(directory_, options.second_mode, policy_);
  AdoptOlderLogs(opened.earlier);
  return status;
}

Status SecondDatabase::WriteMarker(const SecondMarker& marker) {
  Status status = MakeRingDirectory(directory_);
  bool busy = false;
  const auto until = std::chrono::steady_clock::now() + kWaitForOwner;
  while (status.ok() && !lock_.held()) {
    status = lock_.Take(directory_, &busy);
    if (!busy || std::chrono::steady_clock::now() > until) {
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    status = Status::Ok();
  }
  return status.ok() ? WriteSecondMarker(directory_, marker) : status;
}

void SecondDatabase::AdoptOlderLogs(const std::vector<lss::StreamName>& names) {
  for (const lss::StreamName& name : names) {
    if (FindLog(directory_, name.number).empty()) {
      place_->Retire(name);
    } else {
      older_.emplace(name.number, name);
    }
  }
}

Status SecondDatabase::Wrap(const std::string& path, const PluginOptions& options,
                            const std::shared_ptr<SecondDatabase>& self,
                            std::function<void()> note_sync,
                            std::unique_ptr<rocksdb::FSWritableFile>* file) {
  const lss::StreamName name = {marker_.database, WalNumber(path), 0};
  const bool hedge = options.second_mode == "hedge";
  auto synced = std::make_shared<SyncedFile>(std::move(*file), std::move(note_sync));
  if (hedge || options.second_mode == "failover") {
    std::shared_ptr<lss::FailoverStream> stream;
    Status status = place_->BeginFailover(name, hedge, policy_, options.ring_directory,
                                          std::make_shared<FedFile>(synced), &stream);
    if (!status.ok()) {
      *file = synced->Release();
      return status;
    }
    *file = std::make_unique<FailoverLogFile>(synced, place_, std::move(stream), self);
    return Status::Ok();
  }
  const int64_t degrade_after_ms = options.mirror_degraded == "wait"
                                       ? lss::DoubledStream::kNever
                                       : static_cast<int64_t>(options.failover_after_ms);
  auto stream =
      place_->Begin(name, ModeOf(options), degrade_after_ms, [synced] { return synced->Sync(); });
  *file = std::make_unique<DoubledLogFile>(synced, place_, std::move(stream), self);
  return Status::Ok();
}

}  // namespace bloom_lfs

#include "plugin/second/second_figures.h"

#include <algorithm>
#include <atomic>
#include <chrono>

#include "plugin/second/second_place.h"

namespace bloom_lfs {

void DatabaseFigures::Collect(FigureSink* sink) const {
  const Figure::Labels database = {{"database", directory_}, {"mode", mode_}};
  sink->Gauge("bloom_lfs_second_mode", "Databases with a second place, and their modes.", database,
              1);
  if (policy_ == nullptr) {
    return;
  }
  const int64_t now = std::chrono::steady_clock::now().time_since_epoch().count();
  const lss::MutexLock lock(&policy_->mutex);
  sink->Gauge("bloom_lfs_second_failed_over", "1 while syncs do not wait for the file.", database,
              policy_->policy.failed_over() ? 1 : 0);
  sink->Counter("bloom_lfs_second_switches_total", "Failovers, and ends of them.", database,
                static_cast<double>(policy_->policy.switches()));
  sink->Counter("bloom_lfs_second_failed_over_seconds_total", "Time spent failed over.", database,
                static_cast<double>(policy_->policy.FailedOverFor(now)) / 1e9);
}

void SecondPlace::NoteEnd() {
  constexpr size_t kMostEnds = 3600;
  const uint64_t end = log_->durable_lsn();
  const uint64_t oldest = end - std::min(end, log_->RoomUsed());
  if (ends_.empty() || ends_.back().first != end) {
    ends_.emplace_back(end, Clock::now());
  } else if (ends_.size() > 1 || oldest == end) {
    ends_.back().second = Clock::now();  // what comes behind it is not older
  }
  while (ends_.size() > kMostEnds || (ends_.size() > 1 && ends_[1].first <= oldest)) {
    ends_.pop_front();
  }
}

double SecondPlace::SecondsBehind() const {
  if (log_->RoomUsed() == 0) {
    return 0;
  }
  const lss::MutexLock lock(&mutex_);
  return ends_.empty() ? 0
                       : std::chrono::duration<double>(Clock::now() - ends_.front().second).count();
}

void SecondPlace::Collect(FigureSink* sink) const {
  const auto value = [](const std::atomic<uint64_t>& figure) {
    return static_cast<double>(figure.load(std::memory_order_relaxed));  // Relaxed: a figure
  };
  const Figure::Labels place = {{"place", place_}};
  constexpr char kSyncs[] = "bloom_lfs_second_syncs_total";
  constexpr char kSyncsHelp[] = "Syncs of logs with a second place, by what made them durable.";
  const auto syncs = [&](const char* by, const std::atomic<uint64_t>& figure) {
    sink->Counter(kSyncs, kSyncsHelp, {{"place", place_}, {"by", by}}, value(figure));
  };
  syncs("side", figures_.side_syncs);
  syncs("file", figures_.file_syncs);
  syncs("file_without_mirror", figures_.degraded_syncs);
  constexpr char kWaits[] = "bloom_lfs_second_sync_seconds";
  constexpr char kWaitsHelp[] = "What syncs of logs with a second place took, by where.";
  sink->Histogram(kWaits, kWaitsHelp, {{"place", place_}, {"at", "side"}}, figures_.side_waits);
  sink->Histogram(kWaits, kWaitsHelp, {{"place", place_}, {"at", "file"}}, figures_.file_waits);
  sink->Counter("bloom_lfs_second_doubled_bytes_total",
                "Bytes of logs that were written to the side log, too.", place,
                value(figures_.doubled_bytes));
  sink->Counter("bloom_lfs_second_writes_total", "Writes of the side log to its device.", place,
                static_cast<double>(log_->writes()));
  sink->Counter("bloom_lfs_second_written_bytes_total", "Bytes of those writes.", place,
                static_cast<double>(log_->written_bytes()));
  sink->Gauge("bloom_lfs_second_log_bytes", "Size of the side log.", place,
              static_cast<double>(log_->space().log_bytes()));
  sink->Gauge("bloom_lfs_second_used_bytes", "Of it, from the oldest record that is wanted.", place,
              static_cast<double>(log_->RoomUsed()));
  sink->Gauge("bloom_lfs_second_behind_seconds",
              "Age of the oldest record that is wanted: not yet in its file, or of a mirror.",
              place, SecondsBehind());
  sink->Gauge("bloom_lfs_second_failed", "1 once the side log has failed.", place,
              log_->has_failed() ? 1 : 0);
}

}  // namespace bloom_lfs

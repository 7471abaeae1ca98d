#include "plugin/tool/doctor_costs.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <optional>
#include <random>
#include <vector>

#include "lss/base/clock.h"
#include "lss/base/page_buffer.h"
#include "lss/base/types.h"
#include "lss/device/file_device.h"
#include "plugin/tool/sync_probe.h"

namespace bloom_lfs::tool {
namespace {

using lss::Status;

// A row of db_bench's fillsync takes about as much in the log.
constexpr uint64_t kRowBytes = 128;
constexpr uint64_t kBulkBytes = 1 << 20;
constexpr int64_t kNsPerUs = 1000;
constexpr int kRoundsMin = 3;
// However slow the disk is.
constexpr size_t kWritesPerShareMin = 8;
constexpr uint64_t kAreaBytesMin = 64 << 10;
constexpr uint64_t kAreas = 5;
// All files together leave most of what is free to others.
constexpr uint64_t kShareOfFree = 4;
constexpr int64_t kSequentialNsMax = 1'000'000'000;

Status StoppedBySignal() { return Status::Closed("stopped by a signal"); }

// Incompressible, so that neither a file system nor a device can take a short cut.
void FillWithNoise(lss::PageBuffer* buffer) {
  std::mt19937_64 random(1);
  for (size_t at = 0; at < buffer->size(); at += sizeof(uint64_t)) {
    const uint64_t word = random();
    std::memcpy(buffer->data() + at, &word, sizeof(word));
  }
}

// For how long this thread could have run and did not; none where the kernel does not tell.
std::optional<int64_t> ProcessorWaitNs() {
  std::ifstream statistics("/proc/thread-self/schedstat");
  int64_t ran_ns = 0;
  int64_t waited_ns = 0;
  return statistics >> ran_ns >> waited_ns ? std::optional<int64_t>(waited_ns) : std::nullopt;
}

class CostSeries {
 public:
  CostSeries(std::unique_ptr<SyncProbe> probe, Cost* cost)
      : probe_(std::move(probe)), cost_(cost) {}

  // Writes for `share`, and gives their mean in µs.
  Status Run(const CostPlan& plan, double* mean_us);
  // What was measured before is forgotten: it was to warm up.
  void Forget() { samples_us_.clear(); }
  void Finish();

 private:
  std::unique_ptr<SyncProbe> probe_;
  Cost* const cost_;
  std::vector<double> samples_us_;
};

Status CostSeries::Run(const CostPlan& plan, double* mean_us) {
  const int64_t share_ns = std::chrono::nanoseconds(plan.share).count();
  int64_t spent_ns = 0;
  size_t writes = 0;
  while (spent_ns < share_ns || writes < kWritesPerShareMin) {
    Status status = probe_->used_up() ? probe_->Renew() : Status::Ok();
    const int64_t begin_ns = lss::SteadyNowNs();
    status = status.ok() ? probe_->Next() : status;
    const int64_t took_ns = lss::SteadyNowNs() - begin_ns;
    if (!status.ok()) {
      return status;
    }
    if (plan.stopped && plan.stopped()) {
      return StoppedBySignal();
    }
    samples_us_.push_back(static_cast<double>(took_ns) / kNsPerUs);
    spent_ns += took_ns;
    ++writes;
  }
  *mean_us = static_cast<double>(spent_ns) / kNsPerUs / static_cast<double>(writes);
  return Status::Ok();
}

void CostSeries::Finish() {
  if (samples_us_.empty()) {
    return;
  }
  std::sort(samples_us_.begin(), samples_us_.end());
  double sum = 0;
  for (const double sample : samples_us_) {
    sum += sample;
  }
  cost_->count = samples_us_.size();
  cost_->mean_us = sum / static_cast<double>(samples_us_.size());
  cost_->median_us = samples_us_[samples_us_.size() / 2];
  cost_->p99_us = samples_us_[samples_us_.size() * 99 / 100];
}

// Bulk as it goes to the disk: past the page cache if that can be done, and synced at its end.
Status MeasureSequential(const std::string& directory, const CostPlan& plan, const char* source,
                         double* mib_per_s) {
  std::unique_ptr<PrivateFile> file;
  if (Status status = PrivateFile::Create(directory, plan.name, &file); !status.ok()) {
    return status;
  }
  lss::FileDevice device(file->TakeFd(), "a file in " + directory, nullptr);
  device.BypassCache(plan.direct_io);
  const int64_t begin_ns = lss::SteadyNowNs();
  uint64_t at = 0;
  while (at < plan.sequential_bytes && lss::SteadyNowNs() - begin_ns < kSequentialNsMax) {
    const uint64_t length = std::min(kBulkBytes, plan.sequential_bytes - at);
    const iovec piece = {const_cast<char*>(source), length};
    if (Status status = device.Write({piece}, at, lss::WriteKind::kPlain); !status.ok()) {
      return status;
    }
    if (plan.stopped && plan.stopped()) {
      return StoppedBySignal();
    }
    at += length;
  }
  Status status = device.Sync();
  const double seconds = static_cast<double>(lss::SteadyNowNs() - begin_ns) / 1e9;
  *mib_per_s = static_cast<double>(at) / static_cast<double>(kBulkBytes) / seconds;
  return status;
}

struct CostWay {
  SyncWay way;
  uint64_t write_bytes;
  uint64_t step_bytes;
  Cost CostFacts::*cost;
};

// The first, third and last make a CostRound.
constexpr std::array<CostWay, kAreas> kWays = {{
    {SyncWay::kAppend, kRowBytes, kRowBytes, &CostFacts::stock_sync},
    {SyncWay::kAppend, lss::kPageBytes, lss::kPageBytes, &CostFacts::append},
    {SyncWay::kDurableOverwrite, lss::kPageBytes, kRowBytes, &CostFacts::durable_overwrite},
    {SyncWay::kOverwrite, lss::kPageBytes, lss::kPageBytes, &CostFacts::overwrite},
    {SyncWay::kDurableUnwritten, lss::kPageBytes, lss::kPageBytes, &CostFacts::durable_unwritten},
}};

Status MakeCostSeries(const std::string& directory, const CostPlan& plan, const char* source,
                      CostFacts* costs, std::vector<CostSeries>* all) {
  for (const CostWay& each : kWays) {
    std::unique_ptr<SyncProbe> probe;
    Status status = SyncProbe::Create(directory, plan.name, each.way, plan.direct_io, source,
                                      {each.write_bytes, each.step_bytes, plan.area_bytes}, &probe);
    if (!status.ok()) {
      return status;
    }
    all->emplace_back(std::move(probe), &(costs->*each.cost));
  }
  return Status::Ok();
}

Status RunRound(const CostPlan& plan, std::vector<CostSeries>* all, CostRound* round) {
  std::array<double, kAreas> means_us = {};
  for (size_t i = 0; i < all->size(); ++i) {
    if (Status status = (*all)[i].Run(plan, &means_us[i]); !status.ok()) {
      return status;
    }
  }
  *round = {means_us[0], means_us[2], means_us[4]};
  return Status::Ok();
}

}  // namespace

Status PlanFor(const std::string& directory, uint64_t free_bytes, uint64_t file_size_max,
               bool quick, CostPlan* plan) {
  const CostPlan most;
  const uint64_t usable = free_bytes / kShareOfFree;
  const uint64_t area = std::min({most.area_bytes, usable / 2 / kAreas, file_size_max});
  plan->area_bytes = lss::PageFloor(area);
  if (plan->area_bytes < kAreaBytesMin) {
    const bool full = usable / 2 / kAreas < kAreaBytesMin;
    return Status::NoSpace(
        directory + ": " +
        (full ? std::to_string(free_bytes >> 10) + " KiB are free, and a look at it needs " +
                    std::to_string(kAreaBytesMin * kAreas * 2 * kShareOfFree >> 10)
              : "files of this process may have " + std::to_string(file_size_max) +
                    " bytes (ulimit -f), and a look at it needs " + std::to_string(kAreaBytesMin)));
  }
  plan->sequential_bytes = lss::PageFloor(std::min(
      {quick ? most.sequential_bytes / 4 : most.sequential_bytes, usable / 2, file_size_max}));
  if (quick) {
    plan->rounds = 6;
    plan->share = std::chrono::milliseconds(20);
    plan->most = std::chrono::seconds(8);
  }
  return Status::Ok();
}

Status MeasureCosts(const std::string& directory, const CostPlan& plan, CostFacts* costs) {
  lss::PageBuffer source(kBulkBytes);
  if (source.data() == nullptr) {
    return Status::IoError("no memory for a buffer of 1 MiB");
  }
  FillWithNoise(&source);
  std::vector<CostSeries> all;
  Status status = MakeCostSeries(directory, plan, source.data(), costs, &all);
  CostRound warm;
  status = status.ok() ? RunRound(plan, &all, &warm) : status;
  for (CostSeries& each : all) {
    each.Forget();
  }
  const std::optional<int64_t> waited_before_ns = ProcessorWaitNs();
  const int64_t begin_ns = lss::SteadyNowNs();
  const int64_t end_ns = begin_ns + std::chrono::nanoseconds(plan.most).count();
  for (int i = 0; i < plan.rounds && status.ok(); ++i) {
    if (i >= kRoundsMin && lss::SteadyNowNs() > end_ns) {
      break;
    }
    CostRound round;
    status = RunRound(plan, &all, &round);
    costs->rounds.push_back(round);
  }
  const std::optional<int64_t> waited_after_ns = ProcessorWaitNs();
  if (waited_before_ns.has_value() && waited_after_ns.has_value()) {
    costs->processor_wait = static_cast<double>(*waited_after_ns - *waited_before_ns) /
                            static_cast<double>(lss::SteadyNowNs() - begin_ns);
  }
  for (CostSeries& each : all) {
    each.Finish();
  }
  return status.ok()
             ? MeasureSequential(directory, plan, source.data(), &costs->sequential_mib_per_s)
             : status;
}

}  // namespace bloom_lfs::tool

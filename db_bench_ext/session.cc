#include "db_bench_ext/session.h"

#include <algorithm>
#include <cstdio>

#include "db_bench_ext/child_process.h"

namespace bloom_lfs::bench {

Session::Session(const Setup* setup, const WorkDirectory* directory, const DeviceLimit* device)
    : runner_(setup, directory, device),
      flash_runner_(setup, directory),
      start_(std::chrono::steady_clock::now()) {}

std::vector<Comparison> Session::Run(const std::vector<Workload>& workloads, const Effort& effort) {
  std::vector<Comparison> comparisons;
  comparisons.reserve(workloads.size());
  for (const Workload& workload : workloads)
    comparisons.push_back({workload, {}, std::nullopt, std::nullopt});
  // The longest pair of each workload so far, as the forecast for its next one.
  std::vector<std::chrono::duration<double>> longest(workloads.size());
  for (int round = 0; round < effort.pairs; ++round) {
    for (size_t i = 0; i < comparisons.size(); ++i) {
      if (SignalsAsResults::Interrupted()) return comparisons;
      if (comparisons[i].failure.has_value() || comparisons[i].skipped.has_value()) continue;
      const auto before = Elapsed();
      if (round > 0 && effort.budget.count() > 0 && before + longest[i] > effort.budget) {
        ++skipped_pairs_;
        continue;
      }
      RunPair(round, effort, &comparisons[i]);
      longest[i] = std::max(longest[i], Elapsed() - before);
    }
  }
  return comparisons;
}

void Session::RunPair(int round, const Effort& effort, Comparison* comparison) {
  const std::string& name = comparison->workload.name;
  if (comparison->workload.flash.has_value()) {
    comparison->skipped = flash_runner_.ReasonToSkip(comparison->workload);
    if (comparison->skipped.has_value()) {
      PrintProgress(name, round, effort, "skipped");
      return;
    }
  }
  Result<PairSample> sample = Measure(comparison->workload, round, [&](const std::string& what) {
    PrintProgress(name, round, effort, what);
  });
  if (sample.ok()) {
    comparison->pairs.push_back(sample.value());
    return;
  }
  // A run that was interrupted says nothing about its workload.
  if (SignalsAsResults::Interrupted()) return;
  comparison->failure = sample.error();
  // The whole message stands below the table.
  const std::string& message = sample.error().message;
  PrintProgress(name, round, effort, "FAILED: " + message.substr(0, message.find('\n')));
}

Result<PairSample> Session::Measure(const Workload& workload, int round,
                                    const ProgressFunction& progress) {
  return workload.flash.has_value() ? flash_runner_.Run(workload, round, progress)
                                    : runner_.Run(workload, round, progress);
}

void Session::PrintProgress(const std::string& workload, int round, const Effort& effort,
                            const std::string& what) const {
  const int elapsed_s = static_cast<int>(Elapsed().count());
  std::fprintf(stderr, "%2d:%02d  round %d of %d  %-26s  %s\n", elapsed_s / 60, elapsed_s % 60,
               round + 1, effort.pairs, workload.c_str(), what.c_str());
}

std::chrono::duration<double> Session::Elapsed() const {
  return std::chrono::steady_clock::now() - start_;
}

}  // namespace bloom_lfs::bench

#include "db_bench_ext/session.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "db_bench_ext/child_process.h"

namespace bloom_lfs::bench {

Session::Session(const Setup* setup, const WorkDirectory* directory, const DeviceLimit* device)
    : setup_(*setup),
      runner_(setup, directory, device),
      flash_runner_(setup, directory),
      second_runner_(setup, directory, device),
      start_(std::chrono::steady_clock::now()) {}

std::vector<Comparison> Session::Run(const std::vector<Workload>& workloads, const Effort& effort) {
  std::vector<Comparison> comparisons;
  comparisons.reserve(workloads.size());
  for (const Workload& workload : workloads)
    comparisons.push_back({workload, {}, std::nullopt, std::nullopt, AbsentArms(setup_, workload)});
  // The longest pair of each workload so far, as the forecast for its next one.
  progress_ = {std::vector<double>(workloads.size()), 0, 0, effort.pairs};
  for (int round = 0; round < effort.pairs; ++round) {
    for (size_t i = 0; i < comparisons.size(); ++i) {
      if (SignalsAsResults::Interrupted()) return comparisons;
      if (comparisons[i].failure.has_value() || comparisons[i].skipped.has_value()) continue;
      progress_.round = round;
      progress_.row = i;
      double& longest_s = progress_.pair_s[i];
      const double before_s = Elapsed().count();
      if (round > 0 && effort.budget.count() > 0 &&
          before_s + longest_s > static_cast<double>(effort.budget.count())) {
        ++skipped_pairs_;
        continue;
      }
      RunPair(round, effort, &comparisons[i]);
      const bool given_up =
          comparisons[i].failure.has_value() || comparisons[i].skipped.has_value();
      longest_s = given_up ? -1 : std::max(longest_s, Elapsed().count() - before_s);
    }
  }
  return comparisons;
}

std::optional<std::string> Session::ReasonToSkip(const Workload& workload) {
  if (workload.flash.has_value()) return flash_runner_.ReasonToSkip(workload);
  if (workload.second.has_value()) return second_runner_.ReasonToSkip(workload);
  if (workload.beside_no_figures && setup_.plugin_without_figures.empty()) {
    return "it needs --without_figures=<libbloom_lfs.so that counts nothing>; "
           "db_bench_ext/README.md says how to build it";
  }
  return std::nullopt;
}

void Session::RunPair(int round, const Effort& effort, Comparison* comparison) {
  const std::string& name = comparison->workload.name;
  comparison->skipped = ReasonToSkip(comparison->workload);
  if (comparison->skipped.has_value()) {
    PrintProgress(name, round, effort, "skipped");
    return;
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
  if (workload.flash.has_value()) return flash_runner_.Run(workload, round, progress);
  if (workload.second.has_value()) return second_runner_.Run(workload, round, progress);
  return runner_.Run(workload, round, progress);
}

void Session::PrintProgress(const std::string& workload, int round, const Effort& effort,
                            const std::string& what) const {
  const int elapsed_s = static_cast<int>(Elapsed().count());
  std::fprintf(stderr, "%2d:%02d%s  round %d of %d  %-26s  %s\n", elapsed_s / 60, elapsed_s % 60,
               TimeLeft(effort).c_str(), round + 1, effort.pairs, workload.c_str(), what.c_str());
}

double Session::WholeSeconds(const Effort& effort) const {
  Progress whole = progress_;
  whole.round = 0;
  whole.row = 0;
  const double all_s = EstimateSecondsLeft(whole).value_or(0);
  return effort.budget.count() > 0 ? std::min(all_s, static_cast<double>(effort.budget.count()))
                                   : all_s;
}

std::string Session::TimeLeft(const Effort& effort) const {
  if (isatty(STDERR_FILENO) == 0) return "";
  const std::optional<double> estimate_s = EstimateSecondsLeft(progress_);
  if (!estimate_s.has_value()) return "";
  double left_s = *estimate_s;
  if (effort.budget.count() > 0) {
    left_s = std::min(left_s, static_cast<double>(effort.budget.count()) - Elapsed().count());
  }
  left_s += effort.sessions_to_come * WholeSeconds(effort);
  const int whole_s = std::max(0, static_cast<int>(left_s));
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), " (%d:%02d left)", whole_s / 60, whole_s % 60);
  return text.data();
}

std::chrono::duration<double> Session::Elapsed() const {
  return std::chrono::steady_clock::now() - start_;
}

}  // namespace bloom_lfs::bench

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "db_bench_ext/results_document.h"

namespace bloom_lfs::bench {

// A row of now beside the same row of an earlier document. Their ratios to stock are compared, not
// their speeds: a machine may have changed in between, and stock with it.
struct BaselineRow {
  std::string title;
  double ratio_then = 0;  // medians of the pair ratios
  double ratio_now = 0;
  std::optional<Interval> interval_then;
  std::optional<Interval> interval_now;
  // "better", "worse", "no difference" where the intervals meet; "too few pairs".
  std::string verdict;
};

// The rows that were measured in both, by name; behind each its further arms that both have.
std::vector<BaselineRow> CompareWithBaseline(const ResultsDocument& now,
                                             const ResultsDocument& then);

// What is not the same in both, as "kernel: was X, is Y".
std::vector<std::string> OtherCircumstances(const ResultsDocument& now,
                                            const ResultsDocument& then);

// Reads a document that --json_file has written. It is an error, to be met before anything runs, if
// there is none, it cannot be used, or it has none of `workloads`, on one of `file_systems` if
// those are given.
Result<ResultsDocument> ReadBaseline(const std::string& path,
                                     const std::vector<Workload>& workloads,
                                     const std::vector<std::string>& file_systems = {});

// Both of the above, for people.
std::string RenderBaseline(const ResultsDocument& now, const ResultsDocument& then);

}  // namespace bloom_lfs::bench

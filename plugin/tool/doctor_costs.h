// What writing and syncing costs in a directory, measured with real I/O in private files.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "lss/base/status.h"
#include "plugin/tool/doctor_facts.h"
#include "plugin/tool/doctor_file.h"

namespace bloom_lfs::tool {

struct CostPlan {
  PrivateFile::Name name = PrivateFile::Name::kNone;
  int rounds = 12;
  std::chrono::milliseconds share{50};  // of each way in each round
  std::chrono::seconds most{40};  // all together, on a slow disk; three rounds are made anyway
  uint64_t area_bytes = 4 << 20;  // of each of five files
  uint64_t sequential_bytes = 64 << 20;
  bool direct_io = true;          // as found out before
  std::function<bool()> stopped;  // asked after every write
};

// A plan that fits into `free_bytes` and below the process's limit of file sizes. NoSpace: none
// does.
lss::Status PlanFor(const std::string& directory, uint64_t free_bytes, uint64_t file_size_max,
                    bool quick, CostPlan* plan);

// Closed: `stopped`. Any other error is the file system's. Nothing is left behind.
lss::Status MeasureCosts(const std::string& directory, const CostPlan& plan, CostFacts* costs);

}  // namespace bloom_lfs::tool

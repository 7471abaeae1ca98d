#pragma once

#include <string>
#include <vector>

#include "db_bench_ext/result.h"
#include "db_bench_ext/workload.h"

namespace bloom_lfs::bench {

// The rows of a db_bench command line of the user's own, one for each of its benchmarks that
// prints a figure. `words` are its arguments; "db_bench" itself may stand in front of them.
//
// An error if there is no --benchmarks, or a flag that is this program's to set: what it measures
// would not be what it says, or something would be left behind.
Result<std::vector<Workload>> OwnRows(const std::vector<std::string>& words);

}  // namespace bloom_lfs::bench

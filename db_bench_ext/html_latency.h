#pragma once

#include <string>

#include "db_bench_ext/results_document.h"

namespace bloom_lfs::bench {

// The section of the report on the time that operations take; empty where no row has percentiles.
std::string RenderLatencies(const ResultsDocument& document);

// The same of rows beside a load on the same disk, with the device's own writes.
std::string RenderNoisyNeighbour(const ResultsDocument& document);

}  // namespace bloom_lfs::bench

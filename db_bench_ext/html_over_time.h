#pragma once

#include <string>

#include "db_bench_ext/results_document.h"

namespace bloom_lfs::bench {

// The section of the report on operations over the time of a run and their stalls; empty where no
// row has a series.
std::string RenderOverTime(const ResultsDocument& document);

}  // namespace bloom_lfs::bench

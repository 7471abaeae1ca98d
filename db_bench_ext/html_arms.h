#pragma once

#include <string>

#include "db_bench_ext/results_document.h"

namespace bloom_lfs::bench {

// The section of the HTML report on the arms beyond stock and plugin; empty without one.
std::string RenderFurtherArmsHtml(const ResultsDocument& document);

}  // namespace bloom_lfs::bench

#pragma once

#include <string>

#include "db_bench_ext/rate_series.h"

namespace bloom_lfs::bench {

// Operations per second over the time of a run of each arm, as inline SVG: two lines on the same
// axes. Stalls are shaded over the height of the plot, and stand in a strip below it, one for each
// arm, so that they can be told apart without colours. Classes as in svg_plot.h, and curve, stall,
// note.
std::string RenderTimePlot(const std::string& title, const std::string& label,
                           const RateSeries& stock, const RateSeries& plugin);

}  // namespace bloom_lfs::bench

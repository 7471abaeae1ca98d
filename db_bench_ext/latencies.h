#pragma once

namespace bloom_lfs::bench {

// Percentiles of the time that one operation takes.
struct Latencies {
  double p50_us = 0;
  double p99_us = 0;
  double p999_us = 0;
  double p9999_us = 0;
};

}  // namespace bloom_lfs::bench

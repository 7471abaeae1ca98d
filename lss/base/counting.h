// Whether figures are counted. BLOOM_LFS_NO_FIGURES makes a build that does not, to measure what
// counting costs (db_bench_ext --set=figures); nothing but figures differs.
#pragma once

namespace lss {

#ifdef BLOOM_LFS_NO_FIGURES
inline constexpr bool kCounting = false;
#else
inline constexpr bool kCounting = true;
#endif

}  // namespace lss

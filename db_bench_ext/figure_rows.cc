// The rows of the set "figures": those of the default set, the plugin beside itself without its
// figures.

#include "db_bench_ext/workload_set.h"

namespace bloom_lfs::bench {

std::vector<Workload> FigureRows() {
  std::vector<Workload> rows = DefaultRows();
  for (Workload& row : rows) {
    row.name = "figures-" + row.name;
    row.beside_no_figures = true;
    row.bound = Bound::kNone;
    row.goals = Goals();
    row.goals.floor_ratio = 0.99;
    row.goals.aim_ratio = 1.0;
  }
  return rows;
}

}  // namespace bloom_lfs::bench

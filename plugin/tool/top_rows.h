// What `bloom_lfs top` shows, out of two looks at a process.
//
// Thread safety: functions without state.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plugin/tool/process_boards.h"
#include "plugin/tool/report.h"

namespace bloom_lfs::tool {

// Of one process and kind of file, or of one file; rates are of the time between the two looks.
struct TopRow {
  int64_t pid = 0;
  std::string command;
  std::string kind;  // wal, blob
  std::string file;  // empty: all of the process
  uint64_t hot = 0;  // files
  uint64_t cold = 0;
  double appends = 0;         // a second
  double appended_bytes = 0;  // a second
  double syncs = 0;           // a second
  double coalesced = 0;       // share of the syncs
  double sync_mean_us = 0;
  double sync_p99_us = 0;       // upper end of its class; 0: no sync
  std::string waits_for;        // what most of the waiting was for; empty: nothing
  double written_per_byte = 0;  // bytes written to files for one that was appended
  uint64_t unwritten_bytes = 0;
  double sync_under_way_s = 0;
  uint64_t passing_errors = 0;  // since the beginning, as the next two
  uint64_t final_errors = 0;
  uint64_t fallbacks = 0;
};

// `before` may be of another process, or of nothing: then rates are since the beginning of time,
// and shown as 0.
std::vector<TopRow> RowsByProcess(const WatchedProcess* before, const WatchedProcess& after);
std::vector<TopRow> RowsByFile(const WatchedProcess* before, const WatchedProcess& after);

// False: there is no such column. The largest first; names by the alphabet.
bool SortRows(const std::string& column, std::vector<TopRow>* rows);
// Names that SortRows knows.
std::vector<std::string> SortColumns();

// With a head.
std::vector<std::vector<std::string>> TableOf(const std::vector<TopRow>& rows);
Json JsonOf(const TopRow& row);

}  // namespace bloom_lfs::tool

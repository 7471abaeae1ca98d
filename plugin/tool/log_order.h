// Do the logs of a database follow one another? The records of a later log have the next sequence
// numbers.
//
// Thread safety: none.
#pragma once

#include <optional>
#include <string>

#include "plugin/tool/log_check.h"

namespace bloom_lfs::tool {

// Between two logs that are there.
struct LogGap {
  std::string before;  // paths
  std::string after;
  uint64_t first_missing = 0;  // sequence numbers; none if they fall
  uint64_t last_missing = 0;
  bool falls = false;         // the later log begins with a lower number than the earlier one has
  bool is_explained = false;  // logs of this database leave numbers out by themselves
  std::string ToString() const;
};

class LogOrder {
 public:
  // The next log in the order of their numbers.
  std::optional<LogGap> Add(const std::string& path, const LogCheck& check);
  // The log that should come next could not be read: nothing is known of what follows.
  void Skip() { previous_.clear(); }

 private:
  std::string previous_;  // the last log with a number; empty: it is not known
  uint64_t last_ = 0;
  uint64_t next_ = 0;
  bool leaves_out_ = false;
};

}  // namespace bloom_lfs::tool

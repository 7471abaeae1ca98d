#include "plugin/tool/log_order.h"

#include "lss/base/posix_file.h"

namespace bloom_lfs::tool {

std::optional<LogGap> LogOrder::Add(const std::string& path, const LogCheck& check) {
  const bool is_numbered = check.first_sequence > 0 && check.last_sequence > 0;
  if (check.verdict == LogVerdict::kDamaged || check.verdict == LogVerdict::kNotJudged ||
      (check.batches > 0 && !is_numbered)) {
    // What it begins with is known, what it ends with is not.
    std::optional<LogGap> gap;
    if (is_numbered) {
      LogCheck beginning = check;
      beginning.verdict = LogVerdict::kWhole;
      gap = Add(path, beginning);
    }
    Skip();
    return gap;
  }
  if (!is_numbered) {
    return std::nullopt;  // nothing was written to it
  }
  leaves_out_ = leaves_out_ || check.leaves_out;
  LogGap gap;
  gap.before = previous_;
  gap.after = path;
  gap.falls = check.first_sequence < last_;
  gap.is_explained = leaves_out_ && !gap.falls;
  gap.first_missing = next_;
  gap.last_missing = check.first_sequence - 1;
  const bool is_gap = !previous_.empty() && (gap.falls || check.first_sequence > next_);
  previous_ = path;
  last_ = check.last_sequence;
  next_ = check.next_sequence;
  return is_gap ? std::optional<LogGap>(gap) : std::nullopt;
}

std::string LogGap::ToString() const {
  const std::string where = "between " + lss::BaseNameOf(before) + " and " + lss::BaseNameOf(after);
  if (falls) {
    return "sequence numbers fall " + where;
  }
  const std::string numbers = "sequence numbers " + std::to_string(first_missing) + " to " +
                              std::to_string(last_missing) + " are missing " + where;
  return numbers + (is_explained ? ": written without a log, as others of this database"
                                 : ": a log or the end of one is missing, unless they were written "
                                   "without a log");
}

}  // namespace bloom_lfs::tool

#include "lss/second_place/live_records.h"

#include <algorithm>

namespace lss {

void LiveRecords::Add(const StreamName& stream, Address end, uint64_t lsn) {
  std::deque<Record>& records = by_stream_[stream];
  // One for each group is enough: they go together.
  if (!records.empty() && records.back().lsn == lsn) {
    records.back().end = end;
  } else {
    records.push_back({end, lsn});
  }
}

void LiveRecords::FileDurable(const StreamName& stream, Address end) {
  const auto found = by_stream_.find(stream);
  if (found == by_stream_.end()) {
    return;
  }
  std::deque<Record>& records = found->second;
  while (!records.empty() && records.front().end <= end) {
    records.pop_front();
  }
  if (records.empty()) {
    by_stream_.erase(found);
  }
}

// Streams of a database lie together.
void LiveRecords::ForgetDatabase(const Uuid& database) {
  auto first = by_stream_.lower_bound({database, 0, 0});
  while (first != by_stream_.end() && first->first.database == database) {
    first = by_stream_.erase(first);
  }
}

bool LiveRecords::HasDatabase(const Uuid& database) const {
  const auto first = by_stream_.lower_bound({database, 0, 0});
  return first != by_stream_.end() && first->first.database == database;
}

uint64_t LiveRecords::oldest_lsn(StreamName* stream) const {
  const auto oldest = std::min_element(
      by_stream_.begin(), by_stream_.end(),
      [](const auto& a, const auto& b) { return a.second.front().lsn < b.second.front().lsn; });
  *stream = oldest->first;
  return oldest->second.front().lsn;
}

}  // namespace lss

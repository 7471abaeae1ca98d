#include "lss/second_place/live_records.h"

#include <algorithm>

namespace lss {

void LiveRecords::Enter(const StreamName& stream) {
  Appenders& appenders = appenders_[stream];
  ++appenders.count;
  appenders.is_forgotten = false;  // a stream of that name begins anew
}

void LiveRecords::Leave(const StreamName& stream) {
  const auto found = appenders_.find(stream);
  if (found != appenders_.end() && --found->second.count == 0) {
    appenders_.erase(found);
  }
}

void LiveRecords::Add(const StreamName& stream, Address end, uint64_t lsn) {
  const auto appenders = appenders_.find(stream);
  if (appenders != appenders_.end() && appenders->second.is_forgotten) {
    return;
  }
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

void LiveRecords::Forget(const StreamName& stream) {
  by_stream_.erase(stream);
  const auto appenders = appenders_.find(stream);
  if (appenders != appenders_.end()) {
    appenders->second.is_forgotten = true;
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

#include "plugin/number_set.h"

#include <iterator>

namespace bloom_lfs {

void NumberSet::Add(uint64_t number) {
  if (Contains(number)) {
    return;
  }
  auto next = ranges_.upper_bound(number);
  uint64_t last = number;
  if (next != ranges_.end() && next->first == number + 1) {
    last = next->second;
    next = ranges_.erase(next);
  }
  if (next != ranges_.begin() && std::prev(next)->second + 1 == number) {
    std::prev(next)->second = last;
  } else {
    ranges_.emplace_hint(next, number, last);
  }
  if (ranges_.size() > kRangesMax) {
    ranges_.erase(ranges_.begin());
  }
}

bool NumberSet::Contains(uint64_t number) const {
  const auto next = ranges_.upper_bound(number);
  return next != ranges_.begin() && number <= std::prev(next)->second;
}

}  // namespace bloom_lfs

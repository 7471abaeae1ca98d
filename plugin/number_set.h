// A set of file numbers. They are handed out in rising order, so that a few ranges hold many.
//
// Thread safety: as a standard container.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

namespace bloom_lfs {

class NumberSet {
 public:
  // At most so many ranges are kept; the lowest are forgotten first.
  static constexpr size_t kRangesMax = 4096;

  void Add(uint64_t number);
  bool Contains(uint64_t number) const;
  // 0 of an empty set.
  uint64_t Max() const { return ranges_.empty() ? 0 : ranges_.rbegin()->second; }
  size_t ranges() const { return ranges_.size(); }

 private:
  std::map<uint64_t, uint64_t> ranges_;  // first number of a range -> its last one; never adjacent
};

}  // namespace bloom_lfs

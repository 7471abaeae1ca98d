#include "plugin/tool/log_check.h"

#include <algorithm>
#include <vector>

namespace bloom_lfs::tool {
namespace {

constexpr uint64_t kSectorBytes = 512;
// Fewer are no sign: values may have some.
constexpr uint64_t kZerosThatTell = 16;

}  // namespace

const char* ToString(LogVerdict verdict) {
  switch (verdict) {
    case LogVerdict::kWhole:
      return "whole";
    case LogVerdict::kBeingWritten:
      return "being written";
    case LogVerdict::kTornTail:
      return "torn tail";
    case LogVerdict::kDamaged:
      return "damaged";
    case LogVerdict::kNotJudged:
      return "cannot be judged";
  }
  return "";
}

bool LooksTorn(const TailReadFunction& read, uint64_t from, uint64_t end) {
  std::vector<char> sector(kSectorBytes);
  for (uint64_t at = from; at < end;) {
    const uint64_t boundary = (at / kSectorBytes + 1) * kSectorBytes;
    const auto wanted = static_cast<size_t>(boundary - at);
    if (boundary > end || ReadTailPart(read, at, wanted, sector.data()).size != wanted) {
      return false;
    }
    const size_t tail = std::min<size_t>(wanted, kZerosThatTell);
    if (tail == kZerosThatTell &&
        std::all_of(sector.begin() + (wanted - tail), sector.begin() + wanted,
                    [](char c) { return c == 0; })) {
      return true;
    }
    at = boundary;
  }
  return false;
}

}  // namespace bloom_lfs::tool

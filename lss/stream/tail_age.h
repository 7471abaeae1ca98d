// How long have accepted bytes not been in the file? Told by regular looks, without a clock, so
// that accepting a byte costs nothing.
//
// A byte that comes right behind a look is due at the third look after it: with looks at a quarter
// of the bound that leaves another quarter for a look that comes late and for the write itself.
//
// Thread safety: none of its own; one thread looks.
#pragma once

#include <cstdint>

#include "lss/base/types.h"

namespace lss {

class TailAge {
 public:
  static constexpr uint32_t kLooksPerBound = 4;
  // Time between two looks, for a bound in ms.
  static constexpr uint32_t LookEveryMs(uint32_t bound_ms) {
    return bound_ms < kLooksPerBound ? 1 : bound_ms / kLooksPerBound;
  }

  struct Look {
    uint64_t accepted_bytes;  // since the look before
    bool due;                 // the tail should be written now
  };
  // A stream of which `accepted` bytes are in the ring or the file, and `in_file` in the file.
  Look At(Address accepted, Address in_file) {
    const Look look = {accepted - accepted_before_, in_file < accepted_long_before_};
    accepted_long_before_ = accepted_before_;
    accepted_before_ = accepted;
    return look;
  }

 private:
  Address accepted_before_ = 0;
  Address accepted_long_before_ = 0;
};

}  // namespace lss

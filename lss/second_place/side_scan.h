// What a side log holds, for those who bring its records to their files.
#pragma once

#include <cstdint>
#include <functional>

#include "lss/base/status.h"
#include "lss/second_place/group_format.h"
#include "lss/second_place/side_space.h"

namespace lss {

struct SideScan {
  uint64_t end = 0;     // LSN behind the last group
  uint64_t groups = 0;  // that were found
};

// Gives every record from the head on, in the order they were written; `lsn` is that of the group.
// Ends, without an error, where no group follows that its writer had a right to write: behind it
// nothing was ever acknowledged. An error: the device cannot be read.
//
// Changes nothing. REQUIRES: nobody writes the log.
Status ScanSideLog(const SideSpace& space,
                   const std::function<void(const SideRecord&, uint64_t lsn)>& visit,
                   SideScan* result);

}  // namespace lss

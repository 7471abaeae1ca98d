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
// Ends where the last writer's groups end: nothing behind was ever acknowledged.
//
// Corruption: a group that was acknowledged is damaged; those before it have been given. Other
// errors: the device cannot be read.
//
// Changes nothing. REQUIRES: nobody writes the log.
Status ScanSideLog(const SideSpace& space,
                   const std::function<void(const SideRecord&, uint64_t lsn)>& visit,
                   SideScan* result);

}  // namespace lss

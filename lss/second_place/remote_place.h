// An export of a server as a second place: one side log, for one process at a time. A server cannot
// keep an older writer out: two processes, or two machines, on one export are the operator's to
// prevent. One that was taken over stops when it looks at the superblocks again.
//
// Thread safety: functions without state, from any thread.
#pragma once

#include <memory>
#include <string>

#include "lss/base/status.h"
#include "lss/base/warning_sink.h"
#include "lss/second_place/place_caller.h"
#include "lss/second_place/side_space.h"

namespace lss {

// The log on the export at `uri`, taken over. If the export is empty, it is made: of `bytes`, or as
// many as there is room for. InvalidArgument: the export holds something else, or is too small.
// Closed: the caller does not wait any more, and its owner still has it. Other errors are those of
// OpenRemoteDevice.
Status OpenRemoteSpace(const std::string& uri, uint64_t bytes, const WarningSink& warn,
                       const PlaceCaller& caller, std::unique_ptr<SideSpace>* space);
// The log there, not taken over. Corruption: there is none.
Status ReadRemoteSpace(const std::string& uri, const WarningSink& warn,
                       std::unique_ptr<SideSpace>* space);

}  // namespace lss

// What becomes of a ring, and why, in words: the table of lss/CRASHES.md for people.
//
// Thread safety: functions without state, from any thread.
#pragma once

#include "lss/recovery/judge.h"

namespace bloom_lfs::tool {

// What an open with the plugin does about a ring of this case.
const char* OpeningDoes(lss::RingCase ring_case);
// Why.
const char* ReasonOf(lss::RingCase ring_case);

}  // namespace bloom_lfs::tool

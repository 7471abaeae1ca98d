#pragma once

#include "db_bench_ext/result.h"

namespace bloom_lfs::bench {

// To be called first in main(). A reader that goes away ("| head") does not end this program, which
// has directories and disks to take away; and no file that it opens gets the number of a standard
// stream that its caller has closed. Children start with what they would have had.
void KeepStandardStreams();

// Whether all that was printed has been taken.
Failure FlushStandardOutput();

}  // namespace bloom_lfs::bench

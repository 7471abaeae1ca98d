#pragma once

#include <string>

#include "db_bench_ext/result.h"

namespace bloom_lfs::bench {

// Both concern every file below `directory`, whose data must have been written out: the kernel
// keeps dirty pages.

// Takes the files out of the page cache, no others, and makes sure that they are gone. Needs no
// root, unlike /proc/sys/vm/drop_caches.
Failure DropFromPageCache(const std::string& directory);

// Reads the files once.
Failure ReadIntoPageCache(const std::string& directory);

}  // namespace bloom_lfs::bench

// The loader's voice: one line on standard error, in one write, since other threads and processes
// use the same one.
#pragma once

namespace bloom_lfs::loader {

// Prints "bloom_lfs: <line>".
[[gnu::format(printf, 1, 2)]] void Say(const char* format, ...);

}  // namespace bloom_lfs::loader

// Why the dynamic linker could not load the plugin, and what to do about it.
#pragma once

namespace bloom_lfs::loader {

// `error` is what dlerror() said of libbloom_lfs_plugin.so; `file_exists` whether there is such a
// file. Never null; static text. Pure.
const char* RemedyOfLoadError(const char* error, bool file_exists);

}  // namespace bloom_lfs::loader

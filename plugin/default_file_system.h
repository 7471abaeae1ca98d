// The plugin as a program's default FileSystem, for the loader (BLOOM_LFS_DEFAULT=1).
#pragma once

#include <memory>

#include "rocksdb/file_system.h"

namespace bloom_lfs {

using DefaultFunction = std::shared_ptr<rocksdb::FileSystem> (*)();

// The plugin's FileSystem over real(), with the options in the environment variable
// BLOOM_LFS_OPTIONS; made at the first call, the same for all, never destroyed. If the options are
// bad it says so and gives real(): a service with a typo in its environment must start.
//
// Runs inside Env::Default(), perhaps in a static initialiser: nothing that it calls may need an
// Env, ConfigOptions included. Safe for concurrent use. The loader looks it up by its mangled name.
std::shared_ptr<rocksdb::FileSystem> DefaultFileSystem(DefaultFunction real);

}  // namespace bloom_lfs

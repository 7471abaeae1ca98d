// Registration with RocksDB's object registry, under the name "bloom_lfs".
//
// Loading the library (LD_PRELOAD, linking) registers with the default library by a static
// initialiser. RocksDB's own build calls register_bloom_lfs instead (bloom_lfs_FUNC).
#pragma once

#include <string>

#include "rocksdb/utilities/object_registry.h"

// Adds the factories of FileSystem, Env and the flash tier; returns how many factories it added.
// Idempotent for the registry: a second registration is harmless. No process is started, no file
// touched.
extern "C" int register_bloom_lfs(rocksdb::ObjectLibrary& library, const std::string& argument);

// Which FileSystem a RocksDB in this process gets: its own, or the plugin's over its own.
//
// A process may hold several RocksDBs: its own, one that a library brings along, one loaded later.
// The plugin is linked to one of them, by soname; only that one can use it.
//
// Thread safety: any thread, also before our own initialiser has run. There is no lock: all threads
// find out the same, the dynamic linker loads a library once, and what was found is published last.
#pragma once

#include <cstdint>

#include "plugin/loader/shared_handle.h"

namespace bloom_lfs::loader {

using DefaultFunction = SharedHandle (*)();
using PluginFunction = SharedHandle (*)(DefaultFunction real);  // bloom_lfs::DefaultFileSystem

inline constexpr char kDefaultSymbol[] = "_ZN7rocksdb10FileSystem7DefaultEv";

struct Verdict {
  DefaultFunction real = nullptr;   // the RocksDB's own FileSystem::Default()
  PluginFunction plugin = nullptr;  // null: its FileSystem stays the stock one
  bool fits = false;                // it can have what the plugin offers besides
  uintptr_t begin = 0;              // where this RocksDB lies, and callers that belong to it
  uintptr_t end = 0;
};

// Judges the RocksDB whose FileSystem::Default() is `real`, and loads the plugin if that one can
// use it, so that it is registered. Says once why it cannot.
Verdict Judge(DefaultFunction real);

// What the plugin of the RocksDB that lies at `rocksdb` means by `symbol`.
// REQUIRES: a verdict that it fits
void* FindInPlugin(const void* rocksdb, const char* symbol);

// The verdict on the RocksDB that `caller` is a part of, if there is one. Asks the dynamic linker
// nothing: a thread that holds its lock may be waiting for our caller.
const Verdict* FindVerdictAt(const void* caller);

}  // namespace bloom_lfs::loader

// BLOOM_LFS_FLASH: the block caches of an unchanged program, on the plugin's flash tier.
//
// This library stands in for the functions that make block caches. Without the variable, and for a
// RocksDB that cannot have the plugin, each does what it would do without us.
//
// Thread safety: any thread, also before our own initialiser has run; there is no lock (verdict.h).
#pragma once

namespace bloom_lfs::loader {

// Finds out what the program and the RocksDB that lies at `rocksdb` mean by those functions, so
// that these two need not ask the dynamic linker when they call them. To be called once.
void RememberCaches(const void* rocksdb);

}  // namespace bloom_lfs::loader

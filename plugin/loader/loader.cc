// START HERE. libbloom_lfs.so, the library that users preload.
//
// It is in every program and in every child of one, so it needs nothing but libc and does nothing
// where there is no RocksDB. Where there is one that fits it loads the plugin, which registers
// itself under the name "bloom_lfs"; and with BLOOM_LFS_DEFAULT=1 it answers
// rocksdb::FileSystem::Default(), for the program and for RocksDB's own Env::Default(), with the
// plugin over the real one.
#include <cstdlib>

#include "plugin/loader/caches.h"
#include "plugin/loader/objects.h"
#include "plugin/loader/say.h"
#include "plugin/loader/verdict.h"

namespace bloom_lfs::loader {
namespace {

// The FileSystem::Default() that the code at `caller` would have got without us. A library that was
// loaded privately, and brings or is linked to a RocksDB, means that one.
DefaultFunction RealDefaultOf(const void* caller) {
  void* found = Object::Of(caller).Find(kDefaultSymbol);
  // The program, and what is linked to us instead of the plugin, finds us first.
  if (found == nullptr || IsOurs(found)) {
    found = FindRocksDBsOwn(kDefaultSymbol);
  }
  if (found == nullptr) {
    Say("%s asks for RocksDB's default FileSystem, but no RocksDB is loaded; "
        "link it to librocksdb, and to libbloom_lfs_plugin.so instead of libbloom_lfs.so",
        Object::Of(caller).Name());
    std::abort();  // nothing could be returned
  }
  return reinterpret_cast<DefaultFunction>(found);
}

// Starts no process and touches no file: a child of a preloaded program runs this too.
[[gnu::constructor]] void Start() {
  RememberDirectory();
  if (void* const real = FindElsewhere(kDefaultSymbol)) {
    Judge(reinterpret_cast<DefaultFunction>(real));
    RememberCaches(real);
  }
}

}  // namespace
}  // namespace bloom_lfs::loader

namespace rocksdb {

struct FileSystem {
  [[gnu::visibility("default")]] static bloom_lfs::loader::SharedHandle Default();
};

bloom_lfs::loader::SharedHandle FileSystem::Default() {
  using namespace bloom_lfs::loader;  // NOLINT(google-build-using-namespace): we stand in for them
  const void* const caller = __builtin_return_address(0);
  const Verdict* const kept = FindVerdictAt(caller);
  if (kept == nullptr) {
    RememberDirectory();  // some library's initialiser may be ahead of ours
  }
  const Verdict verdict = kept != nullptr ? *kept : Judge(RealDefaultOf(caller));
  return verdict.plugin != nullptr ? verdict.plugin(verdict.real) : verdict.real();
}

}  // namespace rocksdb

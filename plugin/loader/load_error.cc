#include "plugin/loader/load_error.h"

#include <cstring>

namespace bloom_lfs::loader {
namespace {

bool Has(const char* text, const char* part) { return std::strstr(text, part) != nullptr; }

}  // namespace

const char* RemedyOfLoadError(const char* error, bool file_exists) {
  if (Has(error, "Permission denied")) {
    return "let the user that this process runs as read that file and search its directory";
  }
  if (!file_exists) {
    return "install libbloom_lfs_plugin.so in the directory of libbloom_lfs.so";
  }
  if (Has(error, "cannot open shared object file")) {
    return "install the library that it needs, or name its directory in LD_LIBRARY_PATH";
  }
  if (Has(error, "_ZTIN7rocksdb")) {  // a class's typeinfo: only derived classes refer to it
    return "this RocksDB was built without RTTI and the plugin with it; build bloom_lfs against "
           "this RocksDB, its build finds that out";
  }
  if (Has(error, "GLIBCXX_") || Has(error, "CXXABI_") || Has(error, "GLIBC_")) {
    return "the plugin was built with a newer C++ standard library or libc than this process has; "
           "build bloom_lfs on this system, or on the oldest one that it is for";
  }
  if (Has(error, "7rocksdb")) {
    return "this RocksDB lacks what the one had that the plugin was built for; build bloom_lfs "
           "against this RocksDB";
  }
  return "build bloom_lfs on this system, against this RocksDB";
}

}  // namespace bloom_lfs::loader

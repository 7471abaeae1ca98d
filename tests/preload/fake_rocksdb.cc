// The few symbols by which the loader knows a RocksDB, with a version of the test's choice.
#include "tests/preload/fake_rocksdb.h"

#include <dlfcn.h>

#include <cstdio>

#include "tests/preload/service.h"

#ifdef FAKE_ROCKSDB_HAS_OUR_VERSION
#include <rocksdb/version.h>
#define QUOTE_(number) #number
#define QUOTE(number) QUOTE_(number)
#define FAKE_ROCKSDB_VERSION QUOTE(ROCKSDB_MAJOR) "." QUOTE(ROCKSDB_MINOR)
#endif

namespace rocksdb {

constexpr char kName[] = "stock FileSystem of the fake";

std::shared_ptr<FileSystem> FileSystem::Default() {
  return std::make_shared<FileSystem>(FileSystem{kName});
}

std::string GetRocksVersionAsString(bool with_patch) {
  return with_patch ? FAKE_ROCKSDB_VERSION ".0" : FAKE_ROCKSDB_VERSION;
}

uint32_t crc32c::Extend(uint32_t /*init_crc*/, const char* /*data*/, size_t /*n*/) {
  return kFakeChecksum;
}

}  // namespace rocksdb

const char* DefaultFileSystemName() { return rocksdb::kName; }

// Prints its own FileSystem's name, then hands over to the library that is named first.
int ServiceMain(int argc, char** argv) {
  std::printf("%s\n", rocksdb::FileSystem::Default()->name.c_str());
  void* const library = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : nullptr;
  void* const next = library != nullptr ? dlsym(library, "ServiceMain") : nullptr;
  return next == nullptr ? 2 : reinterpret_cast<decltype(&ServiceMain)>(next)(argc - 1, argv + 1);
}

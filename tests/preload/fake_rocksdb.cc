// The few symbols by which the loader knows a RocksDB, with a version of the test's choice.
#include "tests/preload/fake_rocksdb.h"

#ifdef FAKE_ROCKSDB_HAS_OUR_VERSION
#include <rocksdb/version.h>
#define QUOTE_(number) #number
#define QUOTE(number) QUOTE_(number)
#define FAKE_ROCKSDB_VERSION QUOTE(ROCKSDB_MAJOR) "." QUOTE(ROCKSDB_MINOR)
#endif

namespace rocksdb {

std::shared_ptr<FileSystem> FileSystem::Default() {
  return std::make_shared<FileSystem>(FileSystem{"stock FileSystem of the fake"});
}

std::string GetRocksVersionAsString(bool with_patch) {
  return with_patch ? FAKE_ROCKSDB_VERSION ".0" : FAKE_ROCKSDB_VERSION;
}

}  // namespace rocksdb

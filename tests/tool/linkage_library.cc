// A library between a program and RocksDB.
#include <rocksdb/version.h>

int SizeOfRocksDbsVersion() {
  return static_cast<int>(rocksdb::GetRocksVersionAsString(/*with_patch=*/true).size());
}

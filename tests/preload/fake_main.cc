// Asks a fake RocksDB for its default FileSystem, twice.
#include <cstdio>

#include "tests/preload/fake_rocksdb.h"

int main() {
  const auto first = rocksdb::FileSystem::Default();
  const auto second = rocksdb::FileSystem::Default();
  std::printf("%s\n%s\n", first->name.c_str(), second->name.c_str());
  return rocksdb::GetRocksVersionAsString(true).empty() ? 1 : 0;
}

// Asks a fake RocksDB for its default FileSystem, twice, and for a checksum.
#include <cstdio>

#include "tests/preload/fake_rocksdb.h"

int main() {
  const auto first = rocksdb::FileSystem::Default();
  const auto second = rocksdb::FileSystem::Default();
  const uint32_t checksum = rocksdb::crc32c::Extend(0, "text", 4);
  if (checksum != rocksdb::crc32c::kFakeChecksum) {
    std::printf("a checksum that is not the fake's\n");
    return 1;
  }
  std::printf("%s\n%s\n", first->name.c_str(), second->name.c_str());
  return rocksdb::GetRocksVersionAsString(true).empty() ? 1 : 0;
}

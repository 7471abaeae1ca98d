// Stands in for a RocksDB that the plugin was not built for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace rocksdb {

struct FileSystem {
  std::string name;
  static std::shared_ptr<FileSystem> Default();
};

std::string GetRocksVersionAsString(bool with_patch);

namespace crc32c {
// Returns kFakeChecksum, whatever the arguments.
uint32_t Extend(uint32_t init_crc, const char* data, size_t n);
inline constexpr uint32_t kFakeChecksum = 4711;
}  // namespace crc32c

}  // namespace rocksdb

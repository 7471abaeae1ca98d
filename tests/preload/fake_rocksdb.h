// Stands in for a RocksDB that the plugin was not built for.
#pragma once

#include <memory>
#include <string>

namespace rocksdb {

struct FileSystem {
  std::string name;
  static std::shared_ptr<FileSystem> Default();
};

std::string GetRocksVersionAsString(bool with_patch);

}  // namespace rocksdb

// What a power cut leaves of logs that only a second place has.
#pragma once

#include <filesystem>
#include <string>

namespace bloom_lfs::test {

// No ring in the directory of logs counts any more, and of logs that nobody has synced nothing is
// left. Only for logs whose syncs went to the place: what RocksDB synced in the file is lost, too.
inline void LosePower(const std::string& logs) {
  namespace fs = std::filesystem;
  for (const auto& entry : fs::directory_iterator(logs + "/.bloom_lfs")) {
    if (entry.path().extension() == ".ring") {
      fs::remove(entry.path());
    }
  }
  for (const auto& entry : fs::directory_iterator(logs)) {
    if (entry.path().extension() == ".log") {
      fs::resize_file(entry.path(), 0);
    }
  }
}

}  // namespace bloom_lfs::test

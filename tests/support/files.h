// What is really in a directory, as seen by the kernel and not through any RocksDB Env.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace bloom_lfs::test {

std::string ReadFile(const std::string& path);
void WriteFile(const std::string& path, const std::string& contents);

// Copies a directory with everything in it, by plain reads and writes.
void CopyTree(const std::string& from, const std::string& to);

struct FileFacts {
  uint64_t size = 0;
  uint32_t crc = 0;         // of the contents
  int64_t modified_ns = 0;  // the file system's modification time
  bool operator==(const FileFacts& other) const {
    return size == other.size && crc == other.crc && modified_ns == other.modified_ns;
  }
};

// Every file and directory below `dir`, by relative path; directories have no facts. A file that
// is deleted meanwhile is left out.
using Tree = std::map<std::string, FileFacts>;
Tree ListTree(const std::string& dir);

// What differs between two listings, one line each; empty if nothing does.
std::string Difference(const Tree& before, const Tree& after);

// Relative paths of all N.log files below `dir`, archive/ included, in order.
std::vector<std::string> LogFiles(const std::string& dir);

// The highest-numbered N.log directly in `dir`, as a full path; empty if there is none.
std::string NewestLog(const std::string& dir);

}  // namespace bloom_lfs::test

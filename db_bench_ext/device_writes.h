#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace bloom_lfs::bench {

// The bytes that were written to the block device below a directory, whoever wrote them: data, the
// file system's own, and its journal's, by the kernel's count (/sys/dev/block/.../stat).
class DeviceWrites {
 public:
  // Of the device that `directory` lies on. Counts nothing where there is no such device, as in
  // memory or over a network, or more than one.
  explicit DeviceWrites(const std::string& directory);

  // Since the machine started.
  std::optional<uint64_t> ReadBytes() const;

 private:
  std::string counters_;  // a file; empty: none
};

// The bytes written, in a device's line of counters.
std::optional<uint64_t> ParseWrittenBytes(const std::string& counters);

}  // namespace bloom_lfs::bench

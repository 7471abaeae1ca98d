#include "db_bench_ext/device_writes.h"

#include <fstream>
#include <sstream>

#include "db_bench_ext/machine.h"

namespace bloom_lfs::bench {

DeviceWrites::DeviceWrites(const std::string& directory) {
  const std::string device = BlockDeviceOf(directory);
  if (!device.empty()) counters_ = "/sys/dev/block/" + device + "/stat";
}

std::optional<uint64_t> DeviceWrites::ReadBytes() const {
  if (counters_.empty()) return std::nullopt;
  std::string line;
  std::getline(std::ifstream(counters_), line);
  return ParseWrittenBytes(line);
}

std::optional<uint64_t> ParseWrittenBytes(const std::string& counters) {
  // Reads, merged, sectors, milliseconds; writes, merged, sectors, ...
  constexpr int kSkipped = 6;
  constexpr uint64_t kSectorBytes = 512;  // whatever the device's are
  std::istringstream fields(counters);
  uint64_t field = 0;
  for (int i = 0; i <= kSkipped; ++i) {
    if (!(fields >> field)) return std::nullopt;
  }
  return field * kSectorBytes;
}

}  // namespace bloom_lfs::bench

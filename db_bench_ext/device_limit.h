#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "db_bench_ext/latencies.h"
#include "db_bench_ext/result.h"

namespace bloom_lfs::bench {

// What durable 4 KiB writes cost on the bare device.
struct DurableOverwrites {
  double ops_per_s = 0;
  double p999_us = 0;
  // Of single writes.
  std::optional<Latencies> latencies = std::nullopt;
};

// Measures what the device itself can do, as the yardstick for both arms of a comparison. No layout
// of a write-ahead log can sync faster than one durable overwrite of a written block at a time.
class DeviceLimit {
 public:
  // Writes and syncs a file in `directory` for the overwrites to hit.
  static Result<DeviceLimit> Create(const std::string& directory);
  ~DeviceLimit();
  DeviceLimit(DeviceLimit&& other) noexcept;
  DeviceLimit& operator=(DeviceLimit&&) = delete;

  // 4 KiB O_DIRECT overwrites of written blocks, each made durable (RWF_DSYNC) before the next one
  // starts: queue depth 1.
  Result<DurableOverwrites> MeasureDurableOverwrites(double seconds) const;

  // 1 MiB O_DIRECT writes, one after the other, into a new file. In 2^20 bytes per second, as in
  // db_bench's output.
  Result<double> MeasureSequentialMibPerS(double seconds) const;

 private:
  struct FreeDeleter {
    void operator()(void* memory) const;
  };
  using AlignedBuffer = std::unique_ptr<void, FreeDeleter>;

  DeviceLimit(std::string directory, AlignedBuffer buffer);
  Failure WriteOverwriteFile();

  std::string directory_;
  AlignedBuffer buffer_;
  int overwrite_fd_ = -1;
};

}  // namespace bloom_lfs::bench

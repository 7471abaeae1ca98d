#include "db_bench_ext/device_limit.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <random>
#include <utility>
#include <vector>

#include "db_bench_ext/statistics.h"

namespace bloom_lfs::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr size_t kBlockBytes = 4096;
constexpr size_t kBulkBytes = size_t{1} << 20;
constexpr size_t kOverwriteFileBytes = size_t{16} << 20;
// Bounds the space a fast device can use up in one bulk measurement.
constexpr size_t kBulkFileBytesMax = size_t{1} << 30;
static_assert(kOverwriteFileBytes % kBulkBytes == 0 && kBulkBytes % kBlockBytes == 0);

Error DeviceError(const std::string& what, const std::string& path, int error) {
  const std::string remedy =
      error == EINVAL ? "this file system has no O_DIRECT; pass --db_dir=<a directory on a disk>"
                      : "check the disk, or pass --db_dir=<another directory>";
  return Error{"the device limit cannot be measured: " + what + " " + path + ": " +
               std::strerror(error) + "; " + remedy};
}

// Returns 0 or an errno. A short write is an error: a measurement must not count half a block.
int WriteBlock(int fd, void* data, size_t size, uint64_t offset, int flags) {
  iovec block{data, size};
  ssize_t written = 0;
  do {
    written = pwritev2(fd, &block, 1, static_cast<off_t>(offset), flags);
  } while (written < 0 && errno == EINTR);
  if (written < 0) return errno;
  return static_cast<size_t>(written) == size ? 0 : EIO;
}

int WriteSequentially(int fd, void* data, double seconds, size_t* written_bytes) {
  const Clock::time_point end =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(Seconds(seconds));
  *written_bytes = 0;
  while (Clock::now() < end && *written_bytes < kBulkFileBytesMax) {
    if (const int error = WriteBlock(fd, data, kBulkBytes, *written_bytes, 0)) return error;
    *written_bytes += kBulkBytes;
  }
  return 0;
}

}  // namespace

void DeviceLimit::FreeDeleter::operator()(void* memory) const { std::free(memory); }

Result<DeviceLimit> DeviceLimit::Create(const std::string& directory) {
  AlignedBuffer buffer(std::aligned_alloc(kBlockBytes, kBulkBytes));
  if (buffer == nullptr) return Error{"out of memory for a 1 MiB buffer"};
  // Incompressible, so that neither a file system nor a device can take a short cut.
  std::mt19937_64 random(1);
  auto* words = static_cast<uint64_t*>(buffer.get());
  for (size_t i = 0; i < kBulkBytes / sizeof(uint64_t); ++i) words[i] = random();

  DeviceLimit limit(directory, std::move(buffer));
  if (Failure failure = limit.WriteOverwriteFile()) return *failure;
  return limit;
}

DeviceLimit::DeviceLimit(std::string directory, AlignedBuffer buffer)
    : directory_(std::move(directory)), buffer_(std::move(buffer)) {}

DeviceLimit::DeviceLimit(DeviceLimit&& other) noexcept
    : directory_(std::move(other.directory_)),
      buffer_(std::move(other.buffer_)),
      overwrite_fd_(std::exchange(other.overwrite_fd_, -1)) {}

DeviceLimit::~DeviceLimit() {
  if (overwrite_fd_ >= 0) close(overwrite_fd_);
}

Failure DeviceLimit::WriteOverwriteFile() {
  const std::string path = directory_ + "/device_limit_overwrites";
  overwrite_fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_DIRECT | O_CLOEXEC, 0600);
  if (overwrite_fd_ < 0) return DeviceError("cannot create", path, errno);
  for (size_t offset = 0; offset < kOverwriteFileBytes; offset += kBulkBytes) {
    if (const int error = WriteBlock(overwrite_fd_, buffer_.get(), kBulkBytes, offset, 0)) {
      return DeviceError("cannot write", path, error);
    }
  }
  if (fsync(overwrite_fd_) != 0) return DeviceError("cannot sync", path, errno);
  return std::nullopt;
}

Result<DurableOverwrites> DeviceLimit::MeasureDurableOverwrites(double seconds) const {
  std::vector<double> latencies_us;
  const Clock::time_point start = Clock::now();
  Clock::time_point before = start;
  for (size_t offset = 0; Seconds(before - start).count() < seconds;
       offset = (offset + kBlockBytes) % kOverwriteFileBytes) {
    if (const int error =
            WriteBlock(overwrite_fd_, buffer_.get(), kBlockBytes, offset, RWF_DSYNC)) {
      return DeviceError("cannot overwrite", directory_ + "/device_limit_overwrites", error);
    }
    const Clock::time_point after = Clock::now();
    latencies_us.push_back(Seconds(after - before).count() * 1e6);
    before = after;
  }
  if (latencies_us.empty()) return Error{"the device limit needs more than 0 s to be measured"};
  DurableOverwrites result;
  result.ops_per_s = static_cast<double>(latencies_us.size()) / Seconds(before - start).count();
  result.latencies = Latencies{Percentile(latencies_us, 50), Percentile(latencies_us, 99),
                               Percentile(latencies_us, 99.9), Percentile(latencies_us, 99.99)};
  result.p999_us = result.latencies->p999_us;
  return result;
}

Result<double> DeviceLimit::MeasureSequentialMibPerS(double seconds) const {
  const std::string path = directory_ + "/device_limit_sequential";
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_DIRECT | O_CLOEXEC, 0600);
  if (fd < 0) return DeviceError("cannot create", path, errno);
  size_t written_bytes = 0;
  const Clock::time_point start = Clock::now();
  const int error = WriteSequentially(fd, buffer_.get(), seconds, &written_bytes);
  const double elapsed_s = Seconds(Clock::now() - start).count();
  close(fd);
  unlink(path.c_str());
  if (error != 0) return DeviceError("cannot write", path, error);
  if (written_bytes == 0) return Error{"the device limit needs more than 0 s to be measured"};
  return static_cast<double>(written_bytes) / static_cast<double>(kBulkBytes) / elapsed_s;
}

}  // namespace bloom_lfs::bench

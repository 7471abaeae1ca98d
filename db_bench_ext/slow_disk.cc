#include "db_bench_ext/slow_disk.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "db_bench_ext/descriptor.h"

namespace bloom_lfs::bench {
namespace {

// "7:3"
Result<std::string> NumberOf(const std::string& device) {
  const std::string file =
      "/sys/block/" + std::filesystem::path(device).filename().string() + "/dev";
  std::string number;
  if (std::getline(std::ifstream(file), number)) return number;
  return Error{"cannot read " + file};
}

}  // namespace

Result<std::unique_ptr<SlowDisk>> SlowDisk::Create(const std::string& directory, uint64_t bytes) {
  Result<std::unique_ptr<LoopDisk>> made = LoopDisk::Create(directory, "slow_disk", bytes);
  if (!made.ok()) return made.error();
  std::unique_ptr<SlowDisk> disk(new SlowDisk);
  disk->disk_ = std::move(made.value());
  if (Failure failure = disk->MakeThrottle()) return *failure;
  return disk;
}

Failure SlowDisk::MakeThrottle() {
  const Result<std::string> number = NumberOf(disk_->device());
  if (!number.ok()) return number.error();
  Result<IoThrottle> throttle = IoThrottle::Create(number.value());
  if (!throttle.ok()) return throttle.error();
  throttle_.emplace(std::move(throttle.value()));
  return CheckItIsSlow();
}

// Where the kernel takes a limit and does not keep it (this program's group is another), every row
// would compare with a fast disk.
Failure SlowDisk::CheckItIsSlow() const {
  constexpr DiskLimits kLimits = {1000, 0};
  constexpr int kReads = 200;
  constexpr std::chrono::milliseconds kAtLeast{100};  // half of what the limit means
  const std::string& device = disk_->device();
  const Descriptor disk(open(device.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
  const std::unique_ptr<void, decltype(&std::free)> page(std::aligned_alloc(4096, 4096), std::free);
  if (Failure failure = Limit(kLimits)) return failure;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kReads; ++i) {
    if (pread(disk.get(), page.get(), 4096, off_t{i} * 4096) != 4096) {
      return Error{"cannot read " + device + ": " + std::strerror(errno)};
    }
  }
  const auto took = std::chrono::steady_clock::now() - start;
  if (Failure failure = Limit({})) return failure;
  if (took >= kAtLeast) return std::nullopt;
  return Error{"the cgroup controller takes a limit for " + device + ", and does not keep it"};
}

}  // namespace bloom_lfs::bench

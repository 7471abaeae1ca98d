#include "db_bench_ext/slow_disk.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>
#include <vector>

#include "db_bench_ext/child_process.h"

namespace bloom_lfs::bench {
namespace {

constexpr std::chrono::seconds kToolTimeout{30};
constexpr int kAttachTries = 20;

// What a tool prints, without the end of the line.
Result<std::string> RunTool(std::vector<std::string> argv) {
  const Result<ChildOutput> output = RunToEnd({std::move(argv), "", ""}, kToolTimeout);
  if (!output.ok()) return output.error();
  const std::string& text = output.value().standard_output;
  return text.substr(0, text.find('\n'));
}

Failure MakeImage(const std::string& image, uint64_t bytes) {
  const int fd = open(image.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  // Allocated, so that a full disk below is met here and not in the middle of a run.
  const int error = fd < 0 ? errno : posix_fallocate(fd, 0, static_cast<off_t>(bytes));
  if (fd >= 0) close(fd);
  if (error == 0) return std::nullopt;
  return Error{"cannot make " + image + ": " + std::strerror(error)};
}

// A read of some pages is one read, as on the disks that this one stands for. Whoever had the loop
// device before may have left it with less.
void AllowWholeReads(const std::string& device) {
  std::ofstream("/sys/block/" + std::filesystem::path(device).filename().string() +
                "/queue/max_sectors_kb")
      << 256;
}

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
  if (geteuid() != 0) return Error{"a slow disk needs root: a loop device, mount, a cgroup"};
  const std::string image = directory + "/slow_disk.image";
  if (Failure failure = MakeImage(image, bytes)) return *failure;
  std::unique_ptr<SlowDisk> disk(new SlowDisk);
  if (Failure failure = disk->Attach(image)) return *failure;
  if (Failure failure = disk->Mount(directory + "/slow_disk")) return *failure;
  Result<WorkDirectory> place = WorkDirectory::Create(disk->mount_point_, 0);
  if (!place.ok()) return place.error();
  disk->directory_.emplace(std::move(place.value()));
  return disk;
}

// Detaches itself when nobody has it open or mounted any more, however this program ends.
Failure SlowDisk::Attach(const std::string& image) {
  const Descriptor control(open("/dev/loop-control", O_RDWR | O_CLOEXEC));
  const Descriptor file(open(image.c_str(), O_RDWR | O_CLOEXEC));
  for (int tries = 0; tries < kAttachTries; ++tries) {
    const int number = ioctl(control.get(), LOOP_CTL_GET_FREE);
    if (number < 0 || file.get() < 0) break;
    const std::string device = "/dev/loop" + std::to_string(number);
    Descriptor loop(open(device.c_str(), O_RDWR | O_CLOEXEC));
    loop_config config = {};
    config.fd = static_cast<uint32_t>(file.get());
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO;
    if (loop.get() >= 0 && ioctl(loop.get(), LOOP_CONFIGURE, &config) == 0) {
      loop_device_ = device;
      loop_.emplace(std::move(loop));
      AllowWholeReads(device);
      return MakeThrottle();
    }
    if (errno != EBUSY) break;  // somebody else was faster
  }
  return Error{std::string("cannot attach a loop device: ") + std::strerror(errno)};
}

Failure SlowDisk::MakeThrottle() {
  const Result<std::string> number = NumberOf(loop_device_);
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
  const Descriptor disk(open(loop_device_.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
  const std::unique_ptr<void, decltype(&std::free)> page(std::aligned_alloc(4096, 4096), std::free);
  if (Failure failure = Limit(kLimits)) return failure;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kReads; ++i) {
    if (pread(disk.get(), page.get(), 4096, off_t{i} * 4096) != 4096) {
      return Error{"cannot read " + loop_device_ + ": " + std::strerror(errno)};
    }
  }
  const auto took = std::chrono::steady_clock::now() - start;
  if (Failure failure = Limit({})) return failure;
  if (took >= kAtLeast) return std::nullopt;
  return Error{"the cgroup controller takes a limit for " + loop_device_ +
               ", and does not keep it"};
}

Failure SlowDisk::Mount(const std::string& mount_point) {
  const Result<std::string> made = RunTool({"mkfs.ext4", "-q", loop_device_});
  if (!made.ok()) return made.error();
  std::error_code error;
  std::filesystem::create_directory(mount_point, error);
  if (error) return Error{"cannot make " + mount_point + ": " + error.message()};
  if (mount(loop_device_.c_str(), mount_point.c_str(), "ext4", 0, nullptr) != 0) {
    return Error{"cannot mount " + loop_device_ + ": " + std::strerror(errno)};
  }
  mount_point_ = mount_point;
  return std::nullopt;
}

SlowDisk::~SlowDisk() {
  directory_.reset();
  throttle_.reset();
  if (!mount_point_.empty() && umount(mount_point_.c_str()) != 0) {
    std::fprintf(stderr, "db_bench_ext: cannot unmount %s: %s; do it by hand\n",
                 mount_point_.c_str(), std::strerror(errno));
  }
}

}  // namespace bloom_lfs::bench

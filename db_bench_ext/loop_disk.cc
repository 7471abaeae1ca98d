#include "db_bench_ext/loop_disk.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
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
constexpr size_t kPieceBytes = size_t{1} << 20;

// Written in full: a full disk below is met here and not in the middle of a run, and no write of a
// run pays for blocks that the file below does not have yet. Returns 0 or an errno.
int WriteZeros(int fd, uint64_t bytes) {
  const std::unique_ptr<void, decltype(&std::free)> zeros(std::aligned_alloc(4096, kPieceBytes),
                                                          std::free);
  if (zeros == nullptr) return ENOMEM;
  std::memset(zeros.get(), 0, kPieceBytes);
  for (uint64_t offset = 0; offset < bytes;) {
    const size_t piece = std::min<uint64_t>(kPieceBytes, bytes - offset);
    const ssize_t written = pwrite(fd, zeros.get(), piece, static_cast<off_t>(offset));
    if (written < 0) return errno;
    offset += static_cast<uint64_t>(written);
    if (SignalsAsResults::Interrupted()) return EINTR;
  }
  return fsync(fd) == 0 ? 0 : errno;
}

Failure MakeImage(const std::string& image, uint64_t bytes) {
  const Descriptor file(
      open(image.c_str(), O_RDWR | O_CREAT | O_EXCL | O_DIRECT | O_CLOEXEC, 0600));
  const int error = file.get() < 0 ? errno : WriteZeros(file.get(), bytes);
  if (error == 0) return std::nullopt;
  return Error{"cannot make " + image + ": " + std::strerror(error)};
}

// Asked before the image is written, which takes its time.
Failure CheckIsInstalled(const DiskFormat& format) {
  if (RunToEnd({{format.make.front(), "-V"}, "", ""}, kToolTimeout).ok()) return std::nullopt;
  return Error{format.make.front() + " does not run; install it (Debian: " + format.package + ")"};
}

// A read of some pages is one read, as on the disks that this one stands for. Whoever had the loop
// device before may have left it with less.
void AllowWholeReads(const std::string& device) {
  std::ofstream("/sys/block/" + std::filesystem::path(device).filename().string() +
                "/queue/max_sectors_kb")
      << 256;
}

}  // namespace

Result<std::unique_ptr<LoopDisk>> LoopDisk::Create(const std::string& directory,
                                                   const std::string& name, uint64_t bytes,
                                                   const DiskFormat& format) {
  if (geteuid() != 0) return Error{"a disk of its own needs root: a loop device, mount"};
  if (Failure failure = CheckIsInstalled(format)) return *failure;
  const std::string image = directory + "/" + name + ".image";
  if (Failure failure = MakeImage(image, bytes)) return *failure;
  std::unique_ptr<LoopDisk> disk(new LoopDisk);
  if (Failure failure = disk->Attach(image)) return *failure;
  if (Failure failure = disk->Mount(directory + "/" + name, format)) return *failure;
  Result<WorkDirectory> place = WorkDirectory::Create(disk->mount_point_, 0);
  if (!place.ok()) return place.error();
  disk->directory_.emplace(std::move(place.value()));
  return disk;
}

// Detaches itself when nobody has it open or mounted any more, however this program ends.
Failure LoopDisk::Attach(const std::string& image) {
  const Descriptor control(open("/dev/loop-control", O_RDWR | O_CLOEXEC));
  if (control.get() < 0) {
    return Error{std::string("cannot open /dev/loop-control: ") + std::strerror(errno) +
                 "; load the module loop, or let the container have the host's devices "
                 "(--privileged)"};
  }
  const Descriptor file(open(image.c_str(), O_RDWR | O_CLOEXEC));
  if (file.get() < 0) return Error{"cannot open " + image + ": " + std::strerror(errno)};
  for (int tries = 0; tries < kAttachTries; ++tries) {
    const int number = ioctl(control.get(), LOOP_CTL_GET_FREE);
    if (number < 0 || file.get() < 0) break;
    const std::string device = "/dev/loop" + std::to_string(number);
    Descriptor loop(open(device.c_str(), O_RDWR | O_CLOEXEC));
    loop_config config = {};
    config.fd = static_cast<uint32_t>(file.get());
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO;
    if (loop.get() >= 0 && ioctl(loop.get(), LOOP_CONFIGURE, &config) == 0) {
      device_ = device;
      loop_.emplace(std::move(loop));
      AllowWholeReads(device);
      return std::nullopt;
    }
    if (errno != EBUSY) break;  // somebody else was faster
  }
  return Error{std::string("cannot attach a loop device: ") + std::strerror(errno)};
}

Failure LoopDisk::Mount(const std::string& mount_point, const DiskFormat& format) {
  std::vector<std::string> make = format.make;
  make.push_back(device_);
  const Result<ChildOutput> made = RunToEnd({std::move(make), "", ""}, kToolTimeout);
  if (!made.ok()) return made.error();
  std::error_code error;
  std::filesystem::create_directory(mount_point, error);
  if (error) return Error{"cannot make " + mount_point + ": " + error.message()};
  if (mount(device_.c_str(), mount_point.c_str(), format.name.c_str(), 0,
            format.mount_options.c_str()) != 0) {
    const std::string cause =
        errno == ENODEV ? "this kernel has no " + format.name : std::string(std::strerror(errno));
    return Error{"cannot mount " + device_ + ": " + cause};
  }
  mount_point_ = mount_point;
  return std::nullopt;
}

LoopDisk::~LoopDisk() {
  directory_.reset();
  if (mount_point_.empty() || umount(mount_point_.c_str()) == 0) return;
  // Somebody else looks into it. It goes when they leave, and the loop device with it.
  if (umount2(mount_point_.c_str(), MNT_DETACH) != 0) {
    std::fprintf(stderr, "db_bench_ext: cannot unmount %s: %s; do it by hand\n",
                 mount_point_.c_str(), std::strerror(errno));
  }
}

}  // namespace bloom_lfs::bench

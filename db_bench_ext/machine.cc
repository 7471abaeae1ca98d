#include "db_bench_ext/machine.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>

#include "db_bench_ext/format.h"

namespace bloom_lfs::bench {
namespace {

std::string FirstLineOf(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string ProcessorModel() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    const size_t colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) {
      return line.substr(colon + 2);
    }
  }
  return "unknown model";
}

struct Mount {
  std::string device_number;  // "254:1"
  std::string type;           // empty if it could not be found
  std::string source;         // "/dev/vda1"
  std::string options;
  std::string journal;  // " with journal", " without journal"; empty if the question makes no sense
};

// Whether an ext4 on that device has a journal: much of what a stock sync costs depends on it.
std::string JournalOf(const std::string& device_number) {
  std::error_code error;
  const auto device =
      std::filesystem::read_symlink("/sys/dev/block/" + device_number, error).filename();
  const std::string task = FirstLineOf("/sys/fs/ext4/" + device.string() + "/journal_task");
  if (task.empty()) return "";
  return task == "<none>" ? " without journal" : " with journal";
}

// What is mounted where `directory` is, from lines like
// "26 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro". By the mount's
// number, because a file on btrfs tells another device than the mount.
Mount MountOf(const std::string& directory) {
  struct statx status {};
  if (statx(AT_FDCWD, directory.c_str(), 0, STATX_MNT_ID, &status) != 0) return {};
  std::ifstream file("/proc/self/mountinfo");
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    uint64_t id = 0;
    std::string skipped;
    Mount mount;
    fields >> id >> skipped >> mount.device_number;
    const size_t dash = line.find(" - ");
    if (id != status.stx_mnt_id || dash == std::string::npos) continue;
    std::istringstream tail(line.substr(dash + 3));
    tail >> mount.type >> mount.source >> mount.options;
    mount.journal = JournalOf(mount.device_number);
    return mount;
  }
  return {};
}

std::string DeviceOf(const std::string& device_number) {
  const std::string device = "/sys/dev/block/" + device_number;
  std::string queue = device + "/queue/";
  // A partition has no queue of its own.
  if (access(queue.c_str(), F_OK) != 0) queue = device + "/../queue/";
  const std::string write_cache = FirstLineOf(queue + "write_cache");
  if (write_cache.empty()) return "";
  return "cache " + write_cache + ", FUA " + (FirstLineOf(queue + "fua") == "1" ? "yes" : "no");
}

// How many devices the btrfs has that lies on this one ("/dev/sda2"); 0 if that is unknown.
int DevicesOfBtrfs(const std::string& device) {
  const std::string name = std::filesystem::path(device).filename();
  std::error_code error;
  for (const auto& file_system : std::filesystem::directory_iterator("/sys/fs/btrfs", error)) {
    const std::filesystem::path devices = file_system.path() / "devices";
    if (access((devices / name).c_str(), F_OK) != 0) continue;
    const std::filesystem::directory_iterator all(devices, error);
    return error ? 0 : static_cast<int>(std::distance(begin(all), end(all)));
  }
  return 0;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> DescribeMachine(const std::string& directory) {
  std::vector<std::pair<std::string, std::string>> facts;
  struct sysinfo memory {};
  std::string processor = std::to_string(get_nprocs()) + " × " + ProcessorModel();
  if (sysinfo(&memory) == 0) {
    const auto gib = static_cast<double>(memory.totalram) * memory.mem_unit / (1 << 30);
    processor += ", " + FormatCount(gib) + " GiB memory";
  }
  facts.emplace_back("machine", processor);
  struct utsname kernel {};
  if (uname(&kernel) == 0) {
    facts.emplace_back("kernel", std::string(kernel.sysname) + " " + kernel.release);
  }
  const Mount mount = MountOf(directory);
  if (!mount.type.empty()) {
    facts.emplace_back("file system", mount.type + mount.journal + " (" + mount.options + ")");
    const std::string device = DeviceOf(mount.device_number);
    if (!device.empty()) facts.emplace_back("device", device);
  }
  return facts;
}

std::string BlockDeviceOf(const std::string& directory) {
  const Mount mount = MountOf(directory);
  if (mount.type.empty()) return "";
  if (mount.device_number.rfind("0:", 0) != 0) return mount.device_number;
  // A file system that has no number of its device names it, if it lies on one.
  struct stat status {};
  if (stat(mount.source.c_str(), &status) != 0 || !S_ISBLK(status.st_mode)) return "";
  if (mount.type == "btrfs" && DevicesOfBtrfs(mount.source) != 1) return "";
  return std::to_string(major(status.st_rdev)) + ":" + std::to_string(minor(status.st_rdev));
}

std::string FileSystemName(const std::string& directory) {
  const Mount mount = MountOf(directory);
  return mount.type.empty() ? "unknown file system" : mount.type + mount.journal;
}

}  // namespace bloom_lfs::bench

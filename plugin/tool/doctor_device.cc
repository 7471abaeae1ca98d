#include "plugin/tool/doctor_device.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace bloom_lfs::tool {
namespace {

namespace fs = std::filesystem;

std::string NumberOf(dev_t device) {
  return std::to_string(major(device)) + ":" + std::to_string(minor(device));
}

// In /sys; empty if there is no block device of this number.
std::string BlockDirectory(dev_t device) {
  std::error_code error;
  const fs::path found = fs::canonical("/sys/dev/block/" + NumberOf(device), error);
  return error ? "" : found.string();
}

// Through what has no device number of its own: btrfs by its source, overlayfs by its upper layer.
std::string FindBlockDirectory(int fd, const std::optional<Mount>& mount) {
  struct stat st = {};
  if (fstat(fd, &st) != 0) {
    return "";
  }
  std::string found = BlockDirectory(st.st_dev);
  if (found.empty() && mount.has_value() && stat(mount->source.c_str(), &st) == 0 &&
      S_ISBLK(st.st_mode)) {
    found = BlockDirectory(st.st_rdev);
  }
  if (found.empty() && mount.has_value()) {
    const std::optional<std::string> upper = OptionValue(mount->options, "upperdir");
    if (upper.has_value() && stat(upper->c_str(), &st) == 0) {
      found = BlockDirectory(st.st_dev);
    }
  }
  return found;
}

std::optional<bool> FlagOf(const std::string& path) {
  const std::optional<std::string> line = FirstLineOf(path);
  return line.has_value() ? std::optional<bool>(*line != "0") : std::nullopt;
}

// --- what the control group allows ---

// Every line of `file` about the device, there and in the groups above.
void CollectLimits(const std::string& root, std::string group, const std::string& file,
                   const std::string& number, std::vector<std::string>* limits) {
  for (;;) {
    std::ifstream lines(root + group + "/" + file);
    std::string line;
    while (std::getline(lines, line)) {
      if (line.compare(0, number.size() + 1, number + " ") == 0) {
        limits->push_back(file + ": " + line.substr(number.size() + 1));
      }
    }
    const size_t slash = group.find_last_of('/');
    if (slash == std::string::npos) {
      return;
    }
    group.resize(slash);
  }
}

// A line of /proc/self/cgroup: number:controllers:group, without controllers in the unified
// hierarchy.
void LimitsOfLine(const std::string& line, const std::string& number,
                  std::vector<std::string>* limits) {
  const size_t first = line.find(':');
  const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
  if (second == std::string::npos) {
    return;
  }
  const std::string controllers = line.substr(first + 1, second - first - 1);
  const std::string group = line.substr(second + 1) == "/" ? "" : line.substr(second + 1);
  if (controllers.empty()) {
    for (const char* root : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
      CollectLimits(root, group, "io.max", number, limits);
    }
  } else if (controllers == "blkio") {
    for (const char* file :
         {"blkio.throttle.write_bps_device", "blkio.throttle.write_iops_device"}) {
      CollectLimits("/sys/fs/cgroup/blkio", group, file, number, limits);
    }
  }
}

std::vector<std::string> LimitsOn(const std::string& number) {
  std::vector<std::string> limits;
  std::ifstream groups("/proc/self/cgroup");
  std::string line;
  while (std::getline(groups, line)) {
    LimitsOfLine(line, number, &limits);
  }
  return limits;
}

}  // namespace

DeviceFacts LookAtDevice(int fd, const std::optional<Mount>& mount) {
  DeviceFacts device;
  const std::string directory = FindBlockDirectory(fd, mount);
  if (directory.empty()) {
    return device;
  }
  device.name = fs::path(directory).filename().string();
  std::error_code error;
  // A partition's queue is that of its disk.
  const std::string disk = fs::exists(directory + "/partition", error)
                               ? fs::path(directory).parent_path().string()
                               : directory;
  device.write_cache = FirstLineOf(disk + "/queue/write_cache").value_or("");
  device.fua = FlagOf(disk + "/queue/fua");
  device.rotational = FlagOf(disk + "/queue/rotational");
  if (const std::optional<std::string> number = FirstLineOf(disk + "/dev")) {
    device.io_limits = LimitsOn(*number);
  }
  return device;
}

std::optional<bool> LookForJournal(const std::string& file_system_type, const DeviceFacts& device) {
  if (file_system_type == "ext4" && !device.name.empty()) {
    const std::optional<std::string> task =
        FirstLineOf("/sys/fs/ext4/" + device.name + "/journal_task");
    return task.has_value() ? std::optional<bool>(*task != "<none>") : std::nullopt;
  }
  if (file_system_type == "ext2" || file_system_type == "tmpfs" || file_system_type == "ramfs") {
    return false;
  }
  for (const char* each : {"ext3", "xfs", "jfs", "reiserfs", "ocfs2"}) {
    if (file_system_type == each) {
      return true;
    }
  }
  return std::nullopt;
}

}  // namespace bloom_lfs::tool

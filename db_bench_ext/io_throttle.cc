#include "db_bench_ext/io_throttle.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

namespace bloom_lfs::bench {
namespace {

// A control file takes a whole line in one write, or says why not.
Failure WriteControl(const std::string& file, const std::string& line) {
  std::FILE* const stream = std::fopen(file.c_str(), "we");
  bool written = false;
  if (stream != nullptr) {
    written = std::fputs(line.c_str(), stream) >= 0;
    written = std::fclose(stream) == 0 && written;
  }
  if (written) return std::nullopt;
  return Error{"cannot write \"" + line + "\" to " + file + ": " + std::strerror(errno)};
}

std::string OrMax(uint64_t limit) { return limit == 0 ? "max" : std::to_string(limit); }

// The group of this process in one of the hierarchies, relative to its root. `controller`: as
// between the colons of /proc/self/cgroup, empty for version 2.
Result<std::string> GroupOfThisProcess(const std::string& own_groups,
                                       const std::string& controller) {
  std::ifstream lines(own_groups);
  const std::string mark = ":" + controller + ":";
  std::string line;
  while (std::getline(lines, line)) {
    const size_t at = line.find(mark);
    if (at != std::string::npos && at == line.find(':')) return line.substr(at + mark.size());
  }
  return Error{own_groups + " names no cgroup" +
               (controller.empty() ? " of version 2" : " of " + controller)};
}

}  // namespace

Result<IoThrottle> IoThrottle::Create(const std::string& device, const std::string& cgroups,
                                      const std::string& own_groups) {
  // In version 1 a limit is for the members of its own group alone.
  if (const Result<std::string> group = GroupOfThisProcess(own_groups, "blkio"); group.ok()) {
    const std::string directory = cgroups + "/blkio" + group.value();
    if (access((directory + "/blkio.throttle.read_iops_device").c_str(), W_OK) == 0) {
      return IoThrottle(device, directory, "");
    }
  }
  const std::string enabled = cgroups + "/cgroup.subtree_control";
  if (access(enabled.c_str(), W_OK) != 0) {
    return Error{"there is no cgroup controller in " + cgroups +
                 " that limits a disk, or it is not ours to set; run as root"};
  }
  if (Failure failure = WriteControl(enabled, "+io")) return *failure;
  const Result<std::string> before = GroupOfThisProcess(own_groups, "");
  if (!before.ok()) return before.error();
  const std::string group = cgroups + "/db_bench_ext." + std::to_string(getpid());
  std::error_code error;
  std::filesystem::create_directory(group, error);
  if (error) return Error{"cannot make the cgroup " + group + ": " + error.message()};
  IoThrottle throttle(device, group, cgroups + before.value());
  if (Failure failure = WriteControl(group + "/cgroup.procs", std::to_string(getpid()))) {
    return *failure;
  }
  return throttle;
}

IoThrottle::IoThrottle(std::string device, std::string directory, std::string group_before)
    : device_(std::move(device)),
      directory_(std::move(directory)),
      group_before_(std::move(group_before)) {}

IoThrottle::IoThrottle(IoThrottle&& other) noexcept
    : device_(std::move(other.device_)),
      directory_(std::exchange(other.directory_, std::string())),
      group_before_(std::move(other.group_before_)) {}

IoThrottle::~IoThrottle() {
  if (directory_.empty()) return;
  Failure failure = Set({});
  if (OwnsGroup()) {
    failure = WriteControl(group_before_ + "/cgroup.procs", std::to_string(getpid()));
    if (rmdir(directory_.c_str()) != 0) {
      failure = Error{"cannot remove the cgroup " + directory_ + ": " + std::strerror(errno)};
    }
  }
  if (failure.has_value()) std::fprintf(stderr, "db_bench_ext: %s\n", failure->message.c_str());
}

Failure IoThrottle::Set(const DiskLimits& limits) const {
  if (OwnsGroup()) {
    return WriteControl(directory_ + "/io.max", device_ + " riops=" + OrMax(limits.reads_per_s) +
                                                    " rbps=" + OrMax(limits.bytes_per_s) +
                                                    " wbps=" + OrMax(limits.bytes_per_s));
  }
  const std::pair<const char*, uint64_t> controls[] = {{"read_iops_device", limits.reads_per_s},
                                                       {"read_bps_device", limits.bytes_per_s},
                                                       {"write_bps_device", limits.bytes_per_s}};
  for (const auto& [name, limit] : controls) {
    const std::string line = device_ + " " + std::to_string(limit);
    if (Failure failure = WriteControl(directory_ + "/blkio.throttle." + name, line)) {
      return failure;
    }
  }
  return std::nullopt;
}

}  // namespace bloom_lfs::bench

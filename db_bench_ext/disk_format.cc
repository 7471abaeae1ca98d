#include "db_bench_ext/disk_format.h"

#include <algorithm>
#include <array>
#include <sstream>

namespace bloom_lfs::bench {
namespace {

// Nothing is left for the kernel to do later, beside a run, and no blocks of the image are freed.
std::array<DiskFormat, 3> Formats() {
  return {{{"ext4",
            "e2fsprogs",
            {"mkfs.ext4", "-q", "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0"},
            "",
            32},
           {"xfs", "xfsprogs", {"mkfs.xfs", "-q", "-f", "-K"}, "", 300},
           {"btrfs", "btrfs-progs", {"mkfs.btrfs", "-q", "-f", "-K"}, "nodiscard", 128}}};
}

}  // namespace

DiskFormat Ext4Format() { return Formats().front(); }

Result<std::vector<DiskFormat>> ParseFileSystems(const std::string& list) {
  const auto known = Formats();
  std::vector<DiskFormat> chosen;
  std::istringstream items(list);
  std::string item;
  while (std::getline(items, item, ',')) {
    const auto named = [&](const DiskFormat& format) { return format.name == item; };
    const auto* const format = std::find_if(known.begin(), known.end(), named);
    if (format == known.end()) {
      return Error{"--file_systems: \"" + item + "\" is none of ext4, xfs and btrfs"};
    }
    if (std::any_of(chosen.begin(), chosen.end(), named)) {
      return Error{"--file_systems: " + item + " is there twice"};
    }
    chosen.push_back(*format);
  }
  return chosen;
}

}  // namespace bloom_lfs::bench

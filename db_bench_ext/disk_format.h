#pragma once

#include <string>
#include <vector>

#include "db_bench_ext/result.h"

namespace bloom_lfs::bench {

// A file system that a disk of our own can have.
struct DiskFormat {
  std::string name;               // as mount(2) takes it
  std::string package;            // Debian's, with the program that makes it
  std::vector<std::string> make;  // that program; the device is its last argument
  std::string mount_options;
  int smallest_mib = 0;
};

// With a journal, which most of the tests of this program want of a disk.
DiskFormat Ext4Format();

// "ext4", "xfs", "btrfs", comma-separated. An error if one is unknown or there twice; nothing of an
// empty list.
Result<std::vector<DiskFormat>> ParseFileSystems(const std::string& list);

}  // namespace bloom_lfs::bench

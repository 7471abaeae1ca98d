// What `bloom_lfs doctor` has found out about a directory, its disk and this process: values only.
// doctor_verdict makes a verdict of them, doctor_report prints them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "plugin/tool/program_linkage.h"

namespace bloom_lfs::tool {

// Of one way to write, over all its repetitions.
struct Cost {
  uint64_t count = 0;  // 0: not measured
  double mean_us = 0;
  double median_us = 0;
  double p99_us = 0;
};

// The ways side by side within a second, so that a disk whose speed changes meanwhile treats them
// alike. Means, in microseconds.
struct CostRound {
  double stock_sync = 0;         // a small append and fdatasync: stock's way
  double durable_overwrite = 0;  // the plugin's way on file systems that overwrite in place
  double durable_unwritten = 0;  // the same into allocated blocks that hold no data yet
};

struct CostFacts {
  Cost stock_sync;         // append of 128 bytes, fdatasync
  Cost append;             // append of 4 KiB, fdatasync
  Cost overwrite;          // 4 KiB over written blocks through the page cache, fdatasync
  Cost durable_overwrite;  // 4 KiB over written blocks as the plugin does it: O_DIRECT, RWF_DSYNC
  Cost durable_unwritten;  // the same into allocated blocks without data
  double sequential_mib_per_s = 0;
  std::vector<CostRound> rounds;
  // Part of the time in which this process could have run and others had the processors; none: the
  // kernel does not tell.
  std::optional<double> processor_wait;
};

struct DirectIoFacts {
  bool works = false;             // with 4 KiB alignment, which is what the plugin needs
  std::string refusal;            // why not
  bool told = false;              // by statx; otherwise the alignments are those that were tried
  uint32_t memory_alignment = 0;  // 0: unknown
  uint32_t offset_alignment = 0;
};

struct FileSystemFacts {
  std::string type;  // as in /proc/self/mountinfo
  std::string mounted_from;
  std::string options;
  bool in_memory = false;
  bool copy_on_write = false;
  std::optional<bool> journal;  // none: cannot be told
  uint64_t free_bytes = 0;
  uint64_t block_bytes = 0;
  bool birth_times = false;
  bool nameless_files = false;      // O_TMPFILE
  bool allocates_ahead = false;     // fallocate
  bool durable_flag = false;        // RWF_DSYNC
  bool shared_mapping = false;      // what a ring needs
  std::optional<bool> posix_locks;  // what RocksDB and rings use; none: not tried, without /proc
  std::optional<bool> ofd_locks;
  std::optional<bool> flock_locks;
  DirectIoFacts direct_io;
};

// Empty name: the file system's block device was not found.
struct DeviceFacts {
  std::string name;
  std::string write_cache;  // "write back", "write through"
  std::optional<bool> fua;
  std::optional<bool> rotational;
  std::vector<std::string> io_limits;  // of this process's control group, as the kernel writes them
};

struct ProcessFacts {
  bool io_uring = false;
  std::string io_uring_refusal;          // what, why, what to do
  std::optional<int> io_uring_disabled;  // sysctl kernel.io_uring_disabled
  std::optional<int> seccomp;            // 0: none, 1: strict, 2: a filter
  bool boot_id = false;
  std::optional<uint64_t> open_files_max;  // none: no limit
  std::optional<uint64_t> locked_memory_max_bytes;
  std::optional<uint64_t> file_size_max_bytes;
  bool ring_memory = false;  // /dev/shm can be written to
  uint64_t ring_memory_free_bytes = 0;
};

// The RocksDB in this process, which is the one that the plugin is linked to.
struct RocksDbFacts {
  std::string version;
  std::string soname;
  std::string file;
  std::string checksum;               // what it says of its CRC-32C
  bool has_typeinfo = false;          // built with RTTI
  std::optional<bool> fast_checksum;  // whether the processor's instruction computes it
};

struct DoctorFacts {
  std::string directory;
  bool quick = false;
  std::vector<std::string> remarks;  // on the database that is there: sentences
  FileSystemFacts file_system;
  DeviceFacts device;
  ProcessFacts process;
  CostFacts costs;
  RocksDbFacts rocksdb;
  std::optional<ProgramLinkage> program;
};

}  // namespace bloom_lfs::tool

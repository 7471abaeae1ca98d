#include "plugin/tool/doctor_process.h"

#include <dlfcn.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>

#include "lss/base/boot_id.h"
#include "lss/base/posix_file.h"
#include "lss/base/unique_fd.h"
#include "lss/device/uring_writer.h"
#include "plugin/tool/mount_table.h"
#include "rocksdb/version.h"

namespace bloom_lfs::tool {
namespace {

constexpr char kRingMemory[] = "/dev/shm";

std::optional<uint64_t> ResourceLimit(__rlimit_resource resource) {
  rlimit limit = {};
  return getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY
             ? std::nullopt
             : std::optional<uint64_t>(limit.rlim_cur);
}

std::optional<int> NumberIn(const std::optional<std::string>& text) {
  if (!text.has_value()) {
    return std::nullopt;
  }
  char* end = nullptr;
  const long number = std::strtol(text->c_str(), &end, 10);
  return end == text->c_str() ? std::nullopt : std::optional<int>(static_cast<int>(number));
}

// The word behind `name` in /proc/self/status.
std::optional<std::string> StatusWord(const std::string& name) {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word == name && status >> word) {
      return word;
    }
  }
  return std::nullopt;
}

// As the plugin's flusher sets it up.
void TryIoUring(ProcessFacts* process) {
  const lss::UniqueFd wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  std::unique_ptr<lss::UringWriter> writer;
  const lss::Status status = wake.valid() ? lss::UringWriter::Create(wake.get(), nullptr, &writer)
                                          : lss::Status::FromErrno("make", "an eventfd", -1, errno);
  process->io_uring = status.ok();
  process->io_uring_refusal = status.message();
}

// With real I/O: a container may show one that it may not write to.
void TryRingMemory(ProcessFacts* process) {
  const lss::UniqueFd file = lss::CreateUnnamed(kRingMemory);
  struct statvfs facts = {};
  process->ring_memory = file.valid() && write(file.get(), "", 1) == 1;
  if (process->ring_memory && fstatvfs(file.get(), &facts) == 0) {
    process->ring_memory_free_bytes =
        static_cast<uint64_t>(facts.f_bavail) * static_cast<uint64_t>(facts.f_frsize);
  }
}

}  // namespace

ProcessFacts LookAtProcess() {
  ProcessFacts process;
  TryIoUring(&process);
  process.io_uring_disabled = NumberIn(FirstLineOf("/proc/sys/kernel/io_uring_disabled"));
  process.seccomp = NumberIn(StatusWord("Seccomp:"));
  process.boot_id = lss::SameBootId(lss::BootId(), lss::BootId());
  process.open_files_max = ResourceLimit(RLIMIT_NOFILE);
  process.locked_memory_max_bytes = ResourceLimit(RLIMIT_MEMLOCK);
  process.file_size_max_bytes = ResourceLimit(RLIMIT_FSIZE);
  TryRingMemory(&process);
  return process;
}

RocksDbFacts LookAtRocksDb() {
  RocksDbFacts rocksdb;
  rocksdb.version = rocksdb::GetRocksVersionAsString(/*with_patch=*/true);
  rocksdb.soname = BLOOM_LFS_ROCKSDB_SONAME;
  Dl_info info = {};
  const auto* const anchor = reinterpret_cast<const void*>(&rocksdb::GetRocksVersionAsString);
  void* found = dlsym(RTLD_DEFAULT, "_ZN7rocksdb6crc32c20IsFastCrc32SupportedB5cxx11Ev");
  // The function's address may be that of a stub in this program; the other one is the library's.
  if (dladdr(found != nullptr ? found : anchor, &info) != 0 && info.dli_fname != nullptr) {
    rocksdb.file = info.dli_fname;
  }
  rocksdb.has_typeinfo = dlsym(RTLD_DEFAULT, kRocksDbTypeInfo) != nullptr;
  if (found != nullptr) {
    rocksdb.checksum = reinterpret_cast<std::string (*)()>(found)();
    rocksdb.fast_checksum = rocksdb.checksum.compare(0, 9, "Supported") == 0;
  }
  return rocksdb;
}

}  // namespace bloom_lfs::tool

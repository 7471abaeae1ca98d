#include "db_bench_ext/page_cache.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <system_error>
#include <vector>

namespace bloom_lfs::bench {
namespace {

struct CacheUse {
  uint64_t pages = 0;
  uint64_t resident_pages = 0;
};

Error ErrorAbout(const std::string& what, const std::string& path, int error) {
  return Error{"cannot " + what + " " + path + ": " + std::strerror(error)};
}

// Calls `visit` with the path, a descriptor and the size of every file that is not empty.
Failure ForEachFile(const std::string& directory,
                    const std::function<Failure(const std::string&, int, size_t)>& visit) {
  std::error_code error;
  std::filesystem::recursive_directory_iterator entries(directory, error);
  for (; !error && entries != std::filesystem::recursive_directory_iterator();
       entries.increment(error)) {
    if (!entries->is_regular_file()) continue;
    const std::string path = entries->path().string();
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return ErrorAbout("open", path, errno);
    struct stat status {};
    Failure failure;
    if (fstat(fd, &status) != 0) {
      failure = ErrorAbout("look at", path, errno);
    } else if (status.st_size > 0) {
      failure = visit(path, fd, static_cast<size_t>(status.st_size));
    }
    close(fd);
    if (failure.has_value()) return failure;
  }
  if (error) return ErrorAbout("list", directory, error.value());
  return std::nullopt;
}

Failure AddCacheUse(const std::string& path, int fd, size_t bytes, CacheUse* use) {
  const auto page_bytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* memory = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return ErrorAbout("map", path, errno);
  std::vector<unsigned char> pages((bytes + page_bytes - 1) / page_bytes);
  const int result = mincore(memory, bytes, pages.data());
  const int error = errno;
  munmap(memory, bytes);
  if (result != 0) return ErrorAbout("ask for the cached pages of", path, error);
  use->pages += pages.size();
  use->resident_pages += static_cast<uint64_t>(std::count_if(
      pages.begin(), pages.end(), [](unsigned char page) { return (page & 1U) != 0; }));
  return std::nullopt;
}

Failure Drop(const std::string& path, int fd, size_t /*bytes*/) {
  const int error = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  if (error != 0) return ErrorAbout("take out of the page cache", path, error);
  return std::nullopt;
}

Failure ReadAll(const std::string& path, int fd, size_t bytes) {
  std::vector<char> chunk(size_t{1} << 20);
  for (size_t offset = 0; offset < bytes;) {
    const ssize_t n = pread(fd, chunk.data(), chunk.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrorAbout("read", path, errno);
    if (n == 0) break;
    offset += static_cast<size_t>(n);
  }
  return std::nullopt;
}

}  // namespace

Failure DropFromPageCache(const std::string& directory) {
  if (Failure failure = ForEachFile(directory, Drop)) return failure;
  CacheUse use;
  Failure failure =
      ForEachFile(directory, [&use](const std::string& path, int fd, size_t bytes) -> Failure {
        return AddCacheUse(path, fd, bytes, &use);
      });
  if (failure.has_value()) return failure;
  // A few pages may be in use by the kernel at this very moment.
  if (use.resident_pages > 8 + use.pages / 100) {
    return Error{
        std::to_string(use.resident_pages) + " of " + std::to_string(use.pages) + " pages of " +
        directory +
        " stay in the page cache, so that a cold start cannot be measured: another process "
        "has the files mapped, or the file system ignores POSIX_FADV_DONTNEED; end the "
        "process, or pass --db_dir=<a directory on another file system>"};
  }
  return std::nullopt;
}

Failure ReadIntoPageCache(const std::string& directory) { return ForEachFile(directory, ReadAll); }

}  // namespace bloom_lfs::bench

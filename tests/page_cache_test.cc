#include "db_bench_ext/page_cache.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/temp_dir.h"

namespace bloom_lfs::bench {
namespace {

constexpr size_t kBytes = size_t{4} << 20;

// A file whose data is on the disk and, for now, in the page cache.
std::string WriteFile(const std::string& path) {
  std::ofstream(path) << std::string(kBytes, 'x');
  const int fd = open(path.c_str(), O_RDONLY);
  EXPECT_EQ(fsync(fd), 0);
  close(fd);
  return path;
}

// A mapping of a whole file that lets one look at, and hold, its pages.
class Mapping {
 public:
  explicit Mapping(const std::string& path) : fd_(open(path.c_str(), O_RDONLY)) {
    memory_ = mmap(nullptr, kBytes, PROT_READ, MAP_SHARED, fd_, 0);
    EXPECT_NE(memory_, MAP_FAILED);
  }
  ~Mapping() {
    munmap(memory_, kBytes);
    close(fd_);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  size_t ResidentPages() const {
    std::vector<unsigned char> pages(kBytes / static_cast<size_t>(sysconf(_SC_PAGESIZE)));
    EXPECT_EQ(mincore(memory_, kBytes, pages.data()), 0);
    size_t resident = 0;
    for (const unsigned char page : pages) resident += page & 1U;
    return resident;
  }

  // The system call: AddressSanitizer makes mlock() do nothing.
  bool Hold() const { return syscall(SYS_mlock, memory_, kBytes) == 0; }

 private:
  int fd_;
  void* memory_ = nullptr;
};

TEST(PageCacheTest, FilesLeaveTheCacheAndComeBack) {
  const test::TempDir directory;
  std::filesystem::create_directory(directory / "inner");
  const std::string path = WriteFile(directory / "inner/file");
  std::ofstream(directory / "empty").flush();

  Failure failure = DropFromPageCache(directory.path());
  ASSERT_FALSE(failure.has_value()) << failure->message;
  EXPECT_EQ(Mapping(path).ResidentPages(), 0U);

  failure = ReadIntoPageCache(directory.path());
  ASSERT_FALSE(failure.has_value()) << failure->message;
  EXPECT_EQ(Mapping(path).ResidentPages(), kBytes / static_cast<size_t>(sysconf(_SC_PAGESIZE)));
}

TEST(PageCacheTest, PagesThatStayAreAnError) {
  const test::TempDir directory;
  const Mapping mapping(WriteFile(directory / "file"));
  if (!mapping.Hold()) GTEST_SKIP() << "mlock is not allowed here";
  const Failure failure = DropFromPageCache(directory.path());
  ASSERT_TRUE(failure.has_value());
  EXPECT_NE(failure->message.find("stay in the page cache"), std::string::npos);
}

TEST(PageCacheTest, AMissingDirectoryIsAnErrorThatNamesIt) {
  const Failure failure = DropFromPageCache("/nonexistent");
  ASSERT_TRUE(failure.has_value());
  EXPECT_NE(failure->message.find("/nonexistent"), std::string::npos);
  EXPECT_TRUE(ReadIntoPageCache("/nonexistent").has_value());
}

}  // namespace
}  // namespace bloom_lfs::bench

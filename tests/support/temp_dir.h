// A directory for one test, removed when the test is over.

#pragma once

#include <string>

namespace bloom_lfs::test {

// Lives under the working directory, which ctest sets to the build tree: that is a real disk, where
// /tmp may be a tmpfs without O_DIRECT. BLOOM_LFS_TEST_DIR puts it elsewhere. The directory of a
// failed test is kept, and its path printed.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }

  // path of `name` inside the directory
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace bloom_lfs::test

#include "tests/support/temp_dir.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <system_error>

namespace bloom_lfs::test {
namespace fs = std::filesystem;

TempDir::TempDir() {
  const char* root = ::getenv("BLOOM_LFS_TEST_DIR");
  const fs::path base = root != nullptr ? fs::path(root) : fs::current_path() / "test_data";
  fs::create_directories(base);
  std::string pattern = (base / "XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    throw std::runtime_error("cannot create " + pattern + ": " + std::strerror(errno));
  }
  path_ = pattern;
}

TempDir::~TempDir() {
  if (testing::Test::HasFailure()) {
    std::fprintf(stderr, "kept for inspection: %s\n", path_.c_str());
    return;
  }
  std::error_code ignored;  // a directory left behind must not turn into a terminate()
  fs::remove_all(path_, ignored);
}

}  // namespace bloom_lfs::test

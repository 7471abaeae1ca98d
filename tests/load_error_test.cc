// Each trouble with loading the plugin has a remedy of its own. The errors are glibc's words.

#include "plugin/loader/load_error.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace bloom_lfs::loader {
namespace {

struct Case {
  const char* error;
  bool file_exists;
  const char* remedy;  // a part of it
};

const Case kCases[] = {
    {"/opt/p/libbloom_lfs_plugin.so: cannot open shared object file: No such file or directory",
     false, "install libbloom_lfs_plugin.so"},
    {"/opt/p/libbloom_lfs_plugin.so: cannot open shared object file: Permission denied", true,
     "let the user"},
    // A directory that may not be searched hides the file.
    {"/opt/p/libbloom_lfs_plugin.so: cannot open shared object file: Permission denied", false,
     "let the user"},
    {"liburing.so.2: cannot open shared object file: No such file or directory", true,
     "LD_LIBRARY_PATH"},
    {"/opt/p/libbloom_lfs_plugin.so: undefined symbol: _ZTIN7rocksdb17FileSystemWrapperE", true,
     "without RTTI"},
    {"/lib/libstdc++.so.6: version `GLIBCXX_3.4.32' not found (required by "
     "/opt/p/libbloom_lfs_plugin.so)",
     true, "newer C++ standard library"},
    {"/lib/libc.so.6: version `GLIBC_2.38' not found (required by /opt/p/libbloom_lfs_plugin.so)",
     true, "newer C++ standard library"},
    {"/opt/p/libbloom_lfs_plugin.so: undefined symbol: "
     "_ZN7rocksdb10FileSystem16CreateFromStringERKNS_13ConfigOptionsE",
     true, "lacks what the one had"},
    {"/opt/p/libbloom_lfs_plugin.so: invalid ELF header", true, "on this system"},
};

TEST(LoadError, EachHasItsRemedy) {
  for (const Case& each : kCases) {
    const std::string remedy = RemedyOfLoadError(each.error, each.file_exists);
    EXPECT_NE(remedy.find(each.remedy), std::string::npos) << each.error << "\n" << remedy;
  }
}

TEST(LoadError, OnlyThoseWithOneCauseShareOne) {
  std::set<std::string> remedies;
  for (const Case& each : kCases) {
    remedies.insert(RemedyOfLoadError(each.error, each.file_exists));
  }
  EXPECT_EQ(remedies.size(), std::size(kCases) - 2)
      << "glibc's and libstdc++'s, and what may not be read";
}

}  // namespace
}  // namespace bloom_lfs::loader

#include "tests/support/test_env.h"

#include <rocksdb/convenience.h>
#include <stdlib.h>

#include <stdexcept>

namespace bloom_lfs::test {

std::string FsUri() {
  const char* uri = ::getenv("BLOOM_LFS_TEST_URI");
  return uri != nullptr ? uri : "bloom_lfs";
}

bool PluginUnderTest() { return !FsUri().empty(); }

const char* Name(With with) { return with == With::kPlugin ? "plugin" : "stock"; }

TestEnv::TestEnv(With with) : TestEnv(with == With::kPlugin ? FsUri() : std::string()) {}

TestEnv::TestEnv(const std::string& fs_uri) {
  if (fs_uri.empty()) {
    env_ = rocksdb::Env::Default();
    return;
  }
  const rocksdb::ConfigOptions config;
  const rocksdb::Status s = rocksdb::Env::CreateFromUri(config, "", fs_uri, &env_, &guard_);
  if (!s.ok()) throw std::runtime_error("fs_uri '" + fs_uri + "': " + s.ToString());
}

}  // namespace bloom_lfs::test

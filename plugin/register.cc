#include "plugin/register.h"

#include <memory>

#include "plugin/bloom_lfs_file_system.h"
#include "plugin/flash/flash_registration.h"
#include "rocksdb/convenience.h"
#include "rocksdb/env.h"
#include "rocksdb/file_system.h"

namespace bloom_lfs {
namespace {

using rocksdb::Env;
using rocksdb::FileSystem;
using rocksdb::ObjectLibrary;

// "bloom_lfs" itself, and "bloom_lfs://anything" as a URI.
ObjectLibrary::PatternEntry Names() {
  return ObjectLibrary::PatternEntry(BloomLfsFileSystem::kClassName()).AddSeparator("://", false);
}

// Every call makes an object of its own: its options are its caller's.
FileSystem* NewFileSystem(const std::string& /*uri*/, std::unique_ptr<FileSystem>* guard,
                          std::string* /*error*/) {
  *guard = std::make_unique<BloomLfsFileSystem>(FileSystem::Default());
  return guard->get();
}

// Serves "env=" in option strings and TEST_ENV_URI, which take an Env that nobody owns: made once,
// never destroyed.
Env* SharedEnv(const std::string& /*uri*/, std::unique_ptr<Env>* /*guard*/, std::string* error) {
  static Env* const env = [error]() -> Env* {
    std::shared_ptr<FileSystem> file_system =
        std::make_shared<BloomLfsFileSystem>(FileSystem::Default());
    const rocksdb::Status status = file_system->PrepareOptions(rocksdb::ConfigOptions());
    if (!status.ok()) {
      *error = status.ToString();
      return nullptr;
    }
    return rocksdb::NewCompositeEnv(file_system).release();
  }();
  return env;
}

[[maybe_unused]] const int kRegistered =
    register_bloom_lfs(*ObjectLibrary::Default(), std::string());

}  // namespace
}  // namespace bloom_lfs

extern "C" int register_bloom_lfs(rocksdb::ObjectLibrary& library,
                                  const std::string& /*argument*/) {
  library.AddFactory<rocksdb::FileSystem>(bloom_lfs::Names(), bloom_lfs::NewFileSystem);
  library.AddFactory<rocksdb::Env>(bloom_lfs::Names(), bloom_lfs::SharedEnv);
  return 2 + bloom_lfs::RegisterFlashTier(&library);
}

#include "plugin/default_file_system.h"

#include <cstdlib>
#include <string>

#include "plugin/bloom_lfs_file_system.h"
#include "plugin/flash/flash_by_environment.h"
#include "plugin/plugin_options.h"
#include "plugin/warning.h"

namespace bloom_lfs {
namespace {

using rocksdb::FileSystem;

std::shared_ptr<FileSystem> Make(DefaultFunction real) {
  PluginOptions options;
  const char* const text = std::getenv("BLOOM_LFS_OPTIONS");
  const rocksdb::Status status = options.Parse(text != nullptr ? text : "");
  if (!status.ok()) {
    WarnOnce("not in use, RocksDB keeps its stock FileSystem: correct BLOOM_LFS_OPTIONS: " +
             status.ToString());
    return real();
  }
  if (options.blob_flash.empty()) {
    options.blob_flash = FlashTextOfEnvironment();
  }
  return std::make_shared<BloomLfsFileSystem>(real(), options);
}

}  // namespace

std::shared_ptr<FileSystem> DefaultFileSystem(DefaultFunction real) {
  static const auto* const made = new std::shared_ptr<FileSystem>(Make(real));
  return *made;
}

}  // namespace bloom_lfs

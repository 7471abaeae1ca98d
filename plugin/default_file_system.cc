#include "plugin/default_file_system.h"

#include <cstdlib>
#include <string>

#include "plugin/bloom_lfs_file_system.h"
#include "plugin/plugin_options.h"
#include "plugin/warning.h"

namespace bloom_lfs {
namespace {

using rocksdb::FileSystem;

std::shared_ptr<FileSystem> Make(DefaultFunction real) {
  PluginOptions options;
  const char* const text = std::getenv("BLOOM_LFS_OPTIONS");
  rocksdb::Status status = options.Parse(text != nullptr ? text : "");
  if (!status.ok()) {
    WarnOnce("not in use, RocksDB keeps its stock FileSystem: correct BLOOM_LFS_OPTIONS: " +
             status.ToString());
    return real();
  }
  if (const char* const flash = std::getenv("BLOOM_LFS_FLASH");
      flash != nullptr && options.blob_flash.empty()) {
    options.blob_flash = flash;
    status = options.Validate();
    if (!status.ok()) {
      WarnOnce("no flash tier: correct BLOOM_LFS_FLASH: " + status.ToString());
      options.blob_flash.clear();
    }
  }
  return std::make_shared<BloomLfsFileSystem>(real(), options);
}

}  // namespace

std::shared_ptr<FileSystem> DefaultFileSystem(DefaultFunction real) {
  static const auto* const made = new std::shared_ptr<FileSystem>(Make(real));
  return *made;
}

}  // namespace bloom_lfs

// The plugin's FileSystem over the local one, made by hand, for tests of the FileSystem itself.
// Databases get theirs by name: test_env.h.

#pragma once

#include <gtest/gtest.h>
#include <rocksdb/convenience.h>

#include <memory>
#include <string>

#include "plugin/bloom_lfs_file_system.h"
#include "tests/support/log_options.h"

namespace bloom_lfs::test {

// Rings of four pages, which a few records fill.
inline PluginOptions SmallRings() {
  PluginOptions options;
  options.buffer_bytes = 4096;
  options.buffer_count = 4;
  return options;
}

// Writes nothing to a file merely because time passes.
inline std::unique_ptr<BloomLfsFileSystem> NewFileSystem(PluginOptions options) {
  options.idle_flush_ms = 60000;
  auto fs = std::make_unique<BloomLfsFileSystem>(rocksdb::FileSystem::Default(), options);
  EXPECT_TRUE(fs->PrepareOptions(rocksdb::ConfigOptions()).ok());
  return fs;
}

// A log is created as RocksDB's log writer does it.
inline std::unique_ptr<rocksdb::FSWritableFile> CreateFile(
    BloomLfsFileSystem* fs, const std::string& path, const rocksdb::FileOptions& options = {}) {
  std::unique_ptr<rocksdb::FSWritableFile> file;
  const rocksdb::IOStatus status =
      fs->NewWritableFile(path, OptionsFor(path, *fs, options), &file, nullptr);
  EXPECT_TRUE(status.ok()) << status.ToString();
  return file;
}

}  // namespace bloom_lfs::test

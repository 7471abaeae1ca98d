// The set-up of the tests of the plugin's FileSystem: one with small rings, and a directory.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "lss/ring/ring_format.h"
#include "plugin/bloom_lfs_file_system.h"
#include "tests/support/dead_log.h"
#include "tests/support/plugin_file_system.h"
#include "tests/support/stream_bytes.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs::test {

class BloomLfsFileSystemTest : public testing::Test {
 protected:
  std::unique_ptr<rocksdb::FSWritableFile> Create(const std::string& path) {
    return CreateFile(fs_.get(), path);
  }
  std::unique_ptr<rocksdb::FSWritableFile> CreateWith(const std::string& path,
                                                      const std::string& bytes) {
    std::unique_ptr<rocksdb::FSWritableFile> file = Create(path);
    EXPECT_TRUE(file->Append(bytes, io_, nullptr).ok());
    return file;
  }
  uint64_t Size(const std::string& path) {
    uint64_t size = 0;
    const rocksdb::IOStatus status = fs_->GetFileSize(path, io_, &size, nullptr);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return size;
  }
  // A log of a killed process, with bytes that are only in its ring.
  lss::test::DeadLog MakeDead(const std::string& path) {
    lss::test::DeadLog log;
    log.stream = lss::test::Stream(6000);
    log.hi_stable = 3000;
    log.behind = std::string(2000, '\0');
    log.MakeAt(path);
    return log;
  }

  TempDir dir_;
  const std::string log_ = dir_ / "000007.log";
  const std::string rings_ = dir_ / lss::kRingDirectoryName;
  const rocksdb::IOOptions io_;
  const std::unique_ptr<BloomLfsFileSystem> fs_ = NewFileSystem(SmallRings());
};

}  // namespace bloom_lfs::test

// Every way by which a program asks for the plugin by name.

#include <gtest/gtest.h>
#include <rocksdb/convenience.h>
#include <rocksdb/file_system.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "plugin/rocksdb_versions.h"
#include "tests/support/database.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs::test {
namespace {

using rocksdb::ConfigOptions;
using rocksdb::Env;
using rocksdb::FileSystem;
using rocksdb::Status;

class RegistrationTest : public testing::Test {
 protected:
  // Opens a database with env, writes a row, and reports the sizes of the rings beside its logs:
  // empty if the plugin is not at work.
  std::vector<uint64_t> RingsOfALiveDatabase(Env* env) {
    const std::string path = dir_ / ("db" + std::to_string(++databases_));
    std::unique_ptr<rocksdb::DB> db;
    Require(rocksdb::DB::Open(DatabaseOptions(env, nullptr), path, OpenInto(&db)));
    Require(db->Put(rocksdb::WriteOptions(), "key", "value"));
    std::vector<uint64_t> sizes;
    for (const auto& [name, facts] : ListTree(path)) {
      if (name.rfind(".bloom_lfs/", 0) == 0) sizes.push_back(facts.size);
    }
    return sizes;
  }

  const TempDir dir_;
  int databases_ = 0;
  Env* env_ = nullptr;
  std::shared_ptr<Env> guard_;
};

TEST_F(RegistrationTest, TheDefaultEnvIsStock) {
  EXPECT_TRUE(RingsOfALiveDatabase(Env::Default()).empty());
}

TEST_F(RegistrationTest, ByFsUri) {
  for (const char* uri : {"bloom_lfs", "bloom_lfs://", "id=bloom_lfs"}) {
    Require(Env::CreateFromUri(ConfigOptions(), "", uri, &env_, &guard_));
    EXPECT_EQ(RingsOfALiveDatabase(env_).size(), 1u) << uri;
  }
}

TEST_F(RegistrationTest, ByEnvUri) {
  Require(Env::CreateFromUri(ConfigOptions(), "bloom_lfs", "", &env_, &guard_));
  EXPECT_EQ(RingsOfALiveDatabase(env_).size(), 1u);
}

TEST_F(RegistrationTest, ByOptionString) {
  rocksdb::Options options;
  Require(rocksdb::GetOptionsFromString(ConfigOptions(), rocksdb::Options(), "env=bloom_lfs",
                                        &options));
  ASSERT_NE(options.env, nullptr);
  EXPECT_EQ(RingsOfALiveDatabase(options.env).size(), 1u);
}

TEST_F(RegistrationTest, ByFileSystemName) {
  std::shared_ptr<FileSystem> fs;
  Require(FileSystem::CreateFromString(ConfigOptions(), "bloom_lfs", &fs));
  const std::unique_ptr<Env> env = rocksdb::NewCompositeEnv(fs);
  EXPECT_EQ(RingsOfALiveDatabase(env.get()).size(), 1u);
  EXPECT_STREQ(fs->Name(), "bloom_lfs");
  EXPECT_TRUE(fs->IsInstanceOf("bloom_lfs"));
}

TEST_F(RegistrationTest, OptionsAreInForceAndPrinted) {
  Require(Env::CreateFromUri(ConfigOptions(), "", "id=bloom_lfs;buffer_bytes=8K;buffer_count=4",
                             &env_, &guard_));
  const std::vector<uint64_t> rings = RingsOfALiveDatabase(env_);
  ASSERT_EQ(rings.size(), 1u);
  EXPECT_GE(rings[0], 4u * 8192u);
  EXPECT_LT(rings[0], 8u * 8192u) << "a small ring was asked for";
  std::string printed;
  Require(env_->GetFileSystem()->GetOptionString(ConfigOptions(), &printed));
  EXPECT_NE(printed.find("buffer_bytes=8192"), std::string::npos) << printed;
  EXPECT_NE(printed.find("buffer_count=4"), std::string::npos) << printed;
  EXPECT_NE(printed.find("idle_flush_ms="), std::string::npos) << printed;
}

TEST_F(RegistrationTest, WhatIsPrintedCanBeReadBack) {
  std::shared_ptr<FileSystem> fs;
  Require(FileSystem::CreateFromString(
      ConfigOptions(), "id=bloom_lfs;buffer_count=7;io_uring=false;frontier_bytes=0", &fs));
  const std::string printed = fs->ToString(ConfigOptions());
  std::shared_ptr<FileSystem> again;
  Require(FileSystem::CreateFromString(ConfigOptions(), printed, &again));
  EXPECT_EQ(again->ToString(ConfigOptions()), printed);
  EXPECT_NE(printed.find("buffer_count=7"), std::string::npos) << printed;
}

// With what each must be told about.
struct Refused {
  const char* option;
  const char* value;
  std::vector<std::string> allowed;
};

TEST_F(RegistrationTest, BadValuesNameTheOptionAndTheRange) {
  const std::vector<Refused> all = {{"buffer_bytes", "0", {"4096", "1048576"}},
                                    {"buffer_bytes", "4095", {"4096", "1048576"}},
                                    {"buffer_bytes", "2M", {"4096", "1048576"}},
                                    {"buffer_bytes", "10000", {"multiple of 4096"}},
                                    {"buffer_bytes", "-1", {"4096", "1048576"}},
                                    {"buffer_bytes", "18446744073709555712", {"4096"}},
                                    {"buffer_bytes", "64KB", {"4096", "1048576"}},
                                    {"buffer_count", "1", {"2", "256"}},
                                    {"buffer_count", "257", {"2", "256"}},
                                    {"frontier_bytes", "65M", {"0", "67108864"}},
                                    {"frontier_bytes", "1", {"multiple of 4096"}},
                                    {"idle_flush_ms", "0", {"1", "60000"}},
                                    {"idle_flush_ms", "soon", {"1", "60000"}},
                                    {"io_uring", "maybe", {"true", "false"}},
                                    {"direct_io", "2", {"true", "false"}}};
  for (const Refused& refused : all) {
    std::shared_ptr<FileSystem> fs;
    const std::string uri = std::string("id=bloom_lfs;") + refused.option + "=" + refused.value;
    const Status s = FileSystem::CreateFromString(ConfigOptions(), uri, &fs);
    EXPECT_TRUE(s.IsInvalidArgument()) << uri << ": " << s.ToString();
    EXPECT_NE(s.ToString().find(refused.option), std::string::npos) << uri << ": " << s.ToString();
    for (const std::string& word : refused.allowed) {
      EXPECT_NE(s.ToString().find(word), std::string::npos) << uri << ": " << s.ToString();
    }
  }
}

TEST_F(RegistrationTest, UnknownOptionsAreErrors) {
  std::shared_ptr<FileSystem> fs;
  const Status s =
      FileSystem::CreateFromString(ConfigOptions(), "id=bloom_lfs;bufer_bytes=1M", &fs);
  EXPECT_FALSE(s.ok());
  EXPECT_NE(s.ToString().find("bufer_bytes"), std::string::npos) << s.ToString();
}

TEST_F(RegistrationTest, SomeOtherNameIsNotOurs) {
  std::shared_ptr<FileSystem> fs;
  ConfigOptions strict;
  strict.ignore_unsupported_options = false;  // otherwise any name is OK, and gives nothing
  for (const char* uri : {"bloom", "bloom_lfs2", "xbloom_lfs"}) {
    EXPECT_FALSE(FileSystem::CreateFromString(strict, uri, &fs).ok()) << uri;
  }
  Require(FileSystem::CreateFromString(strict, "bloom_lfs", &fs));
}

}  // namespace
}  // namespace bloom_lfs::test

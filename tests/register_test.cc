// Registration: the names under which RocksDB finds the plugin.

#include "plugin/register.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <memory>
#include <string>

#include "plugin/bloom_lfs_file_system.h"
#include "plugin/rocksdb_versions.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs {
namespace {

using rocksdb::ConfigOptions;
using rocksdb::Env;
using rocksdb::FileSystem;
using rocksdb::ObjectLibrary;
using rocksdb::Status;
using test::TempDir;

// FileSystem, Env, SecondaryCache where RocksDB's is one that we know, and Cache where it is made
// of options.
constexpr int kFactories = 2 + BLOOM_LFS_HAS_FLASH_TIER + BLOOM_LFS_HAS_CREATE_CONTEXT;

std::shared_ptr<FileSystem> Create(const std::string& name) {
  std::shared_ptr<FileSystem> file_system;
  const Status status = FileSystem::CreateFromString(ConfigOptions(), name, &file_system);
  EXPECT_TRUE(status.ok()) << name << ": " << status.ToString();
  return file_system;
}

TEST(Register, FileSystemIsFoundByNameAndUri) {
  for (const char* name : {"bloom_lfs", "bloom_lfs://", "bloom_lfs://anything", "id=bloom_lfs"}) {
    const std::shared_ptr<FileSystem> file_system = Create(name);
    ASSERT_NE(file_system, nullptr) << name;
    EXPECT_STREQ(file_system->Name(), "bloom_lfs");
    EXPECT_TRUE(file_system->IsInstanceOf("bloom_lfs"));
  }
}

TEST(Register, OtherNamesAreNotOurs) {
  ConfigOptions config;
  config.ignore_unsupported_options = false;
  for (const char* name : {"bloom", "bloom_lfs2", "xbloom_lfs"}) {
    std::shared_ptr<FileSystem> file_system;
    EXPECT_FALSE(FileSystem::CreateFromString(config, name, &file_system).ok()) << name;
    EXPECT_EQ(file_system, nullptr) << name;
  }
}

// Options belong to whoever asked for them.
TEST(Register, EveryFileSystemIsANewObject) {
  const std::shared_ptr<FileSystem> first = Create("id=bloom_lfs;buffer_count=3");
  const std::shared_ptr<FileSystem> second = Create("bloom_lfs");
  EXPECT_NE(first.get(), second.get());
  EXPECT_EQ(first->GetOptions<PluginOptions>()->buffer_count, 3U);
  EXPECT_EQ(second->GetOptions<PluginOptions>()->buffer_count, PluginOptions().buffer_count);
}

TEST(Register, FileSystemWrapsTheDefaultOne) {
  const std::shared_ptr<FileSystem> file_system = Create("bloom_lfs");
  EXPECT_EQ(file_system->Inner(), FileSystem::Default().get());
}

TEST(Register, FileSystemAsUriMakesAnEnv) {
  Env* env = nullptr;
  std::shared_ptr<Env> guard;
  const Status status = Env::CreateFromUri(ConfigOptions(), "", "bloom_lfs", &env, &guard);
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_STREQ(env->GetFileSystem()->Name(), "bloom_lfs");
}

// For option strings, the C API and TEST_ENV_URI, where nobody owns the Env.
TEST(Register, EnvIsFoundByNameAndSharedByAll) {
  Env* first = nullptr;
  Env* second = nullptr;
  std::shared_ptr<Env> guard;
  ASSERT_TRUE(Env::CreateFromString(ConfigOptions(), "bloom_lfs", &first, &guard).ok());
  ASSERT_TRUE(Env::CreateFromString(ConfigOptions(), "bloom_lfs", &second, &guard).ok());
  EXPECT_NE(first, nullptr);
  EXPECT_EQ(first, second);
  EXPECT_STREQ(first->GetFileSystem()->Name(), "bloom_lfs");
}

TEST(Register, EnvOfAnOptionStringOpensADatabase) {
  const TempDir dir;
  rocksdb::Options options;
  const Status parsed = rocksdb::GetOptionsFromString(
      ConfigOptions(), options, "env=bloom_lfs;create_if_missing=true", &options);
  ASSERT_TRUE(parsed.ok()) << parsed.ToString();
  std::unique_ptr<rocksdb::DB> db;
  ASSERT_TRUE(rocksdb::DB::Open(options, dir / "db", OpenInto(&db)).ok());
  EXPECT_TRUE(db->Put(rocksdb::WriteOptions(), "key", "value").ok());
  EXPECT_EQ(test::ListTree(dir.path()).count("db/.bloom_lfs"), 1U) << "its log has a ring";
}

// What RocksDB's own build calls; it must survive linking under its plain name.
TEST(Register, FunctionForInTreeBuildsAddsAllFactories) {
  void* symbol = dlsym(RTLD_DEFAULT, "register_bloom_lfs");
  ASSERT_NE(symbol, nullptr) << dlerror();
  EXPECT_EQ(symbol, reinterpret_cast<void*>(&register_bloom_lfs));
  ObjectLibrary library("test");
  EXPECT_EQ(register_bloom_lfs(library, ""), kFactories);
  size_t types = 0;
  EXPECT_EQ(library.GetFactoryCount(&types), static_cast<size_t>(kFactories));
  EXPECT_EQ(types, static_cast<size_t>(kFactories));
  EXPECT_EQ(register_bloom_lfs(*ObjectLibrary::Default(), "again"), kFactories);
  EXPECT_NE(Create("bloom_lfs"), nullptr);
}

}  // namespace
}  // namespace bloom_lfs

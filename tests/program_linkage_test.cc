// Reading how programs come by their RocksDB: real ones, and damaged files.
#include "plugin/tool/program_linkage.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <string>

#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs::tool {
namespace {

using test::ReadFile;
using test::TempDir;
using test::WriteFile;

ProgramLinkage LinkageOf(const std::string& path) {
  ProgramLinkage linkage;
  const lss::Status status = ReadProgramLinkage(path, &linkage);
  EXPECT_TRUE(status.ok()) << status.ToString();
  return linkage;
}

TEST(ProgramLinkageTest, ThisProgramIsLinkedToTheSharedLibrary) {
  const ProgramLinkage linkage = LinkageOf("/proc/self/exe");
  EXPECT_EQ(linkage.rocksdb, RocksDbLinkage::kShared);
  EXPECT_EQ(linkage.soname, BLOOM_LFS_ROCKSDB_SONAME);
  EXPECT_NE(linkage.file.find("librocksdb.so"), std::string::npos);
  EXPECT_EQ(linkage.file, std::filesystem::canonical(linkage.file).string());
  EXPECT_EQ(linkage.has_typeinfo, dlsym(RTLD_DEFAULT, tool::kRocksDbTypeInfo) != nullptr);
  EXPECT_FALSE(linkage.is_static);
  EXPECT_FALSE(linkage.other_machine);
  EXPECT_FALSE(linkage.gets_privileges);
}

TEST(ProgramLinkageTest, ALibraryBetweenIsNamed) {
  const ProgramLinkage linkage = LinkageOf(LINKAGE_THROUGH);
  EXPECT_EQ(linkage.rocksdb, RocksDbLinkage::kShared);
  EXPECT_EQ(linkage.soname, BLOOM_LFS_ROCKSDB_SONAME);
  EXPECT_NE(linkage.through.find("linkage_library"), std::string::npos) << linkage.through;
}

TEST(ProgramLinkageTest, ALinkToAProgramIsThatProgram) {
  const TempDir dir;
  std::filesystem::create_symlink(LINKAGE_THROUGH, dir / "link");
  const ProgramLinkage linkage = LinkageOf(dir / "link");
  EXPECT_EQ(linkage.path, dir / "link");
  EXPECT_EQ(linkage.rocksdb, RocksDbLinkage::kShared);
}

TEST(ProgramLinkageTest, ARocksDbOfItsOwn) {
  EXPECT_EQ(LinkageOf(LINKAGE_EXPORTED).rocksdb, RocksDbLinkage::kExported);
  EXPECT_EQ(LinkageOf(LINKAGE_HIDDEN).rocksdb, RocksDbLinkage::kHidden);
  const ProgramLinkage as_a_whole = LinkageOf(LINKAGE_STATIC);
  EXPECT_TRUE(as_a_whole.is_static);
  EXPECT_EQ(as_a_whole.rocksdb, RocksDbLinkage::kHidden);
}

TEST(ProgramLinkageTest, WithoutSymbolsTheNamesOfFiguresTell) {
  const TempDir dir;
  const std::string path = dir / "stripped";
  // No symbol of RocksDB is in it; as a stripped program it has its strings.
  std::string bytes = ReadFile("/bin/cat");
  WriteFile(path, bytes);
  EXPECT_EQ(LinkageOf(path).rocksdb, RocksDbLinkage::kNone);
  // Across the border of what is read at once.
  bytes.resize((size_t{1} << 20) - 7, 'x');
  WriteFile(path, bytes + "rocksdb.block.cache.miss");
  EXPECT_EQ(LinkageOf(path).rocksdb, RocksDbLinkage::kHidden);
}

TEST(ProgramLinkageTest, SetIdProgramsGetPrivileges) {
  const TempDir dir;
  const std::string path = dir / "program";
  std::filesystem::copy_file(LINKAGE_EXPORTED, path);
  ASSERT_EQ(chmod(path.c_str(), 0755), 0);
  EXPECT_FALSE(LinkageOf(path).gets_privileges);
  ASSERT_EQ(chmod(path.c_str(), 04755), 0);
  EXPECT_TRUE(LinkageOf(path).gets_privileges);
  ASSERT_EQ(chmod(path.c_str(), 02755), 0);
  EXPECT_TRUE(LinkageOf(path).gets_privileges);
  ASSERT_EQ(chmod(path.c_str(), 02745), 0);  // without the group's x it means something else
  EXPECT_FALSE(LinkageOf(path).gets_privileges);
}

TEST(ProgramLinkageTest, AnotherProcessorsProgram) {
  const TempDir dir;
  std::string bytes = ReadFile(LINKAGE_EXPORTED);
  bytes[18] = static_cast<char>(bytes[18] ^ 0x55);  // e_machine
  WriteFile(dir / "program", bytes);
  EXPECT_TRUE(LinkageOf(dir / "program").other_machine);
}

TEST(ProgramLinkageTest, WhatIsNoProgramIsSaid) {
  const TempDir dir;
  const auto refused = [&](const std::string& path) {
    ProgramLinkage linkage;
    const lss::Status status = ReadProgramLinkage(path, &linkage);
    EXPECT_FALSE(status.ok()) << path;
    return status.message();
  };
  WriteFile(dir / "empty", "");
  WriteFile(dir / "text", "hello, I am a text and no program at all, however long I go on");
  WriteFile(dir / "script", "#!/bin/sh\nexec true\n");
  ASSERT_EQ(mkfifo((dir / "fifo").c_str(), 0600), 0);
  EXPECT_NE(refused(dir / "empty").find("no ELF program"), std::string::npos);
  EXPECT_NE(refused(dir / "text").find("no ELF program"), std::string::npos);
  EXPECT_NE(refused(dir / "script").find("script"), std::string::npos);
  EXPECT_NE(refused(dir / "fifo").find("no program"), std::string::npos);
  EXPECT_NE(refused(dir.path()).find("no program"), std::string::npos);
  EXPECT_NE(refused(dir / "missing").find("missing"), std::string::npos);
}

// Cut anywhere, it is an answer or an error; in front of the program headers always an error.
TEST(ProgramLinkageTest, TruncatedProgramsAreNoCrash) {
  const TempDir dir;
  const std::string whole = ReadFile(LINKAGE_EXPORTED);
  const std::string path = dir / "program";
  for (size_t length = 0; length < whole.size(); length += length < 1024 ? 13 : 397) {
    WriteFile(path, whole.substr(0, length));
    ProgramLinkage linkage;
    const lss::Status status = ReadProgramLinkage(path, &linkage);
    if (length < 128) {
      EXPECT_FALSE(status.ok()) << length;
    }
  }
}

TEST(ProgramLinkageTest, DamagedProgramsAreNoCrash) {
  const TempDir dir;
  const std::string whole = ReadFile(LINKAGE_EXPORTED);
  const std::string path = dir / "program";
  std::mt19937 random(7);
  for (int i = 0; i < 1500; ++i) {
    std::string bytes = whole;
    for (unsigned damage = 0; damage < 1 + random() % 8; ++damage) {
      // Headers at both ends, and anywhere.
      const size_t from =
          random() % 3 == 0 ? 0 : bytes.size() - std::min<size_t>(4096, bytes.size());
      const size_t span = random() % 4 == 0 ? bytes.size() - from : 1024;
      const uint32_t word = random() % 2 == 0 ? static_cast<uint32_t>(random()) : UINT32_MAX;
      const size_t at = std::min(from + random() % span, bytes.size() - sizeof(word));
      bytes.replace(at, 1 + random() % sizeof(word), reinterpret_cast<const char*>(&word),
                    1 + random() % sizeof(word));
    }
    WriteFile(path, bytes);
    ProgramLinkage linkage;
    (void)ReadProgramLinkage(path, &linkage);
  }
}

}  // namespace
}  // namespace bloom_lfs::tool

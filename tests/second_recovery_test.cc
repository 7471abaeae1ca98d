// What is recorded of logs comes to their files, or nothing is changed and it is said why.
#include "plugin/second/second_recovery.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "tests/support/files.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wal_builder.h"

namespace bloom_lfs {
namespace {

using lss::Status;
using test::TempDir;

class SecondRecoveryTest : public testing::Test {
 protected:
  std::string PathOf(const std::string& name) const { return dir_ / name; }
  void Put(const std::string& name, const std::string& bytes) {
    test::WriteFile(PathOf(name), bytes);
  }
  std::string Get(const std::string& name) const { return test::ReadFile(PathOf(name)); }
  Status Write(const RecordedLogs& logs, bool touching_only = false) {
    return WriteRecordedLogs(dir_.path(), logs, touching_only);
  }

  TempDir dir_;
};

TEST_F(SecondRecoveryTest, WhatTheFileLacksIsWritten) {
  Put("000012.log", "the first ");
  ASSERT_TRUE(Write({{12, {{10, "and the "}, {18, "rest"}}}}).ok());
  EXPECT_EQ(Get("000012.log"), "the first and the rest");
}

TEST_F(SecondRecoveryTest, EqualBytesAndLostPagesAreOverwritten) {
  Put("000012.log", std::string("abc\0\0\0ghi", 9));
  ASSERT_TRUE(Write({{12, {{0, "abcdefghijkl"}}}}).ok());
  EXPECT_EQ(Get("000012.log"), "abcdefghijkl");
}

TEST_F(SecondRecoveryTest, WhatIsBehindARecordStays) {
  Put("000012.log", "abc and more");
  ASSERT_TRUE(Write({{12, {{0, "abc"}}}}).ok());
  EXPECT_EQ(Get("000012.log"), "abc and more");
}

TEST_F(SecondRecoveryTest, OtherBytesAreAnotherFileAndNothingIsChanged) {
  Put("000011.log", "eleven");
  Put("000012.log", "restored from a backup");
  const Status status = Write({{11, {{6, " more"}}}, {12, {{0, "what was recorded"}}}});
  EXPECT_EQ(status.code(), Status::Code::kCorruption);
  EXPECT_NE(status.message().find("000012.log"), std::string::npos) << status.message();
  EXPECT_EQ(Get("000011.log"), "eleven");
  EXPECT_EQ(Get("000012.log"), "restored from a backup");
}

TEST_F(SecondRecoveryTest, AHoleIsToldAndNothingIsChanged) {
  Put("000011.log", "eleven");
  Put("000012.log", "short");
  const RecordedLogs logs = {{11, {{6, " more"}}}, {12, {{100, "far behind"}}}};
  const Status status = Write(logs);
  EXPECT_EQ(status.code(), Status::Code::kCorruption);
  EXPECT_NE(status.message().find("offset 100"), std::string::npos) << status.message();
  EXPECT_EQ(Get("000011.log"), "eleven");
  ASSERT_TRUE(Write(logs, /*touching_only=*/true).ok()) << "what has no place yet is left out";
  EXPECT_EQ(Get("000011.log"), "eleven more");
  EXPECT_EQ(Get("000012.log"), "short");
}

TEST_F(SecondRecoveryTest, ALogThatWasDeletedIsPassedOver) {
  ASSERT_TRUE(Write({{12, {{0, "bytes"}}}}).ok());
  EXPECT_FALSE(std::filesystem::exists(PathOf("000012.log")));
}

TEST_F(SecondRecoveryTest, OneInTheArchiveIsFound) {
  std::filesystem::create_directory(dir_ / "archive");
  Put("archive/000012.log", "kept");
  EXPECT_EQ(FindLog(dir_.path(), 12), PathOf("archive/000012.log"));
  ASSERT_TRUE(Write({{12, {{4, " longer"}}}}).ok());
  EXPECT_EQ(Get("archive/000012.log"), "kept longer");
}

TEST_F(SecondRecoveryTest, ALinkIsNotFollowed) {
  Put("elsewhere", "mine");
  ASSERT_EQ(symlink(PathOf("elsewhere").c_str(), PathOf("000012.log").c_str()), 0);
  EXPECT_FALSE(Write({{12, {{4, " and theirs"}}}}).ok());
  EXPECT_EQ(Get("elsewhere"), "mine");
}

}  // namespace
}  // namespace bloom_lfs

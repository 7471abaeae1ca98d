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

// Whether somebody has gone on without the records, by the logs that are there.
class SupersededTest : public SecondRecoveryTest {
 protected:
  // A log with a batch of one entry for each number.
  static std::string Log(uint64_t first, uint64_t last) {
    test::WalBuilder log;
    for (uint64_t sequence = first; sequence <= last; ++sequence) {
      log.AddBatch(sequence, 1, test::Payload(60, static_cast<uint32_t>(sequence)));
    }
    return log.bytes();
  }
  // Log 12 has 101 to 103; 104 to 106 are recorded of it.
  void SetUp() override {
    const std::string log = Log(101, 106);
    const uint64_t end = Log(101, 103).size();
    Put("000012.log", log.substr(0, end));
    recorded_[12] = {{end, log.substr(end)}};
  }
  bool IsSuperseded() const { return bloom_lfs::IsSuperseded(dir_.path(), recorded_); }

  RecordedLogs recorded_;
};

TEST_F(SupersededTest, WhereThereIsNoOtherLogNobodyHasGoneOn) {
  EXPECT_FALSE(IsSuperseded());
  EXPECT_FALSE(bloom_lfs::IsSuperseded(dir_.path(), {}));
  EXPECT_FALSE(bloom_lfs::IsSuperseded(dir_ / "nowhere", recorded_));
}

TEST_F(SupersededTest, ANewerLogThatFollowsIsTheSameLifes) {
  Put("000015.log", Log(107, 110));
  EXPECT_FALSE(IsSuperseded());
}

TEST_F(SupersededTest, ANewerLogWithNumbersThatAreRecordedIsAnotherLifes) {
  for (const uint64_t first : {104, 105}) {
    Put("000015.log", Log(first, 120));
    EXPECT_TRUE(IsSuperseded()) << first;
  }
  recorded_[15] = {{Log(104, 120).size(), "more"}};
  EXPECT_FALSE(IsSuperseded()) << "recorded is what this life has written";
}

// What prepares a transaction takes no number, so that the next log may begin with its own.
TEST_F(SupersededTest, TheLastNumberOnceMoreIsNoProof) {
  Put("000015.log", Log(106, 110));
  EXPECT_FALSE(IsSuperseded());
}

TEST_F(SupersededTest, ANewerLogWithoutRowsSaysNothing) {
  Put("000015.log", "");
  EXPECT_FALSE(IsSuperseded());
  Put("000015.log", std::string(4096, '\0'));
  EXPECT_FALSE(IsSuperseded());
}

TEST_F(SupersededTest, AnOlderLogSaysNothing) {
  Put("000010.log", Log(90, 105));
  EXPECT_FALSE(IsSuperseded());
}

TEST_F(SupersededTest, AnOlderLogDoesNotHideANewerOne) {
  Put("000010.log", Log(90, 100));
  Put("000015.log", Log(104, 120));
  EXPECT_TRUE(IsSuperseded());
}

TEST_F(SupersededTest, AnyOfTheNewerLogsCounts) {
  Put("000014.log", Log(107, 110));
  Put("000015.log", Log(105, 110));
  Put("000016.log", Log(111, 112));
  EXPECT_TRUE(IsSuperseded());
}

TEST_F(SupersededTest, WhatIsRecordedOfALogThatWasDeletedIsNotMissed) {
  Put("000015.log", Log(104, 120));
  std::filesystem::remove(PathOf("000012.log"));
  EXPECT_FALSE(IsSuperseded());
}

}  // namespace
}  // namespace bloom_lfs

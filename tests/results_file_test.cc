#include "db_bench_ext/results_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs::bench {
namespace {

using test::ReadFile;
using test::WriteFile;

constexpr char kDefault[] = "--set=default";
constexpr char kFeatures[] = "--set=features";

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class ResultsFileTest : public testing::Test {
 protected:
  void Write(const std::string& flags, const std::string& body) {
    const Failure failure = WriteResultsSection(path_, {flags, body});
    EXPECT_FALSE(failure.has_value()) << failure->message;
  }

  // Both the write and the question before it fail, name the file and the cause, and leave the
  // directory as it is.
  void ExpectRefused(const std::string& path, const std::string& cause) {
    const test::Tree before = test::ListTree(directory_.path());
    const Failure written = WriteResultsSection(path, {kDefault, "new\n"});
    const Failure checked = CheckResultsFile(path, kDefault);
    ASSERT_TRUE(written.has_value());
    ASSERT_TRUE(checked.has_value());
    EXPECT_EQ(written->message, checked->message);
    EXPECT_TRUE(Contains(written->message, path)) << written->message;
    EXPECT_TRUE(Contains(written->message, cause)) << written->message;
    EXPECT_EQ(test::Difference(before, test::ListTree(directory_.path())), "");
  }

  const test::TempDir directory_;
  const std::string path_ = directory_ / "RESULTS.md";
};

TEST_F(ResultsFileTest, ANewFileSaysWhoWroteItAndHow) {
  Write(kDefault, "- machine: one\n\n| a | b |\n");
  const std::string text = ReadFile(path_);
  EXPECT_EQ(text.rfind("# Results\n", 0), 0U) << text;
  EXPECT_TRUE(Contains(text, "Written by `db_bench_ext`")) << text;
  EXPECT_TRUE(Contains(text, "    db_bench_ext/run --set=default --results_file=")) << text;
  EXPECT_TRUE(Contains(text, "\n\n## `--set=default`\n\n- machine: one\n\n| a | b |\n\n<!-- "))
      << text;
}

TEST_F(ResultsFileTest, ARunReplacesItsSectionAndKeepsTheOthers) {
  Write(kDefault, "first\n");
  Write(kFeatures, "kept, with\n\n| a | table |\n");
  Write(kDefault, "second\n");
  const std::string text = ReadFile(path_);
  EXPECT_FALSE(Contains(text, "first")) << text;
  EXPECT_TRUE(Contains(text,
                       "## `--set=default`\n\nsecond\n\n"
                       "## `--set=features`\n\nkept, with\n\n| a | table |\n\n<!-- "))
      << text;
}

TEST_F(ResultsFileTest, TheOrderOfTheRunsLeavesNoTrace) {
  Write(kFeatures, "b\n");
  Write(kDefault, "a\n");
  Write("--set=default --scale=2", "c\n");
  const std::string one_order = ReadFile(path_);
  std::filesystem::remove(path_);
  Write("--set=default --scale=2", "c\n");
  Write(kDefault, "an older one\n");
  Write(kFeatures, "b\n");
  Write(kDefault, "a\n");
  EXPECT_EQ(ReadFile(path_), one_order);
}

TEST_F(ResultsFileTest, NothingIsLeftBesideTheFile) {
  Write(kDefault, "a\n");
  Write(kDefault, "b\n");
  EXPECT_FALSE(CheckResultsFile(path_, kDefault).has_value());
  EXPECT_FALSE(CheckResultsFile(directory_ / "another", kDefault).has_value());
  EXPECT_EQ(test::ListTree(directory_.path()).size(), 1U);
}

TEST_F(ResultsFileTest, AnEmptyFileIsANewOne) {
  WriteFile(path_, "");
  Write(kDefault, "a\n");
  EXPECT_TRUE(Contains(ReadFile(path_), "## `--set=default`\n\na\n"));
}

TEST_F(ResultsFileTest, AForeignFileIsLeftAlone) {
  WriteFile(path_, "# My notes\n\n## `--set=default`\n\nnothing of yours\n");
  ExpectRefused(path_, "was not written by db_bench_ext");
}

TEST_F(ResultsFileTest, GarbageIsLeftAlone) {
  std::string garbage;
  for (int i = 0; i < 10000; ++i) garbage += static_cast<char>(i * i);
  WriteFile(path_, garbage);
  ExpectRefused(path_, "was not written by db_bench_ext");
}

TEST_F(ResultsFileTest, AnEditAnywhereIsSeenAndKept) {
  Write(kDefault, "a\n");
  Write(kFeatures, "b\n");
  const std::string ours = ReadFile(path_);
  for (size_t i = 0; i < ours.size(); ++i) {
    std::string edited = ours;
    edited[i] = edited[i] == '1' ? '2' : '1';
    WriteFile(path_, edited);
    const Failure failure = WriteResultsSection(path_, {kDefault, "new\n"});
    ASSERT_TRUE(failure.has_value()) << "byte " << i;
    ASSERT_EQ(ReadFile(path_), edited) << "byte " << i;
  }
  WriteFile(path_, ours + "A remark.\n");
  ExpectRefused(path_, "was changed since");
  WriteFile(path_, "A remark.\n" + ours);
  ExpectRefused(path_, "was changed since");
  WriteFile(path_, ours);  // undone
  Write(kDefault, "new\n");
}

TEST_F(ResultsFileTest, AFileThatWasCutShortIsLeftAlone) {
  Write(kDefault, "a\n");
  const std::string ours = ReadFile(path_);
  for (size_t length = 1; length < ours.size(); ++length) {
    WriteFile(path_, ours.substr(0, length));
    const Failure failure = WriteResultsSection(path_, {kDefault, "new\n"});
    ASSERT_TRUE(failure.has_value()) << length << " bytes";
  }
}

TEST_F(ResultsFileTest, APathThatCannotBeWrittenIsNamedWithTheCause) {
  ExpectRefused(directory_ / "missing/RESULTS.md", "No such file or directory");
  WriteFile(directory_ / "file", "");
  ExpectRefused(directory_ / "file/RESULTS.md", "Not a directory");
}

TEST_F(ResultsFileTest, OnlyARegularFileIsReplaced) {
  std::filesystem::create_directory(path_);
  ExpectRefused(path_, "not a regular file");
  WriteFile(directory_ / "target", "");
  std::filesystem::create_symlink(directory_ / "target", directory_ / "link");
  ExpectRefused(directory_ / "link", "not a regular file");
  // As a device would be; never a real one, which a test that fails would replace.
  ASSERT_EQ(mkfifo((directory_ / "fifo").c_str(), 0600), 0);
  const Failure failure = WriteResultsSection(directory_ / "fifo", {kDefault, "new\n"});
  ASSERT_TRUE(failure.has_value());
  EXPECT_NE(failure->message.find("not a regular file"), std::string::npos) << failure->message;
  EXPECT_TRUE(std::filesystem::is_fifo(directory_ / "fifo"));
}

TEST_F(ResultsFileTest, WhatCouldNotBeReadBackIsNotWritten) {
  Write(kFeatures, "kept\n");
  const std::string before = ReadFile(path_);
  for (const ResultsSection& bad :
       {ResultsSection{"", "a\n"}, ResultsSection{"--a=`b`", "a\n"},
        ResultsSection{"--a=b\n## `c`", "a\n"}, ResultsSection{kDefault, "## `x`\n\na\n"},
        ResultsSection{kDefault, "a\n## `x`\n\na\n"}}) {
    EXPECT_TRUE(WriteResultsSection(path_, bad).has_value()) << bad.heading << bad.body;
    EXPECT_EQ(ReadFile(path_), before);
  }
  EXPECT_TRUE(CheckResultsFile(path_, "--a=`b`").has_value());
}

TEST_F(ResultsFileTest, ABodyEndsItsLastLine) {
  Write(kDefault, "a");
  Write(kFeatures, "b");
  Write(kFeatures, "c");
  EXPECT_TRUE(
      Contains(ReadFile(path_), "## `--set=default`\n\na\n\n## `--set=features`\n\nc\n\n<"));
}

}  // namespace
}  // namespace bloom_lfs::bench

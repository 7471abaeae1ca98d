// The tool's help, man page and completion come from one table, and say what there is.
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "plugin/tool/command.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tool.h"

namespace bloom_lfs::test {
namespace {

std::string OutputOf(const std::string& command) { return Shell(command).output; }

class ToolManualTest : public testing::Test {
 protected:
  // What bash offers for the last of these words.
  std::string Complete(const std::string& words, int last) {
    return OutputOf("bash -c 'source " + dir_ / "completion" + "; COMP_WORDS=(" + words +
                    "); COMP_CWORD=" + std::to_string(last) +
                    "; _bloom_lfs; echo \"${COMPREPLY[*]}\"'");
  }
  TempDir dir_;
};

TEST_F(ToolManualTest, TheManPageHasEveryCommandAndFlag) {
  const std::string page = Tool("--man").output;
  for (const tool::Command& command : tool::AllCommands()) {
    EXPECT_NE(page.find(std::string(".SS ") + command.name + " "), std::string::npos)
        << command.name;
    EXPECT_FALSE(std::string(command.summary).empty());
    EXPECT_EQ(tool::FlagsOf(command).size(), command.flags.size() + 1) << "gflags knows them all";
    const std::string help = Tool(std::string(command.name) + " --help").output;
    for (const tool::FlagText& flag : tool::FlagsOf(command)) {
      EXPECT_NE(help.find("--" + flag.name), std::string::npos) << flag.name;
      EXPECT_FALSE(flag.description.empty());
    }
  }
  if (access("/usr/bin/mandoc", X_OK) == 0) {
    WriteFile(dir_ / "page.1", page);
    EXPECT_EQ(
        OutputOf("mandoc -T lint -W warning " + dir_ / "page.1" + " | grep -v 'missing date'"), "");
  }
}

TEST_F(ToolManualTest, BashCompletesCommandsFlagsAndFiles) {
  WriteFile(dir_ / "completion", Tool("--completion").output);
  EXPECT_EQ(Complete("bloom_lfs re", 1), "recover restore\n");
  EXPECT_EQ(Complete("bloom_lfs top --so", 2), "--sort=\n");
  EXPECT_EQ(Complete("bloom_lfs recover --dry", 2), "--dry-run\n");
  WriteFile(dir_ / "a_file", "");
  EXPECT_EQ(Complete("bloom_lfs recover " + dir_ / "a_f", 2), dir_ / "a_file" + "\n");
}

TEST_F(ToolManualTest, TheVersionNamesRocksDbs) {
  EXPECT_NE(Tool("--version").output.find("RocksDB "), std::string::npos);
  EXPECT_EQ(Tool("--version").code, 0);
}

TEST_F(ToolManualTest, HelpIsGivenWhereverItIsAskedFor) {
  EXPECT_EQ(Tool("inspect /no/such/directory --help").code, 0);
  EXPECT_NE(Tool("recover --dry-run -h").output.find("usage: bloom_lfs recover"),
            std::string::npos);
  EXPECT_EQ(Tool("inspect -- --help").code, 2) << "the name of a directory";
  EXPECT_EQ(Tool("inspect help").code, 2) << "that, too";
}

TEST_F(ToolManualTest, OutputThatCannotBeWrittenIsAnError) {
  WriteFile(dir_ / "000007.log", "");
  for (const std::string& words :
       {std::string("--version"), std::string("--man"), std::string("--help"),
        std::string("top --help"), "inspect " + dir_.path(), "inspect --json " + dir_.path()}) {
    const ToolOutcome full = ToolAlone(dir_, words + " >/dev/full");
    EXPECT_EQ(full.code, 2) << words;
    EXPECT_EQ(full.errors, "bloom_lfs: cannot write the output: No space left on device\n")
        << words;
    const ToolOutcome closed = ToolAlone(dir_, words + " >&-");
    EXPECT_EQ(closed.code, 2) << words;
    EXPECT_NE(closed.errors.find("cannot write the output: Bad file"), std::string::npos) << words;
  }
}

TEST_F(ToolManualTest, AFileThatMayNotGrowIsSuchOutput) {
  const ToolOutcome outcome = RunLine("sh -c 'ulimit -f 0; exec " + std::string(BLOOM_LFS_TOOL) +
                                      " --help >" + dir_ / "out" + "' 2>&1");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.output.find("cannot write the output: File too large"), std::string::npos);
}

// A report must not end up in a file of the database.
TEST_F(ToolManualTest, ClosedDescriptorsAreNotGivenToFiles) {
  WriteFile(dir_ / "LOCK", "");
  WriteFile(dir_ / "000007.log", "");
  EXPECT_EQ(ToolAlone(dir_, "recover " + dir_.path() + " <&- >&- 2>&-").code, 2);
  EXPECT_EQ(ReadFile(dir_ / "LOCK"), "");
  EXPECT_EQ(ReadFile(dir_ / "000007.log"), "");
}

TEST_F(ToolManualTest, WhatThereIsNotIsWrongUsage) {
  EXPECT_EQ(Tool("").code, 2);
  EXPECT_EQ(Tool("dance").code, 2);
  EXPECT_EQ(Tool("top --dance").code, 2);
  EXPECT_EQ(Tool("recover").code, 2);
}

}  // namespace
}  // namespace bloom_lfs::test

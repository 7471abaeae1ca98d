// The program itself: every row measures something, whose bytes come back (it ends with an error if
// not), and it leaves nothing behind, wherever it is told to write.

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "db_bench_ext/child_process.h"
#include "tests/support/built_program.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs::bench {
namespace {

// Long logs and large rings take time, and nothing else.
constexpr char kShortRows[] = "--benchmark_filter=-MiB:(16|64|256)|KiB:1024/buffers:(8|32)";

std::string Program() { return test::BuiltProgram("lss_bench"); }

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

class LssBenchTest : public testing::Test {
 protected:
  Result<ChildOutput> Run(const std::vector<std::string>& flags) {
    std::vector<std::string> argv = {Program(), "--dir=" + directory_.path()};
    argv.insert(argv.end(), flags.begin(), flags.end());
    return RunToEnd({argv, "", ""}, std::chrono::seconds(240));
  }
  // Status and output of a shell's line.
  static int Shell(const std::string& line, std::string* output) {
    const Result<ChildOutput> run = RunToEnd(
        {{"sh", "-c", line + "; echo \"exit status $?\""}, "", ""}, std::chrono::seconds(60));
    *output =
        run.ok() ? run.value().standard_output + run.value().standard_error : run.error().message;
    const size_t at = output->find("exit status ");
    return at == std::string::npos ? -1 : std::atoi(output->c_str() + at + 12);
  }

  const test::TempDir directory_;
  const SignalsAsResults signals_;
};

// What stands behind "field": in a line of JSON, without quotes and comma.
std::string Field(const std::string& line, const std::string& field) {
  const std::string before = "\"" + field + "\": ";
  const size_t at = line.find(before);
  std::string value = at == std::string::npos ? "" : line.substr(at + before.size());
  value.erase(std::remove(value.begin(), value.end(), '"'), value.end());
  return value.substr(0, value.find_last_not_of(", ") + 1);
}

TEST_F(LssBenchTest, EveryRowMeasuresAndNothingIsLeft) {
  const Result<ChildOutput> list = Run({"--benchmark_list_tests", kShortRows});
  ASSERT_TRUE(list.ok()) << list.error().message;
  const Result<ChildOutput> run =
      Run({"--benchmark_format=json", "--benchmark_min_time=0.0001", kShortRows});
  ASSERT_TRUE(run.ok()) << run.error().message;
  std::vector<std::string> measured;
  for (const std::string& line : Lines(run.value().standard_output)) {
    if (const std::string name = Field(line, "name"); !name.empty()) {
      measured.push_back(name);
    } else if (const std::string time = Field(line, "real_time"); !time.empty()) {
      EXPECT_GT(std::stod(time), 0) << measured.back();
    } else if (const std::string iterations = Field(line, "iterations"); !iterations.empty()) {
      EXPECT_GT(std::stod(iterations), 0) << measured.back();
    }
  }
  EXPECT_GT(measured.size(), 60U);
  EXPECT_EQ(measured, Lines(list.value().standard_output)) << run.value().standard_output;
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

TEST_F(LssBenchTest, ADirectoryThatIsMissingIsNamed) {
  std::string output;
  EXPECT_EQ(Shell(Program() + " --dir=" + (directory_ / "none"), &output), 2) << output;
  EXPECT_NE(output.find("lss_bench: cannot use " + (directory_ / "none") + ": No such file"),
            std::string::npos)
      << output;
}

TEST_F(LssBenchTest, AWrongCommandLineIsUsage) {
  for (const char* words : {"--nosuch", "nosuch", "--dir=. more", "-"}) {
    std::string output;
    EXPECT_EQ(Shell(Program() + " " + words, &output), 2) << words << output;
    EXPECT_NE(output.find("lss_bench: unknown argument "), std::string::npos) << output;
  }
}

// In a mount namespace of its own: as `options` say, and the free space that is asked for.
class Mounted : public LssBenchTest, public testing::WithParamInterface<const char*> {};

TEST_P(Mounted, SaysWhyAndLeavesNothing) {
  const std::string at = directory_.path();
  const std::string mount = "mount -t tmpfs -o " + std::string(GetParam()) + " none " + at;
  std::string output;
  if (Shell("unshare --mount sh -c '" + mount + "'", &output) != 0) {
    GTEST_SKIP() << "no mounts here: " << output;
  }
  const int status = Shell("unshare --mount sh -c '" + mount + " && " + Program() + " --dir=" + at +
                               "; status=$?; ls -A " + at + "; exit $status'",
                           &output);
  EXPECT_EQ(status, 2) << output;
  EXPECT_EQ(Lines(output).size(), 2U) << "one line, and the status\n" << output;
  EXPECT_NE(output.find("lss_bench: "), std::string::npos) << output;
  EXPECT_NE(output.find("pass --dir=<a directory"), std::string::npos) << output;
}
INSTANTIATE_TEST_SUITE_P(All, Mounted, testing::Values("ro,size=1g", "size=8m"));

// A disk that others fill meanwhile.
TEST_F(LssBenchTest, ADiskThatGetsFullEndsTheRun) {
  const std::string at = directory_.path();
  const std::string script = "mount -t tmpfs -o size=700m none " + at;
  std::string output;
  if (Shell("unshare --mount sh -c '" + script + "'", &output) != 0) {
    GTEST_SKIP() << "no mounts here: " << output;
  }
  // Again until there is so much room: the program begins its file anew from time to time.
  const std::string fill =
      "(sleep 0.3; until fallocate -l 600m " + at + "/other 2>/dev/null; do sleep 0.01; done)";
  const std::string program =
      Program() + " --dir=" + at + " --benchmark_filter=write/bytes:65536 --benchmark_min_time=30";
  const int status = Shell("unshare --mount sh -c '" + script + " && { " + fill + " & " + program +
                               "; status=$?; wait; ls -A " + at + "; exit $status; }'",
                           &output);
  EXPECT_EQ(status, 2) << output;
  EXPECT_NE(output.find("lss_bench: no space: write "), std::string::npos) << output;
  EXPECT_EQ(output.find("lss_bench."), output.rfind("lss_bench.")) << "its directory is left\n"
                                                                   << output;
}

TEST_F(LssBenchTest, ASignalEndsItAndLeavesNothing) {
  std::string output;
  const int status = Shell(Program() + " --dir=" + directory_.path() +
                               " --benchmark_filter=append/file --benchmark_min_time=30 & sleep "
                               "0.5; kill -INT $!; wait $!",
                           &output);
  EXPECT_EQ(status, 128 + SIGINT) << output;
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

TEST_F(LssBenchTest, WhatNoRowIsCalledIsAnError) {
  std::string output;
  const std::string program = Program() + " --dir=" + directory_.path();
  EXPECT_EQ(Shell(program + " --benchmark_filter=none_of_them", &output), 2) << output;
  EXPECT_NE(output.find("no row matches"), std::string::npos) << output;
  EXPECT_EQ(Shell(program + " surplus", &output), 2) << output;
  EXPECT_NE(output.find("unknown argument surplus"), std::string::npos) << output;
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

}  // namespace
}  // namespace bloom_lfs::bench

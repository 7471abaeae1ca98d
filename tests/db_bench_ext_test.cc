// The program itself, on stand-ins for what it runs: when --results_file is written, and when not.

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include "db_bench_ext/child_process.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs::bench {
namespace {

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class DbBenchExtTest : public testing::Test {
 protected:
  // Measures one row with `script` in the place of open_put_close, stock in both arms.
  Result<ChildOutput> Run(const std::string& script) {
    const std::string program = directory_ / "open_put_close";
    Program(program, "touch " + directory_.path() + "/was_run\n" + script);
    const std::string db_bench = directory_ / "db_bench";
    Program(db_bench, "echo 'db_bench version 12.3.4'\n");
    const auto bin = std::filesystem::read_symlink("/proc/self/exe").parent_path();
    return RunToEnd(
        {{bin / "db_bench_ext", "--workloads=open-put-close", "--plugin_uri=", "--pairs=2",
          "--scale=0.1", "--open_put_close=" + program, "--db_bench=" + db_bench,
          "--db_dir=" + directory_.path(), "--results_file=" + results_},
         "",
         ""},
        std::chrono::seconds(60));
  }

  static void Program(const std::string& path, const std::string& script) {
    std::ofstream(path) << "#!/bin/sh\n" << script;
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }

  const test::TempDir directory_;
  const std::string results_ = directory_ / "RESULTS.md";
  const SignalsAsResults signals_;
};

constexpr char kMeasures[] = "echo 'open_put_close: 200 rounds in 0.5 seconds'\n";

TEST_F(DbBenchExtTest, ARunKeepsItsTableUnderItsFlags) {
  const Result<ChildOutput> run = Run(kMeasures);
  ASSERT_TRUE(run.ok()) << run.error().message;
  const std::string text = test::ReadFile(results_);
  EXPECT_TRUE(
      Contains(text, ": --set=default --workloads=open-put-close --scale=0.1 --plugin_uri=`\n"))
      << text;
  EXPECT_TRUE(Contains(text, "\n## `db_bench 12.3.4, ")) << text;
  // Not the file system: in a root directory of its own a process cannot see what it is on.
  for (const char* fact :
       {"\n- machine: ", "\n- kernel: ", "\n- date: 20", "\n- set-up: ", "\n- pairs: 2 per row\n",
        "\n| workload | stock | plugin |", "| 0.50 s | 0.50 s | 1.00× | "}) {
    EXPECT_TRUE(Contains(text, fact)) << fact << " is not in\n" << text;
  }
  EXPECT_FALSE(Contains(text, directory_.path())) << text;
  EXPECT_FALSE(Contains(run.value().standard_output, "| workload |")) << "--markdown was not given";
}

TEST_F(DbBenchExtTest, ARowThatFailsLeavesTheFileAsItIs) {
  ASSERT_TRUE(Run(kMeasures).ok());
  const std::string before = test::ReadFile(results_);
  const Result<ChildOutput> run = Run("exit 1\n");
  ASSERT_FALSE(run.ok());
  EXPECT_TRUE(Contains(run.error().message, results_ + " is left as it is")) << run.error().message;
  EXPECT_EQ(test::ReadFile(results_), before);
}

TEST_F(DbBenchExtTest, AnInterruptedRunLeavesTheFileAsItIs) {
  ASSERT_TRUE(Run(kMeasures).ok());
  const std::string before = test::ReadFile(results_);
  const Result<ChildOutput> run = Run("kill -INT $PPID\nsleep 10\n");
  ASSERT_FALSE(run.ok());
  EXPECT_TRUE(Contains(run.error().message, results_ + " is left as it is")) << run.error().message;
  EXPECT_EQ(test::ReadFile(results_), before);
}

TEST_F(DbBenchExtTest, AnEditedFileIsRefusedBeforeAnythingIsMeasured) {
  test::WriteFile(results_, "by hand\n");
  const Result<ChildOutput> run = Run(kMeasures);
  ASSERT_FALSE(run.ok());
  EXPECT_TRUE(Contains(run.error().message, results_ + " was not written by db_bench_ext"))
      << run.error().message;
  EXPECT_EQ(test::ReadFile(results_), "by hand\n");
  EXPECT_FALSE(std::filesystem::exists(directory_ / "was_run"));
}

}  // namespace
}  // namespace bloom_lfs::bench

// The program itself, on stand-ins for what it runs: when its files are written, and when not.

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "db_bench_ext/child_process.h"
#include "db_bench_ext/device_writes.h"
#include "tests/support/built_program.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs::bench {
namespace {

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Says its version and, asked to report on the way, runs for a second in the middle of which it
// stands still.
constexpr char kDbBench[] =
    "echo 'db_bench version 12.3.4'\n"
    "case \"$*\" in *--stats_interval=150*) ;; *) exit 0;; esac\n"
    "echo 'fillrandom : 33.333 micros/op 30000 ops/sec 1.000 seconds 30000 operations; 3.3 MB/s'\n"
    "awk 'BEGIN { for (i = 1; i <= 200; ++i) { if (i == 101) stall = 0.4\n"
    "  printf(\"... thread 0: (150,%d) ops and (1,1) ops/second in (1,%f) seconds\\n\", 150 * i,\n"
    "    0.003 * i + stall) } }' >&2\n";

class DbBenchExtTest : public testing::Test {
 protected:
  // Measures one row with `script` in the place of open_put_close, stock in both arms.
  Result<ChildOutput> Run(const std::string& script, const std::string& flag = "--seed=1") {
    const std::string program = directory_ / "open_put_close";
    Program(program, "touch " + directory_.path() + "/was_run\n" + script);
    const std::string db_bench = directory_ / "db_bench";
    Program(db_bench, kDbBench);
    return RunToEnd(
        {{test::BuiltProgram("db_bench_ext"), "--workloads=open-put-close",
          "--plugin_uri=", "--pairs=2", "--scale=0.1", "--open_put_close=" + program,
          "--db_bench=" + db_bench, "--db_dir=" + directory_.path(), "--results_file=" + results_,
          "--html_file=" + html_, "--json_file=" + json_, flag},
         "",
         ""},
        std::chrono::seconds(60));
  }

  // The program alone with these flags.
  static Result<ChildOutput> Render(const std::vector<std::string>& flags) {
    Command command{{test::BuiltProgram("db_bench_ext")}, "", ""};
    command.argv.insert(command.argv.end(), flags.begin(), flags.end());
    return RunToEnd(command, std::chrono::seconds(60));
  }

  static void Program(const std::string& path, const std::string& script) {
    std::ofstream(path) << "#!/bin/sh\n" << script;
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }

  const test::TempDir directory_;
  const std::string results_ = directory_ / "RESULTS.md";
  const std::string html_ = directory_ / "report.html";
  const std::string json_ = directory_ / "results.json";
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
  const Result<ChildOutput> run = Run(
      "cd " + directory_.path() +
      "\n[ -e once ] && echo $$ >pid && kill -INT $PPID && exec sleep 100\n: >once\n" + kMeasures);
  ASSERT_FALSE(run.ok());
  EXPECT_TRUE(Contains(run.error().message, "exited with 130")) << run.error().message;
  EXPECT_TRUE(Contains(test::ReadFile(html_), "interrupted after 0 of 2 pairs"));
  EXPECT_TRUE(Contains(test::ReadFile(json_), "\"interrupted\": true"));
  EXPECT_TRUE(Contains(test::ReadFile(json_), "\"pairs_measured\": 0"));
  const pid_t child = std::stoi(test::ReadFile(directory_ / "pid"));
  EXPECT_NE(kill(child, 0), 0) << "the child still runs";
  EXPECT_TRUE(Contains(run.error().message, results_ + " is left as it is")) << run.error().message;
  EXPECT_EQ(test::ReadFile(results_), before);
}

TEST_F(DbBenchExtTest, ARunEndsWithItsReport) {
  const Result<ChildOutput> run = Run(kMeasures);
  ASSERT_TRUE(run.ok()) << run.error().message;
  EXPECT_TRUE(Contains(run.value().standard_output, "report: " + html_ + "\n"));
  EXPECT_TRUE(Contains(test::ReadFile(html_), "Self-check: both arms were stock"));
  EXPECT_TRUE(Contains(test::ReadFile(json_), "\"pairs_measured\": 2"));
}

TEST_F(DbBenchExtTest, OperationsOverTimeAndTheDevicesBytesComeWithEveryRun) {
  const Result<ChildOutput> run = Run(kMeasures, "--workloads=fillrandom");
  ASSERT_TRUE(run.ok()) << run.error().message;
  const std::string json = test::ReadFile(json_);
  EXPECT_TRUE(Contains(json, "\"over_time\""));
  EXPECT_TRUE(Contains(json, "\"begin_s\": 0.3,")) << json;
  EXPECT_TRUE(Contains(test::ReadFile(html_), "class=\"stall plugin\""));
  const bool on_a_device = DeviceWrites(directory_.path()).ReadBytes().has_value();
  EXPECT_EQ(Contains(json, "\"device_written_per_user_byte\""), on_a_device);
}

TEST_F(DbBenchExtTest, ADamagedBaselineIsRefusedBeforeAnythingIsMeasured) {
  const std::string baseline = directory_ / "old.json";
  test::WriteFile(baseline, "{\"format\": ");
  const Result<ChildOutput> run = Run(kMeasures, "--baseline=" + baseline);
  ASSERT_FALSE(run.ok());
  EXPECT_TRUE(Contains(run.error().message, "exited with 2")) << run.error().message;
  EXPECT_TRUE(Contains(run.error().message, "the baseline " + baseline)) << run.error().message;
  EXPECT_FALSE(std::filesystem::exists(directory_ / "was_run"));
  EXPECT_FALSE(std::filesystem::exists(html_));
}

TEST_F(DbBenchExtTest, TheFiguresOfOneRunAreTheBaselineOfTheNext) {
  ASSERT_TRUE(Run(kMeasures).ok());
  const std::string baseline = directory_ / "old.json";
  std::filesystem::rename(json_, baseline);
  const Result<ChildOutput> run = Run(kMeasures, "--baseline=" + baseline);
  ASSERT_TRUE(run.ok()) << run.error().message;
  EXPECT_TRUE(Contains(run.value().standard_output, "1.00× then, 1.00× now: too few pairs"))
      << run.value().standard_output;
  EXPECT_TRUE(Contains(test::ReadFile(html_), "Beside the baseline"));
}

TEST_F(DbBenchExtTest, SavedFiguresBecomeTheSameReportAndPictureAgain) {
  const std::string picture = directory_ / "ratios.svg";
  ASSERT_TRUE(Run(kMeasures, "--picture_file=" + picture).ok());
  const std::string report_before = test::ReadFile(html_);
  const std::string picture_before = test::ReadFile(picture);
  EXPECT_TRUE(Contains(picture_before, "open, one put, close, 200 times"));
  std::filesystem::remove(html_);
  std::filesystem::remove(picture);
  std::filesystem::remove(directory_ / "was_run");
  ASSERT_TRUE(
      Render({"--render=" + json_, "--html_file=" + html_, "--picture_file=" + picture}).ok());
  EXPECT_EQ(test::ReadFile(html_), report_before);
  EXPECT_EQ(test::ReadFile(picture), picture_before);
  EXPECT_FALSE(std::filesystem::exists(directory_ / "was_run"));
}

TEST_F(DbBenchExtTest, FiguresThatCannotBeRenderedAreNamedAndNothingIsWritten) {
  const auto refused = [&](const std::string& file, const std::string& cause) {
    const Result<ChildOutput> run = Render({"--render=" + file, "--html_file=" + html_});
    ASSERT_FALSE(run.ok()) << file;
    EXPECT_TRUE(Contains(run.error().message, "exited with 2")) << run.error().message;
    EXPECT_TRUE(Contains(run.error().message, cause)) << run.error().message;
    EXPECT_FALSE(std::filesystem::exists(html_));
  };
  refused(json_, json_ + " is not there");
  refused(directory_.path(), "not a regular file");
  test::WriteFile(json_, "{\"format\": ");
  refused(json_, json_ + " is no JSON document");
  const Result<ChildOutput> same = Render({"--render=" + json_, "--html_file=" + json_});
  ASSERT_FALSE(same.ok());
  EXPECT_TRUE(Contains(same.error().message, "would overwrite")) << same.error().message;
}

TEST_F(DbBenchExtTest, AReportThatCannotBeWrittenIsSaidBeforeAnythingIsMeasured) {
  const Result<ChildOutput> run = Run(kMeasures, "--html_file=" + directory_.path() + "/no/r.html");
  ASSERT_FALSE(run.ok());
  EXPECT_TRUE(Contains(run.error().message, "exited with 2")) << run.error().message;
  EXPECT_TRUE(Contains(run.error().message, "pass --html_file=")) << run.error().message;
  EXPECT_FALSE(std::filesystem::exists(directory_ / "was_run"));
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

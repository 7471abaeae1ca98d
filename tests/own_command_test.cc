// A db_bench command line of the user's own: which rows it gives, what it may not hold, and that
// its rows share their runs.
#include "db_bench_ext/own_command.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "db_bench_ext/comparison.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs::bench {
namespace {

std::vector<std::string> Words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::vector<Workload> Rows(const std::string& text) { return OwnRows(Words(text)).value(); }

std::string Refusal(const std::string& text) {
  const Result<std::vector<Workload>> rows = OwnRows(Words(text));
  return rows.ok() ? "" : rows.error().message;
}

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(OwnCommandTest, EachBenchmarkThatPrintsAFigureIsARow) {
  const std::vector<Workload> rows =
      Rows("db_bench --benchmarks=fillrandom,stats,readrandom,readrandom,compact -num 50 --sync");
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0].name, "own-fillrandom");
  EXPECT_EQ(rows[1].own->run, 1);
  EXPECT_EQ(rows[2].name, "own-readrandom-2");
  EXPECT_EQ(rows[2].own->run, 2);
  EXPECT_EQ(rows[3].metric, Metric::kElapsedS);
  EXPECT_EQ(rows[0].own->arguments,
            (std::vector<std::string>{"--benchmarks=fillrandom,stats,readrandom,readrandom,compact",
                                      "--num=50", "--sync"}));
  EXPECT_FALSE(rows[0].own->alone);
  EXPECT_TRUE(Rows("--benchmarks=fillseq").front().own->alone);
}

TEST(OwnCommandTest, OfSeveralRunsTheLastCounts) {
  EXPECT_TRUE(Rows("--benchmarks=fillseq,stats").front().own->alone);
  EXPECT_FALSE(Rows("--benchmarks=fillseq,compactall").front().own->alone);
  EXPECT_FALSE(Rows("--benchmarks=fillseq[X3]").front().own->alone);
  EXPECT_FALSE(Rows("--benchmarks=fillseq[W1]").front().own->alone);
  EXPECT_EQ(Rows("--benchmarks=fillseq[X3]").front().own->run, 3);
  EXPECT_EQ(Rows("--benchmarks=fillseq[X3-W2]").front().own->run, 5);
  EXPECT_EQ(Rows("--benchmarks=fillseq[W2]").front().own->run, 3);
}

TEST(OwnCommandTest, WhatThisProgramSetsItselfIsRefused) {
  for (const char* flag : {"--db=/x", "-db /x", "--fs_uri=x", "--fs-uri=x", "--env_uri=x",
                           "--seed=5", "--wal_dir=/x", "--report_file=x", "--flagfile=x"}) {
    const std::string refusal = Refusal("--benchmarks=fillseq " + std::string(flag));
    EXPECT_TRUE(Has(refusal, "--workload: leave --")) << flag << ": " << refusal;
  }
}

TEST(OwnCommandTest, WhatIsNoCommandLineIsRefused) {
  EXPECT_TRUE(Has(Refusal("--num=5"), "no benchmark"));
  EXPECT_TRUE(Has(Refusal("--benchmarks=stats"), "no benchmark"));
  EXPECT_TRUE(Has(Refusal("--benchmarks=fillseq a b"), "is no flag")) << "the value of none";
  EXPECT_TRUE(Has(Refusal("fillseq"), "is no flag"));
  EXPECT_TRUE(Has(Refusal("--benchmarks=fillseq -- --num=5"), "is no flag"));
}

class OwnRunsTest : public testing::Test {
 protected:
  OwnRunsTest() {
    setup_.db_bench = disk_ / "db_bench";
    setup_.plugin_uri = "bloom_lfs";
    setup_.scale = 0.5;
  }

  void StandIn(const std::string& script) {
    std::ofstream(setup_.db_bench) << "#!/bin/sh\necho \"$@\" >>" << (disk_ / "arguments") << "\n"
                                   << script;
    std::filesystem::permissions(setup_.db_bench, std::filesystem::perms::owner_all);
  }

  Result<PairSample> Run(const Workload& row, int round) {
    return runner_.Run(row, round, [](const std::string&) {});
  }

  const test::TempDir disk_;
  const SignalsAsResults signals_;
  bench::Setup setup_;
  const Result<WorkDirectory> directory_ = WorkDirectory::Create(disk_.path(), 0);
  const Result<DeviceLimit> device_ = DeviceLimit::Create(directory_.value().path());
  PairRunner runner_{&setup_, &directory_.value(), &device_.value()};
};

constexpr char kTwoLines[] =
    "echo 'fillrandom : 1 micros/op 1000 ops/sec 1.0 seconds 1000 operations;'\n"
    "echo 'readrandom : 1 micros/op 2000 ops/sec 1.0 seconds 1000 operations;'\n";

TEST_F(OwnRunsTest, TheRowsOfACommandLineShareItsRuns) {
  StandIn(kTwoLines);
  const std::vector<Workload> rows = Rows("--benchmarks=fillrandom,readrandom --num=50");
  EXPECT_EQ(Run(rows[0], 0).value().plugin.metric, 1000);
  EXPECT_EQ(Run(rows[1], 0).value().plugin.metric, 2000);
  EXPECT_EQ(Run(rows[0], 1).value().stock.metric, 1000);
  const std::string arguments = test::ReadFile(disk_ / "arguments");
  EXPECT_EQ(std::count(arguments.begin(), arguments.end(), '\n'), 4) << arguments;
  EXPECT_EQ(arguments.substr(0, arguments.find('\n')),
            "--benchmarks=fillrandom,readrandom --num=50 --db=" + directory_.value().path() +
                "/db --seed=1")
      << "as it was given, and nothing more";
  EXPECT_TRUE(Has(arguments, "--fs_uri=bloom_lfs"));
}

TEST_F(OwnRunsTest, ACommandThatFailsIsRunOnceAndShowsItsLastLine) {
  StandIn("echo 'put error: no luck' >&2; exit 1\n");
  const std::vector<Workload> rows = Rows("--benchmarks=fillrandom,readrandom");
  const Result<PairSample> first = Run(rows[0], 0);
  ASSERT_FALSE(first.ok());
  EXPECT_TRUE(Has(first.error().message, "put error: no luck")) << first.error().message;
  const Result<PairSample> second = Run(rows[1], 0);
  ASSERT_FALSE(second.ok());
  EXPECT_TRUE(Has(second.error().message, "as said above")) << second.error().message;
  const std::string arguments = test::ReadFile(disk_ / "arguments");
  EXPECT_EQ(std::count(arguments.begin(), arguments.end(), '\n'), 1) << arguments;
}

TEST_F(OwnRunsTest, ABenchmarkWithoutAFigureLeavesTheOthersTheirs) {
  StandIn(kTwoLines);
  const std::vector<Workload> rows = Rows("--benchmarks=silent,readrandom");
  EXPECT_FALSE(Run(rows[0], 0).ok());
  EXPECT_EQ(Run(rows[1], 0).value().stock.metric, 2000);
}

}  // namespace
}  // namespace bloom_lfs::bench

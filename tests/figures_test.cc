// Figures: collected from their sources, named, and written as Prometheus reads them.
#include "plugin/figures/figures.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include "plugin/figures/figures_file.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPatience(60000);

class OneGauge final : public FigureSource {
 public:
  explicit OneGauge(std::string label) : label_(std::move(label)) {}
  void Collect(FigureSink* sink) const override {
    sink->Gauge("test_gauge", "A gauge.", {{"name", label_}}, value);
  }
  double value = 1;

 private:
  const std::string label_;
  const RegisteredFigures registered_{this};
};

TEST(FiguresTest, SourcesAreAskedAsLongAsTheyAreThere) {
  EXPECT_TRUE(CollectFigures().empty());
  auto one = std::make_unique<OneGauge>("one");
  const OneGauge two("two");
  EXPECT_EQ(CollectFigures().size(), 2U);
  one.reset();
  ASSERT_EQ(CollectFigures().size(), 1U);
  EXPECT_EQ(CollectFigures()[0].FullName(), "test_gauge{name=\"two\"}");
}

TEST(FiguresTest, TextHasOneHeadForEachName) {
  FigureSink sink;
  sink.Counter("a_total", "Counts.", {}, 3);
  sink.Gauge("b_seconds", "Measures.", {{"x", "1"}, {"y", "two"}}, 0.25);
  sink.Gauge("b_seconds", "Measures.", {{"x", "2"}}, 1e18);
  EXPECT_EQ(PrometheusText(sink.Take()),
            "# HELP a_total Counts.\n# TYPE a_total counter\na_total 3\n"
            "# HELP b_seconds Measures.\n# TYPE b_seconds gauge\n"
            "b_seconds{x=\"1\",y=\"two\"} 0.25\nb_seconds{x=\"2\"} 1e+18\n");
}

TEST(FiguresTest, NamesOfFilesMayHoldAnything) {
  FigureSink sink;
  sink.Gauge("g", "G.", {{"path", "a\"b\\c\nd"}}, 1);
  EXPECT_EQ(sink.Take()[0].FullName(), "g{path=\"a\\\"b\\\\c d\"}");
}

TEST(FiguresTest, HistogramsAddUp) {
  lss::LatencyHistogram histogram;
  histogram.Add(40'000);          // 40 µs
  histogram.Add(50'000);          // the end belongs to its class
  histogram.Add(3'000'000);       // 3 ms
  histogram.Add(20'000'000'000);  // 20 s
  FigureSink sink;
  sink.Histogram("h_seconds", "H.", {{"at", "side"}}, histogram);
  const std::string text = PrometheusText(sink.Take());
  for (const char* const line :
       {"h_seconds_bucket{at=\"side\",le=\"5e-05\"} 2\n", "le=\"0.002\"} 2\n", "le=\"0.005\"} 3\n",
        "le=\"10\"} 3\n", "le=\"+Inf\"} 4\n", "h_seconds_sum{at=\"side\"} 20.00309\n",
        "h_seconds_count{at=\"side\"} 4\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
  }
}

// Returns whether `file` has got `line`.
bool Gets(const std::string& file, const std::string& line) {
  for (int i = 0; i < 2000; ++i) {
    if (std::filesystem::exists(file) && test::ReadFile(file).find(line) != std::string::npos) {
      return true;
    }
    std::this_thread::sleep_for(milliseconds(5));
  }
  return false;
}

TEST(FiguresFileTest, IsReplacedAsAWholeAndFinalAtTheEnd) {
  const test::TempDir dir;
  const std::string path = dir / "figures.prom";
  auto source = std::make_unique<OneGauge>("one");
  source->value = 1;
  KeepFiguresFile(path, milliseconds(5));
  EXPECT_TRUE(Gets(path, "test_gauge{name=\"one\"} 1\n"));
  source.reset();
  source = std::make_unique<OneGauge>("later");
  EXPECT_TRUE(Gets(path, "later"));
  KeepFiguresFile(path, milliseconds(3600000));
  source = std::make_unique<OneGauge>("last");
  EXPECT_TRUE(Gets(path, "last")) << "the shorter interval counts";
  FinishFiguresFiles(kPatience);
  EXPECT_TRUE(test::ReadFile(path).find("last") != std::string::npos) << "it stays";
  EXPECT_FALSE(std::filesystem::exists(path + ".new"));
}

TEST(FiguresFileTest, OfProcessesInOneDirectoryDifferAndGoWithThem) {
  const test::TempDir dir;
  const std::string name = dir / ("f-" + std::to_string(getpid()) + ".prom");
  // A number that no process has, and one that this kernel gives nobody.
  const pid_t child = fork();
  if (child == 0) {
    _exit(0);
  }
  waitpid(child, nullptr, 0);
  const std::string old = dir / ("f-" + std::to_string(child) + ".prom");
  const std::string fresh = dir / "f-2147483646.prom";
  const std::string alive = dir / "f-1.prom";
  const std::string other = dir / ("f-" + std::to_string(child) + ".prom.txt");
  const std::string unfinished = old + ".new";
  for (const std::string& file : {old, fresh, alive, other, unfinished}) {
    test::WriteFile(file, "test_gauge 7\n");
    if (file != fresh) {
      std::filesystem::last_write_time(
          file, std::filesystem::file_time_type::clock::now() - std::chrono::hours(2));
    }
  }
  const OneGauge source("one");
  KeepFiguresFile(dir / "f-%p.prom", milliseconds(5));
  EXPECT_TRUE(Gets(name, "test_gauge{name=\"one\",pid=\"" + std::to_string(getpid()) + "\"} 1\n"));
  EXPECT_FALSE(std::filesystem::exists(old)) << "its process is dead";
  EXPECT_TRUE(std::filesystem::exists(fresh)) << "may be another container's";
  EXPECT_TRUE(std::filesystem::exists(alive));
  EXPECT_TRUE(std::filesystem::exists(other)) << "none of ours";
  EXPECT_FALSE(std::filesystem::exists(unfinished)) << "that, too";
  FinishFiguresFiles(kPatience);
  EXPECT_FALSE(std::filesystem::exists(name));
}

TEST(FiguresFileTest, APlaceThatCannotBeWrittenIsNoError) {
  const test::TempDir dir;
  std::filesystem::create_directory(dir / "place");
  std::filesystem::rename(dir / "place", dir / "gone");
  const OneGauge source("one");
  KeepFiguresFile(dir / "place/file", milliseconds(5));
  std::this_thread::sleep_for(milliseconds(20));
  std::filesystem::rename(dir / "gone", dir / "place");
  EXPECT_TRUE(Gets(dir / "place/file", "one")) << "when there is one";
  FinishFiguresFiles(kPatience);
}

TEST(FiguresFileTest, WhatIsNoFileIsNotReplaced) {
  const test::TempDir dir;
  test::WriteFile(dir / "target", "mine");
  std::filesystem::create_symlink(dir / "target", dir / "link");
  ASSERT_EQ(mkfifo((dir / "pipe").c_str(), 0600), 0);
  KeepFiguresFile(dir / "link", milliseconds(5));
  KeepFiguresFile(dir / "pipe", milliseconds(5));
  std::this_thread::sleep_for(milliseconds(50));
  FinishFiguresFiles(kPatience);
  EXPECT_TRUE(std::filesystem::is_symlink(dir / "link"));
  EXPECT_TRUE(std::filesystem::is_fifo(dir / "pipe"));
  EXPECT_EQ(test::ReadFile(dir / "target"), "mine");
}

// The limit stands for a full disk: a part is written, then nothing.
TEST(FiguresFileTest, WhatCannotBeWrittenAsAWholeLeavesTheFileAsItWas) {
  const test::TempDir dir;
  const std::string path = dir / "figures.prom";
  auto source = std::make_unique<OneGauge>("before");
  KeepFiguresFile(path, milliseconds(5));
  ASSERT_TRUE(Gets(path, "before"));
  rlimit old = {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  rlimit small = old;
  small.rlim_cur = 16;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  source = std::make_unique<OneGauge>("meanwhile");
  std::this_thread::sleep_for(milliseconds(100));
  FinishFiguresFiles(kPatience);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
  EXPECT_NE(test::ReadFile(path).find("before"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(path + ".new"));
}

}  // namespace
}  // namespace bloom_lfs

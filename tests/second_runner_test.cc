// Pairs with a second place, on stand-ins for the programs. What needs a loop disk is measured by
// frozen_run_test.
#include "db_bench_ext/second_runner.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "db_bench_ext/workload_set.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs::bench {
namespace {

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class SecondRunnerTest : public testing::Test {
 protected:
  SecondRunnerTest() {
    setup_.plugin = "";  // the stand-in needs none
    setup_.plugin_uri = "bloom_lfs";
    setup_.db_bench = disk_ / "db_bench";
    setup_.nbdkit = disk_ / "there_is_no_nbdkit";
    // Notes its arguments; with a second place it is twice as fast.
    Program(setup_.db_bench,
            "echo \"$@\" >>" + (disk_ / "arguments") +
                "\n"
                "rate=1000; case $* in *second_mode=*) rate=2000;; esac\n"
                "for b in fillsync fillrandom fillseq; do\n"
                "  echo \"$b : 1.0 micros/op $rate ops/sec 1.0 seconds 1000 operations;\"\n"
                "done\n");
  }

  static void Program(const std::string& path, const std::string& script) {
    std::ofstream(path) << "#!/bin/sh\n" << script;
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }

  static Workload Row(const std::string& name) {
    return SelectWorkloads(SecondRows(), name).value().front();
  }

  Result<PairSample> Run(const std::string& name, int round) {
    return runner_.Run(Row(name), round,
                       [this](const std::string& what) { progress_.push_back(what); });
  }

  std::string Arguments() const { return test::ReadFile(disk_ / "arguments"); }

  const test::TempDir disk_;
  const SignalsAsResults signals_;
  bench::Setup setup_;  // not testing::Test::Setup
  const Result<WorkDirectory> directory_ = WorkDirectory::Create(disk_.path(), 0);
  const Result<DeviceLimit> device_ = DeviceLimit::Create(directory_.value().path());
  SecondRunner runner_{&setup_, &directory_.value(), &device_.value()};
  std::vector<std::string> progress_;
};

TEST_F(SecondRunnerTest, APairIsARunOfEachArmAndTheFirstOneChanges) {
  const Result<PairSample> sample = Run("group-fillsync", 0);
  ASSERT_TRUE(sample.ok()) << sample.error().message;
  EXPECT_EQ(sample.value().stock.metric, 1000);
  EXPECT_EQ(sample.value().plugin.metric, 2000);
  EXPECT_EQ(progress_, (std::vector<std::string>{"stock  1,000 ops/s", "plugin  2,000 ops/s"}));
  progress_.clear();
  ASSERT_TRUE(Run("group-fillsync", 1).ok());
  EXPECT_EQ(progress_, (std::vector<std::string>{"plugin  2,000 ops/s", "stock  1,000 ops/s"}));
}

TEST_F(SecondRunnerTest, ThePlaceIsANewDirectoryOfTheWorkDirectory) {
  const std::string place = directory_.value().path() + "/second";
  std::filesystem::create_directory(place);
  test::WriteFile(place + "/left", "by the run before");
  ASSERT_TRUE(Run("mirror-directory", 0).ok());
  EXPECT_TRUE(Has(Arguments(), "--fs_uri=bloom_lfs\n")) << Arguments();
  EXPECT_TRUE(
      Has(Arguments(), "--fs_uri=id=bloom_lfs;second_mode=mirror;second_place=" + place + "\n"))
      << Arguments();
  EXPECT_TRUE(std::filesystem::is_directory(place));
  EXPECT_FALSE(std::filesystem::exists(place + "/left"));
}

TEST_F(SecondRunnerTest, ARowBesideAnOlderPluginNeedsOne) {
  const std::optional<std::string> reason = runner_.ReasonToSkip(Row("off-fillsync"));
  ASSERT_TRUE(reason.has_value());
  EXPECT_TRUE(Has(*reason, "--without_second")) << *reason;
  setup_.plugin_without_second = "older.so";
  EXPECT_FALSE(runner_.ReasonToSkip(Row("off-fillsync")).has_value());
}

TEST_F(SecondRunnerTest, AMirrorBehindAServerNeedsTheServer) {
  const std::optional<std::string> reason = runner_.ReasonToSkip(Row("mirror-nbd"));
  ASSERT_TRUE(reason.has_value());
  EXPECT_TRUE(Has(*reason, "nbdkit")) << *reason;
  EXPECT_FALSE(runner_.ReasonToSkip(Row("mirror-directory")).has_value());
}

TEST_F(SecondRunnerTest, AFailedArmIsNamed) {
  Program(setup_.db_bench, "exit 1\n");
  const Result<PairSample> sample = Run("group-fillsync", 0);
  ASSERT_FALSE(sample.ok());
  EXPECT_EQ(sample.error().message.rfind("stock: ", 0), 0U) << sample.error().message;
}

}  // namespace
}  // namespace bloom_lfs::bench

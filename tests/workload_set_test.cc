#include "db_bench_ext/workload_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "db_bench_ext/arm_command.h"

namespace bloom_lfs::bench {
namespace {

// By value: a range-for over a part of a temporary would outlive it.
std::vector<Workload> AllRows() { return FindWorkloadSet("all").value().workloads; }

Workload RowNamed(const std::string& name) {
  for (const Workload& workload : AllRows()) {
    if (workload.name == name) return workload;
  }
  ADD_FAILURE() << "no workload " << name;
  return {};
}

bool Contains(const std::vector<std::string>& arguments, const std::string& argument) {
  return std::find(arguments.begin(), arguments.end(), argument) != arguments.end();
}

Setup SetupWithPlugin() {
  Setup setup;
  setup.db_bench = "db_bench";
  setup.open_replay = "open_replay";
  setup.plugin = "/lib/plugin.so";
  setup.plugin_uri = "bloom_lfs";
  return setup;
}

TEST(WorkloadSetTest, AllIsTheOtherSetsTogetherAndNoNameOccursTwice) {
  const size_t all = AllRows().size();
  EXPECT_EQ(FindWorkloadSet("default").value().workloads.size() +
                FindWorkloadSet("logs").value().workloads.size() +
                FindWorkloadSet("features").value().workloads.size() +
                FindWorkloadSet("flash").value().workloads.size() +
                FindWorkloadSet("second").value().workloads.size(),
            all);
  std::set<std::string> names;
  for (const Workload& workload : AllRows()) {
    names.insert(workload.name);
  }
  EXPECT_EQ(names.size(), all);
}

TEST(WorkloadSetTest, AnUnknownSetIsAnErrorThatNamesTheSets) {
  const Result<WorkloadSet> set = FindWorkloadSet("blobs");
  ASSERT_FALSE(set.ok());
  EXPECT_NE(set.error().message.find("features"), std::string::npos);
}

TEST(WorkloadSetTest, WhatBuildingTookComesOffTheBudgetButForOnePairOfEachRow) {
  using std::chrono::seconds;
  EXPECT_EQ(BudgetAfter(seconds(0), seconds(240)), seconds(240));
  EXPECT_EQ(BudgetAfter(seconds(45), seconds(240)), seconds(240));
  EXPECT_EQ(BudgetAfter(seconds(145), seconds(240)), seconds(140));
  EXPECT_EQ(BudgetAfter(seconds(3600), seconds(240)), seconds(80));
  EXPECT_EQ(BudgetAfter(seconds(145), seconds(0)), seconds(0));
}

TEST(WorkloadSetTest, EveryRowSaysHowMuchItDoes) {
  for (const Workload& workload : AllRows()) {
    const bool one_step = workload.program == Program::kOpenReplay;
    EXPECT_EQ((workload.duration_s > 0 ? 1 : 0) + (workload.operations > 0 ? 1 : 0),
              one_step ? 0 : 1)
        << workload.name;
    EXPECT_EQ(workload.preparation.has_value(),
              workload.preparation.value_or(Preparation()).keys > 0)
        << workload.name;
  }
}

// A tier that several rows share must hold the same database, and be as large.
TEST(WorkloadSetTest, RowsThatShareATierAgreeAboutIt) {
  std::map<std::string, const Workload*> first;
  const std::vector<Workload> rows = FlashRows();
  for (const Workload& workload : rows) {
    ASSERT_TRUE(workload.flash.has_value()) << workload.name;
    if (workload.program != Program::kDbBench) {
      EXPECT_EQ(workload.flash->beside, FlashTier::Beside::kYardstick) << workload.name;
      continue;
    }
    const Workload& other = *first.emplace(workload.flash->name, &workload).first->second;
    EXPECT_EQ(workload.flash->bytes, other.flash->bytes) << workload.name;
    EXPECT_EQ(workload.flash->disk, other.flash->disk) << workload.name;
    EXPECT_EQ(workload.flash->start, other.flash->start) << workload.name;
    EXPECT_EQ(workload.flash->warm_up, other.flash->warm_up) << workload.name;
    EXPECT_EQ(workload.preparation->name, other.preparation->name) << workload.name;
  }
}

TEST(WorkloadSetTest, ASecondPlaceIsSomewhereUnlessItsModeIsOff) {
  for (const Workload& workload : SecondRows()) {
    ASSERT_TRUE(workload.second.has_value()) << workload.name;
    const SecondPlace& second = *workload.second;
    EXPECT_EQ(second.mode == "off", second.where == SecondPlace::Where::kNone) << workload.name;
    EXPECT_FALSE(workload.preparation.has_value()) << workload.name;
    if (second.beside == SecondPlace::Beside::kSideDisk) {
      EXPECT_EQ(second.where, SecondPlace::Where::kWorkDirectory) << workload.name;
      EXPECT_GT(workload.bound_s, 0) << workload.name;
    }
    if (second.frozen) {
      EXPECT_TRUE(second.db_on_loop_disk) << workload.name;
      EXPECT_NE(second.where, SecondPlace::Where::kNone) << workload.name;
    }
  }
}

// A database that several rows share must be the one that each of them describes.
TEST(WorkloadSetTest, PreparationsOfOneNameAreTheSame) {
  std::vector<Preparation> seen;
  for (const Workload& workload : FeatureRows()) {
    if (!workload.preparation.has_value()) continue;
    const Preparation& mine = *workload.preparation;
    for (const Preparation& other : seen) {
      if (other.name != mine.name) continue;
      EXPECT_EQ(other.use, mine.use) << mine.name;
      EXPECT_EQ(other.benchmarks, mine.benchmarks) << mine.name;
      EXPECT_EQ(other.arguments, mine.arguments) << mine.name;
      EXPECT_EQ(other.keys, mine.keys) << mine.name;
    }
    seen.push_back(mine);
  }
}

TEST(WorkloadSetTest, NamesAndPatternsSelectWithinTheSet) {
  const std::vector<Workload> rows = FeatureRows();
  EXPECT_EQ(SelectWorkloads(rows, "").value().size(), rows.size());
  EXPECT_EQ(SelectWorkloads(rows, "readrandom-.*,overwrite").value().size(), 3U);
  const Result<std::vector<Workload>> of_another_set = SelectWorkloads(rows, "fillsync");
  ASSERT_FALSE(of_another_set.ok());
  EXPECT_NE(of_another_set.error().message.find("--set=all"), std::string::npos);
}

TEST(AmountTest, AScaleBelowOneShrinksThePreparedDatabaseToo) {
  EXPECT_EQ(AmountArguments(RowNamed("overwrite"), 0.5),
            (std::vector<std::string>{"--num=500000", "--writes=300000"}));
  EXPECT_EQ(AmountArguments(RowNamed("overwrite"), 3),
            (std::vector<std::string>{"--num=1000000", "--writes=1800000"}));
}

TEST(ArmCommandTest, StockGetsTheLibraryForItsChecksumOnly) {
  const Workload workload = RowNamed("fillrandom-blob-64k");
  auto setup = SetupWithPlugin();
  EXPECT_EQ(MeasuredCommand(setup, workload, Arm::kStock, 0, "/db").preload, "");
  setup.fast_stock_checksum = true;
  for (const Arm arm : {Arm::kStock, Arm::kStockWithoutWal}) {
    const Command run = MeasuredCommand(setup, workload, arm, 0, "/db");
    EXPECT_EQ(run.preload, "/lib/plugin.so");
    EXPECT_FALSE(Contains(run.argv, "--fs_uri=bloom_lfs"));
  }
}

TEST(ArmCommandTest, AMeasuredRunUsesThePreparedDatabaseAndItsFillMakesIt) {
  const Workload workload = RowNamed("readrandom-blob-cold");
  const Command run = MeasuredCommand(SetupWithPlugin(), workload, Arm::kStock, 2, "/db");
  EXPECT_TRUE(Contains(run.argv, "--use_existing_db"));
  EXPECT_TRUE(Contains(run.argv, "--seed=3"));
  const Command fill = FillCommand(SetupWithPlugin(), *workload.preparation, Arm::kStock, "/db");
  EXPECT_FALSE(Contains(fill.argv, "--use_existing_db"));
  EXPECT_TRUE(Contains(fill.argv, "--num=80000"));
  EXPECT_TRUE(Contains(run.argv, "--num=80000"));
}

TEST(ArmCommandTest, OnlyThePluginArmGetsThePlugin) {
  const Workload workload = RowNamed("open-replay-cold");
  const auto setup = SetupWithPlugin();
  const Command plugin = MeasuredCommand(setup, workload, Arm::kPlugin, 0, "/db");
  EXPECT_EQ(plugin.preload, "/lib/plugin.so");
  EXPECT_EQ(plugin.argv, (std::vector<std::string>{"open_replay", "--db=/db", "--records=131072",
                                                   "--fs_uri=bloom_lfs"}));
  EXPECT_EQ(MeasuredCommand(setup, workload, Arm::kStock, 0, "/db").preload, "");
  EXPECT_EQ(FillCommand(setup, *workload.preparation, Arm::kStock, "/db").preload, "");
  EXPECT_EQ(FillCommand(setup, *workload.preparation, Arm::kPlugin, "/db").preload,
            "/lib/plugin.so");
}

TEST(ArmCommandTest, AfterwardsIsPartOfTheBenchmarks) {
  const auto setup = SetupWithPlugin();
  const auto benchmarks = [&](const std::string& name) {
    return MeasuredCommand(setup, RowNamed(name), Arm::kStock, 0, "/db").argv[1];
  };
  EXPECT_EQ(benchmarks("fillrandom-blob-64k"), "--benchmarks=fillrandom,compact");
  EXPECT_EQ(benchmarks("readwhilewriting"), "--benchmarks=readwhilewriting,stats");
  EXPECT_EQ(benchmarks("fillsync"), "--benchmarks=fillsync");
}

TEST(ArmCommandTest, OptionsAreAddedToThoseOfAUri) {
  EXPECT_EQ(WithOptions("bloom_lfs", "a=1;b=2"), "id=bloom_lfs;a=1;b=2");
  EXPECT_EQ(WithOptions("id=bloom_lfs;io_uring=false", "a=1"), "id=bloom_lfs;io_uring=false;a=1");
  EXPECT_EQ(WithOptions("", "a=1"), "") << "stock in both arms";
}

TEST(ArmCommandTest, OnlyThePluginArmHasASecondPlace) {
  const Workload row = RowNamed("group-8-threads-8-dbs");
  const bench::Setup setup = SetupWithPlugin();
  const Command stock = SecondPlaceCommand(setup, row, Arm::kStock, 0, "/db", "");
  EXPECT_EQ(stock.preload, "");
  EXPECT_FALSE(Contains(stock.argv, "--fs_uri=bloom_lfs"));
  const Command group = SecondPlaceCommand(setup, row, Arm::kPlugin, 0, "/db", "/side");
  EXPECT_EQ(group.preload, setup.plugin);
  EXPECT_TRUE(Contains(group.argv, "--fs_uri=id=bloom_lfs;second_mode=group;second_place=/side"));
  EXPECT_TRUE(Contains(group.argv, "--num_multi_db=8"));
}

TEST(ArmCommandTest, BesideASecondPlaceThePluginMayHaveNone) {
  const Command off =
      SecondPlaceCommand(SetupWithPlugin(), RowNamed("mirror-nbd"), Arm::kStock, 0, "/db", "");
  EXPECT_EQ(off.preload, "/lib/plugin.so");
  EXPECT_TRUE(Contains(off.argv, "--fs_uri=bloom_lfs"));
}

TEST(ArmCommandTest, ThePluginMayBeBesideAnOlderOne) {
  bench::Setup setup = SetupWithPlugin();
  setup.plugin_without_second = "/lib/older.so";
  const Workload row = RowNamed("off-fillseq");
  const Command older = SecondPlaceCommand(setup, row, Arm::kStock, 0, "/db", "");
  const Command off = SecondPlaceCommand(setup, row, Arm::kPlugin, 0, "/db", "");
  EXPECT_EQ(older.preload, "/lib/older.so");
  EXPECT_EQ(off.preload, "/lib/plugin.so");
  EXPECT_EQ(older.argv, off.argv);
}

TEST(ArmCommandTest, WhatFiguresCostIsThePluginBesideItself) {
  bench::Setup setup = SetupWithPlugin();
  setup.plugin_without_figures = "/lib/without.so";
  const std::vector<Workload> rows = FindWorkloadSet("figures").value().workloads;
  EXPECT_EQ(rows.size(), FindWorkloadSet("default").value().workloads.size());
  for (const Workload& row : rows) {
    const Command without = MeasuredCommand(setup, row, Arm::kStock, 1, "/db");
    const Command with = MeasuredCommand(setup, row, Arm::kPlugin, 1, "/db");
    EXPECT_EQ(without.preload, "/lib/without.so") << row.name;
    EXPECT_EQ(with.preload, "/lib/plugin.so") << row.name;
    EXPECT_EQ(without.argv, with.argv) << row.name;
    EXPECT_EQ(row.bound, Bound::kNone) << row.name;
  }
}

TEST(ArmCommandTest, OnlyRunsWithATierArePreloadedAndHaveIt) {
  const bench::Setup setup = SetupWithPlugin();
  const Workload row = RowNamed("flash-warm");
  const Command stock = FlashCommand(setup, row, "readrandom", 3, "/db", "");
  EXPECT_EQ(stock.preload, "");
  EXPECT_FALSE(Contains(stock.argv, "--secondary_cache_uri="));
  const Command on_flash =
      FlashCommand(setup, row, "readrandom,readrandom", 3, "/db", "path=x;size=y");
  EXPECT_EQ(on_flash.preload, setup.plugin);
  for (const char* argument :
       {"--benchmarks=readrandom,readrandom", "--db=/db", "--use_existing_db", "--seed=4",
        "--secondary_cache_uri=id=bloom_lfs_flash;path=x;size=y", "--duration=5"}) {
    EXPECT_TRUE(Contains(on_flash.argv, argument)) << argument;
  }
  for (const std::string& argument : on_flash.argv) {
    EXPECT_EQ(argument.find("--fs_uri"), std::string::npos) << "the log is stock's";
  }
  const Command blobs =
      FlashCommand(setup, RowNamed("flash-blobs"), "readrandom", 3, "/db", "path=x;size=y");
  EXPECT_TRUE(Contains(blobs.argv, "--fs_uri=id=bloom_lfs;blob_flash={path=x;size=y}"));
}

}  // namespace
}  // namespace bloom_lfs::bench

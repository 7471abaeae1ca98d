// Arms beyond stock and plugin: what may be asked for, what is run, in which order, and what is
// made of it. On a stand-in for db_bench.
#include "db_bench_ext/arms.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "db_bench_ext/arm_report.h"
#include "db_bench_ext/comparison.h"
#include "db_bench_ext/recycled_logs.h"
#include "db_bench_ext/text_lines.h"
#include "db_bench_ext/workload_set.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs::bench {
namespace {

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::vector<FurtherArm> Arms(const std::string& list) { return ParseArms(list).value(); }

Workload Row(const std::string& name) {
  return SelectWorkloads(FindWorkloadSet("all").value().workloads, name).value().front();
}

TEST(ArmListTest, StockAndPluginAreAlwaysThere) {
  EXPECT_TRUE(Arms("stock,plugin").empty());
  EXPECT_EQ(Arms("stock,plugin,no-wal").size(), 1U);
  EXPECT_EQ(Arms("no-wal").size(), 1U);
}

TEST(ArmListTest, TheOptionsOfAPluginMayHoldCommasAndBraces) {
  const std::vector<FurtherArm> arms =
      Arms("plugin{blob_flash={path=/a,b;size=1}},second-plugin{io_uring=false}");
  ASSERT_EQ(arms.size(), 2U);
  EXPECT_EQ(arms[0].options, "blob_flash={path=/a,b;size=1}");
  EXPECT_EQ(arms[1].kind, FurtherArm::Kind::kSecondPlugin);
  EXPECT_EQ(arms[1].options, "io_uring=false");
}

TEST(ArmListTest, WhatIsNoArmIsRefused) {
  for (const char* list : {"stock,", "stocks", "plugin{", "plugin{}", "plugin}x{", "no-wal,no-wal",
                           "stock,stock", "plugin{a=1},plugin{a=1}", "second{a=1}", "plugin{a}b"}) {
    const Result<std::vector<FurtherArm>> arms = ParseArms(list);
    ASSERT_FALSE(arms.ok()) << list;
    EXPECT_TRUE(Has(arms.error().message, "--arms")) << arms.error().message;
  }
}

TEST(ArmListTest, ARowHasOnlyTheArmsThatSaySomethingOfIt) {
  const FurtherArm no_wal = Arms("no-wal").front();
  EXPECT_TRUE(ReasonNotIn(no_wal, Row("fillsync")).has_value());
  EXPECT_TRUE(ReasonNotIn(no_wal, Row("sync-4k")).has_value()) << "--sync";
  EXPECT_FALSE(ReasonNotIn(no_wal, Row("fillseq")).has_value());
  EXPECT_TRUE(ReasonNotIn(no_wal, Row("flash-warm")).has_value());
  EXPECT_TRUE(ReasonNotIn(Arms("stock-recycle").front(), Row("open-put-close")).has_value());
  EXPECT_FALSE(ReasonNotIn(Arms("plugin{a=1}").front(), Row("open-put-close")).has_value());
  Workload own;
  own.own.emplace();
  for (const char* flag : {"--sync", "-sync=1", "--sync=yes", "--sync=t"}) {
    own.own->arguments = {flag};
    EXPECT_TRUE(ReasonNotIn(no_wal, own).has_value()) << flag;
  }
  own.own->arguments = {"--sync=no"};
  EXPECT_FALSE(ReasonNotIn(no_wal, own).has_value());
  own.own->arguments = {"--benchmarks=fillrandom,fillsync"};
  EXPECT_TRUE(ReasonNotIn(no_wal, own).has_value());
}

bench::Setup SetupOfTwo() {
  bench::Setup setup;
  setup.db_bench = "db_bench";
  setup.plugin = "/plugin.so";
  setup.plugin_uri = "bloom_lfs";
  setup.second_db_bench = "/second/db_bench";
  setup.second_rocksdb_library = "/second/lib";
  setup.second_plugin = "/second/plugin.so";
  return setup;
}

Command CommandOf(const std::string& arm) {
  const FurtherArm further = Arms(arm).front();
  return MeasuredCommand(SetupFor(SetupOfTwo(), further), Row("fillseq"), ArmFor(further), 0,
                         "/db");
}

TEST(ArmCommandTest, EachArmIsWhatItSays) {
  EXPECT_TRUE(Has(ToShellLine(CommandOf("no-wal")), " --disable_wal"));
  EXPECT_TRUE(Has(ToShellLine(CommandOf("plugin{a=1;b=2}")), "--fs_uri=id=bloom_lfs;a=1;b=2"));
  EXPECT_EQ(CommandOf("plugin{a=1}").preload, "/plugin.so");
  const Command second = CommandOf("second");
  EXPECT_EQ(second.argv[0], "/second/db_bench");
  EXPECT_EQ(second.library_path, "/second/lib");
  EXPECT_EQ(second.preload, "");
  const Command second_plugin = CommandOf("second-plugin");
  EXPECT_EQ(second_plugin.preload, "/second/plugin.so");
  EXPECT_TRUE(Has(ToShellLine(second_plugin), "--fs_uri=bloom_lfs"));
}

class FurtherArmsTest : public testing::Test {
 protected:
  FurtherArmsTest() {
    setup_.plugin_uri = "bloom_lfs";
    setup_.db_bench = disk_ / "db_bench";
    // Notes its arguments and leaves what RocksDB leaves. Recycles, as RocksDB 7.8 does, not with
    // every mode of recovery.
    const std::string script = R"(#!/bin/sh
for a in "$@"; do case $a in --db=*) db=${a#--db=};; --options_file=*) options=${a#*=};; esac; done
echo "$@" >>)" + Arguments() + R"(
kept=0
if [ -n "$options" ] && grep -q 'recovery_mode=kSkipAny' "$options"; then kept=4; fi
echo "x Options.recycle_log_file_num: $kept" >"$db/LOG"
printf '[DB]\n  recycle_log_file_num=0\n  wal_recovery_mode=kPointInTimeRecovery\n' >"$db/OPTIONS-7"
rate=1000
case $* in *options_file*) rate=1200;; *disable_wal*) rate=3000;; *fs_uri*) rate=2000;; esac
echo "fillseq : 1.0 micros/op $rate ops/sec 1.0 seconds 1000 operations;"
)";
    std::ofstream(setup_.db_bench) << script;
    std::filesystem::permissions(setup_.db_bench, std::filesystem::perms::owner_all);
  }

  std::string Arguments() const { return disk_ / "arguments"; }

  // The arms in the order in which they ran.
  std::vector<std::string> OrderOf(int round) {
    std::vector<std::string> order;
    PairRunner runner(&setup_, &directory_.value(), &device_.value());
    const Result<PairSample> pair = runner.Run(Fillseq(), round, [&](const std::string& what) {
      order.push_back(what.substr(0, what.find("  ")));
    });
    EXPECT_TRUE(pair.ok()) << pair.error().message;
    if (pair.ok()) pair_ = pair.value();
    return order;
  }

  static Workload Fillseq() {
    Workload workload = Row("fillseq");
    workload.bound = Bound::kNone;
    return workload;
  }

  const test::TempDir disk_;
  const SignalsAsResults signals_;
  bench::Setup setup_;
  const Result<WorkDirectory> directory_ = WorkDirectory::Create(disk_.path(), 0);
  const Result<DeviceLimit> device_ = DeviceLimit::Create(directory_.value().path());
  PairSample pair_;
};

TEST_F(FurtherArmsTest, AllArmsOfARoundRunInItAndEachIsFirstOnce) {
  setup_.further_arms = Arms("no-wal,plugin{a=1}");
  using Names = std::vector<std::string>;
  EXPECT_EQ(OrderOf(0), (Names{"stock", "plugin", "no-wal", "plugin{a=1}"}));
  EXPECT_EQ(OrderOf(1), (Names{"plugin", "no-wal", "plugin{a=1}", "stock"}));
  EXPECT_EQ(OrderOf(3), (Names{"plugin{a=1}", "stock", "plugin", "no-wal"}));
  ASSERT_EQ(pair_.further.size(), 2U);
  EXPECT_EQ(pair_.further[0].arm, "no-wal") << "in the order of --arms, whichever was first";
  EXPECT_EQ(pair_.further[0].reading.metric, 3000);
  EXPECT_EQ(pair_.further[1].reading.metric, 2000);
}

// What a run changes, all arms of a RocksDB find alike; what it only reads, its own side has
// written.
TEST_F(FurtherArmsTest, PreparedDatabasesAreOfTheSideOrOfItsRocksDb) {
  setup_.further_arms = Arms("plugin{a=1},second");
  setup_.second_db_bench = setup_.db_bench;
  const auto fills = [&](Preparation::Use use) {
    std::filesystem::remove(Arguments());
    Workload workload = Fillseq();
    workload.preparation.emplace();
    workload.preparation->use = use;
    workload.preparation->name = "keys" + std::to_string(static_cast<int>(use));
    workload.preparation->benchmarks = "filluniquerandom";
    workload.preparation->keys = 1000;
    PairRunner runner(&setup_, &directory_.value(), &device_.value());
    const Result<PairSample> pair = runner.Run(workload, 0, [](const std::string&) {});
    EXPECT_TRUE(pair.ok()) << pair.error().message;
    std::vector<std::string> filled;
    const std::string arguments = test::ReadFile(Arguments());
    for (const std::string_view line : SplitLines(arguments)) {
      const std::string text(line);
      if (!Has(text, "--benchmarks=filluniquerandom")) continue;
      const size_t begin = text.find("filled-");
      filled.push_back(text.substr(begin, text.find(' ', begin) - begin));
    }
    return filled;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(fills(Preparation::Use::kOwnFiles),
            (Names{"filled-keys0-stock", "filled-keys0-plugin", "filled-arm0-keys0-plugin",
                   "filled-arm1-keys0-stock"}));
  EXPECT_EQ(fills(Preparation::Use::kCopyOfStock),
            (Names{"filled-keys1-stock", "filled-arm1-keys1-stock"}));
}

TEST_F(FurtherArmsTest, RecycledLogsAreThereWhenTheLogSaysSo) {
  setup_.further_arms = Arms("stock-recycle");
  OrderOf(0);
  ASSERT_EQ(pair_.further.size(), 1U);
  EXPECT_EQ(pair_.further[0].reading.metric, 1200);
  const std::string options = test::ReadFile(directory_.value().path() + "/options-0.ini");
  EXPECT_TRUE(Has(options, "  recycle_log_file_num=4\n")) << options;
  EXPECT_TRUE(Has(options, "  wal_recovery_mode=kSkipAnyCorruptedRecords\n")) << options;
}

TEST_F(FurtherArmsTest, ARocksDbThatRecyclesNothingIsNotTakenForOneThatDoes) {
  std::string script = test::ReadFile(setup_.db_bench);
  script.replace(script.find("kept=4"), 6, "kept=0");
  test::WriteFile(setup_.db_bench, script);
  setup_.further_arms = Arms("stock-recycle");
  PairRunner runner(&setup_, &directory_.value(), &device_.value());
  const Result<PairSample> pair = runner.Run(Fillseq(), 0, [](const std::string&) {});
  ASSERT_FALSE(pair.ok());
  EXPECT_TRUE(Has(pair.error().message, "this RocksDB recycles no logs")) << pair.error().message;
}

PairSample Pair(double stock, double arm) {
  PairSample pair;
  pair.stock.metric = stock;
  pair.plugin.metric = stock;
  ArmReading reading;
  reading.metric = arm;
  pair.further = {{"no-wal", reading}};
  return pair;
}

TEST(ArmReportTest, EachArmIsComparedWithStockByPairs) {
  Comparison comparison;
  comparison.workload.name = "fillseq";
  comparison.workload.title = "fillseq, 100 B";
  comparison.pairs = {Pair(100, 150), Pair(200, 400), Pair(110, 176),
                      Pair(110, 176), Pair(110, 176), Pair(100, 150)};
  comparison.pairs.back().further.clear();
  const std::vector<ArmSummary> arms = SummarizeFurtherArms(comparison.pairs, Metric::kOpsPerS);
  ASSERT_EQ(arms.size(), 1U);
  EXPECT_EQ(arms[0].pairs, 5U);
  EXPECT_DOUBLE_EQ(arms[0].ratio, 176.0 / 110);
  EXPECT_DOUBLE_EQ(arms[0].median_pair_ratio, 1.6);
  EXPECT_EQ(arms[0].difference, Difference::kBetter);
  comparison.absent = {{"second", "the row is not one of db_bench"}};
  EXPECT_EQ(RenderFurtherArms({comparison}, TableStyle::kMarkdown),
            "\nfurther arms, each beside stock:\n\n"
            "| workload | arm | stock | the arm | ratio | 95 % interval | pairs | pair ratios | "
            "beside stock |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
            "| fillseq, 100 B | no-wal | 110 ops/s | 176 ops/s | 1.60× | 1.50–2.00 | 5 | "
            "1.50–2.00 | better |\n"
            "\n- second is not in fillseq: the row is not one of db_bench\n");
  EXPECT_EQ(RenderFurtherArms({Comparison()}, TableStyle::kText), "");
}

}  // namespace
}  // namespace bloom_lfs::bench

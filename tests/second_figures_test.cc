// What a process with second places says of itself while it runs.
#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "plugin/rocksdb_versions.h"
#include "tests/support/figure_sum.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_env.h"

namespace bloom_lfs::test {
namespace {

constexpr int kRows = 50;

class SecondFiguresTest : public testing::TestWithParam<std::string> {
 protected:
  TempDir dir_;
};

TEST_P(SecondFiguresTest, SaysWhereSyncsGo) {
  const std::string mode = GetParam();
  const std::string file = dir_ / "figures.prom";
  EXPECT_EQ(FigureSum("bloom_lfs_second"), 0);
  {
    const TestEnv env(
        "id=bloom_lfs;second_mode=" + mode + ";second_place=" + (dir_ / "place") +
        ";second_bytes=16M;second_catch_up_ms=3600000;stats_interval_s=1;stats_file=" + file);
    rocksdb::Options options;
    options.env = env.get();
    options.create_if_missing = true;
    std::unique_ptr<rocksdb::DB> db;
    ASSERT_TRUE(rocksdb::DB::Open(options, dir_ / "db", OpenInto(&db)).ok());
    rocksdb::WriteOptions synced;
    synced.sync = true;
    for (int row = 0; row < kRows; ++row) {
      ASSERT_TRUE(db->Put(synced, "row " + std::to_string(row), std::string(100, 'v')).ok());
    }
    EXPECT_EQ(FigureSum("bloom_lfs_second_mode", "mode=\"" + mode + "\""), 1);
    EXPECT_GE(FigureSum("bloom_lfs_second_syncs_total"), kRows);
    EXPECT_EQ(FigureSum("bloom_lfs_second_failed{"), 0);
    const bool uses_side = mode != "failover";  // whose disk does not stall here
    if (uses_side) {
      EXPECT_GT(FigureSum("bloom_lfs_second_syncs_total", "by=\"side\""), 0);
      EXPECT_GT(FigureSum("bloom_lfs_second_doubled_bytes_total"), 0);
      EXPECT_GT(FigureSum("bloom_lfs_second_writes_total"), 0);
      EXPECT_GT(FigureSum("bloom_lfs_second_sync_seconds_count", "at=\"side\""), 0);
    }
    if (mode == "group" || mode == "mirror") {
      EXPECT_EQ(FigureSum("bloom_lfs_second_syncs_total", "by=\"side\""), kRows);
      EXPECT_GT(FigureSum("bloom_lfs_second_used_bytes"), kRows * 100);
    }
    if (mode == "failover" || mode == "hedge") {
      EXPECT_EQ(FigureSum("bloom_lfs_second_failed_over{"), 0);
      EXPECT_EQ(FigureSum("bloom_lfs_second_switches_total"), 0);
    }
  }
  EXPECT_EQ(FigureSum("bloom_lfs_second"), 0) << "they go with what they are of";
  // Debian: the package prometheus. What it says is about style, too.
  ASSERT_TRUE(std::filesystem::exists(file));
  if (std::system("command -v promtool >/dev/null") == 0) {
    EXPECT_EQ(std::system(("promtool check metrics <" + file).c_str()), 0) << ReadFile(file);
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, SecondFiguresTest,
                         testing::Values("failover", "hedge", "group", "mirror"),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace bloom_lfs::test

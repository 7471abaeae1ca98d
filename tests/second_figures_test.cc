// What a process with second places says of itself while it runs.
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "plugin/bloom_lfs_file_system.h"
#include "plugin/file_kind.h"
#include "plugin/rocksdb_versions.h"
#include "tests/crash/watched_calls.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_env.h"

namespace bloom_lfs::test {
namespace {

constexpr int kRows = 50;
constexpr auto kIdle = std::chrono::seconds(5);

// While it hangs, syncs of logs do not end.
class HangingLogs final : public lss::test::CallObserver {
 public:
  HangingLogs() { lss::test::Observe(this); }
  ~HangingLogs() override { lss::test::Observe(nullptr); }
  void BeforeWrite(int, const iovec*, int, uint64_t) override {}
  void AfterWrite(int, uint64_t, int64_t, bool) override {}
  void OnSize(int, uint64_t) override {}
  void OnSync(int fd) override {
    char path[4096] = {};
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    if (readlink(link.c_str(), path, sizeof(path) - 1) > 0 && IsWal(path)) {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [this] { return !hangs_; });
    }
  }
  void Hang(bool hangs) {
    const std::lock_guard<std::mutex> lock(mutex_);
    hangs_ = hangs;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool hangs_ = false;
};

bool Becomes(const std::function<bool()>& holds) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!holds() && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return holds();
}

class SecondFigures : public testing::Test {
 protected:
  // The sum of the figures whose names begin so and have all of this in their labels.
  static double Sum(const std::string& name, const std::string& label = "") {
    double sum = 0;
    for (const auto& [full, value] : BloomLfsFileSystem::GetFigures()) {
      const bool is_it = full.compare(0, name.size(), name) == 0;
      sum += is_it && full.find(label) != std::string::npos ? value : 0;
    }
    return sum;
  }

  TempDir dir_;
};

class SecondFiguresTest : public SecondFigures, public testing::WithParamInterface<std::string> {};
class FailoverFiguresTest : public SecondFigures {};

TEST_P(SecondFiguresTest, SaysWhereSyncsGo) {
  const std::string mode = GetParam();
  const std::string file = dir_ / "figures.prom";
  EXPECT_EQ(Sum("bloom_lfs_second"), 0);
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
    EXPECT_EQ(Sum("bloom_lfs_second_mode", "mode=\"" + mode + "\""), 1);
    EXPECT_GE(Sum("bloom_lfs_second_syncs_total"), kRows);
    EXPECT_EQ(Sum("bloom_lfs_second_failed{"), 0);
    const bool uses_side = mode != "failover";  // whose disk does not stall here
    if (uses_side) {
      EXPECT_GT(Sum("bloom_lfs_second_syncs_total", "by=\"side\""), 0);
      EXPECT_GT(Sum("bloom_lfs_second_doubled_bytes_total"), 0);
      EXPECT_GT(Sum("bloom_lfs_second_writes_total"), 0);
      EXPECT_GT(Sum("bloom_lfs_second_sync_seconds_count", "at=\"side\""), 0);
    }
    if (mode == "group" || mode == "mirror") {
      EXPECT_EQ(Sum("bloom_lfs_second_syncs_total", "by=\"side\""), kRows);
      EXPECT_GT(Sum("bloom_lfs_second_used_bytes"), kRows * 100);
    }
    if (mode == "failover" || mode == "hedge") {
      EXPECT_EQ(Sum("bloom_lfs_second_failed_over{"), 0);
      EXPECT_EQ(Sum("bloom_lfs_second_switches_total"), 0);
    }
  }
  EXPECT_EQ(Sum("bloom_lfs_second"), 0) << "they go with what they are of";
  // Debian: the package prometheus. What it says is about style, too.
  ASSERT_TRUE(std::filesystem::exists(file));
  if (std::system("command -v promtool >/dev/null") == 0) {
    EXPECT_EQ(std::system(("promtool check metrics <" + file).c_str()), 0) << ReadFile(file);
  }
}

TEST_F(FailoverFiguresTest, SaysThatItHasFailedOverForHowLongAndWhatIsBehind) {
  HangingLogs logs;
  const TestEnv env(
      "id=bloom_lfs;io_uring=false;second_mode=failover;second_place=" + (dir_ / "place") +
      ";second_bytes=16M;failover_after_ms=20;failback_below_ms=60000;"
      "failback_after_s=0");
  rocksdb::Options options;
  options.env = env.get();
  options.create_if_missing = true;
  std::unique_ptr<rocksdb::DB> db;
  ASSERT_TRUE(rocksdb::DB::Open(options, dir_ / "db", OpenInto(&db)).ok());
  rocksdb::WriteOptions synced;
  synced.sync = true;
  std::this_thread::sleep_for(kIdle);
  const auto stall = std::chrono::steady_clock::now();
  logs.Hang(true);
  ASSERT_TRUE(db->Put(synced, "row", "by the side log").ok());
  EXPECT_EQ(Sum("bloom_lfs_second_failed_over{"), 1);
  EXPECT_EQ(Sum("bloom_lfs_second_switches_total"), 1);
  EXPECT_EQ(Sum("bloom_lfs_second_syncs_total", "by=\"side\""), 1);
  const double behind = Sum("bloom_lfs_second_behind_seconds");
  const std::chrono::duration<double> stalled = std::chrono::steady_clock::now() - stall;
  EXPECT_LT(behind, stalled.count() + 4) << "the row is not as old as the log's rest";
  const double early = Sum("bloom_lfs_second_failed_over_seconds_total");
  EXPECT_TRUE(Becomes([&] { return Sum("bloom_lfs_second_failed_over_seconds_total") > early; }));
  EXPECT_TRUE(Becomes([] { return Sum("bloom_lfs_second_behind_seconds") > 0.1; }));
  logs.Hang(false);
  EXPECT_TRUE(Becomes([] { return Sum("bloom_lfs_second_failed_over{") == 0; }));
  EXPECT_EQ(Sum("bloom_lfs_second_switches_total"), 2);
  EXPECT_TRUE(Becomes([] { return Sum("bloom_lfs_second_behind_seconds") == 0; }));
  const double whole = Sum("bloom_lfs_second_failed_over_seconds_total");
  EXPECT_GT(whole, early);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(Sum("bloom_lfs_second_failed_over_seconds_total"), whole) << "it is over";
}

INSTANTIATE_TEST_SUITE_P(Modes, SecondFiguresTest,
                         testing::Values("failover", "hedge", "group", "mirror"),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace bloom_lfs::test

// What a process says of a database that has failed over, and is back again.
//
// Its system calls go through watched_calls; those of io_uring would not.
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "plugin/file_kind.h"
#include "plugin/rocksdb_versions.h"
#include "tests/crash/watched_calls.h"
#include "tests/support/figure_sum.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_env.h"

namespace bloom_lfs::test {
namespace {

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

class FailoverFiguresTest : public testing::Test {
 protected:
  TempDir dir_;
};

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
  EXPECT_EQ(FigureSum("bloom_lfs_second_failed_over{"), 1);
  EXPECT_EQ(FigureSum("bloom_lfs_second_switches_total"), 1);
  EXPECT_EQ(FigureSum("bloom_lfs_second_syncs_total", "by=\"side\""), 1);
  const double behind = FigureSum("bloom_lfs_second_behind_seconds");
  const std::chrono::duration<double> stalled = std::chrono::steady_clock::now() - stall;
  EXPECT_LT(behind, stalled.count() + 4) << "the row is not as old as the log's rest";
  const double early = FigureSum("bloom_lfs_second_failed_over_seconds_total");
  EXPECT_TRUE(
      Becomes([&] { return FigureSum("bloom_lfs_second_failed_over_seconds_total") > early; }));
  EXPECT_TRUE(Becomes([] { return FigureSum("bloom_lfs_second_behind_seconds") > 0.1; }));
  logs.Hang(false);
  EXPECT_TRUE(Becomes([] { return FigureSum("bloom_lfs_second_failed_over{") == 0; }));
  EXPECT_EQ(FigureSum("bloom_lfs_second_switches_total"), 2);
  EXPECT_TRUE(Becomes([] { return FigureSum("bloom_lfs_second_behind_seconds") == 0; }));
  const double whole = FigureSum("bloom_lfs_second_failed_over_seconds_total");
  EXPECT_GT(whole, early);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(FigureSum("bloom_lfs_second_failed_over_seconds_total"), whole) << "it is over";
}

}  // namespace
}  // namespace bloom_lfs::test

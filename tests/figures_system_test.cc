// The figures of a database that is written with the plugin, on all their ways out.
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <regex>
#include <set>
#include <string>
#include <thread>

#include "plugin/bloom_lfs_file_system.h"
#include "plugin/figures/figures.h"
#include "plugin/rocksdb_versions.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_env.h"

namespace bloom_lfs::test {
namespace {

namespace fs = std::filesystem;

constexpr int kRows = 50;

class FiguresSystemTest : public testing::Test {
 protected:
  void Open() {
    rocksdb::Options options;
    options.env = env_.get();
    options.create_if_missing = true;
    options.enable_blob_files = true;
    options.min_blob_size = 1000;
    ASSERT_TRUE(rocksdb::DB::Open(options, path_, OpenInto(&db_)).ok());
  }
  void PutSynced(int rows) {
    rocksdb::WriteOptions synced;
    synced.sync = true;
    for (int row = 0; row < rows; ++row) {
      ASSERT_TRUE(db_->Put(synced, "row " + std::to_string(row), std::string(2000, 'v')).ok());
    }
  }
  // Since the test began.
  double Grown(const std::string& name) {
    return BloomLfsFileSystem::GetFigures()[name] - before_[name];
  }

  double OpenLogs() {
    return Grown("bloom_lfs_open_files{kind=\"wal\",heat=\"hot\"}") +
           Grown("bloom_lfs_open_files{kind=\"wal\",heat=\"cold\"}");
  }

  TempDir dir_;
  const std::string path_ = dir_ / "db";
  const TestEnv env_{"id=bloom_lfs"};
  std::map<std::string, double> before_ = BloomLfsFileSystem::GetFigures();
  std::unique_ptr<rocksdb::DB> db_;
};

TEST_F(FiguresSystemTest, LogsAndBlobFilesAreCounted) {
  Open();
  PutSynced(kRows);
  EXPECT_GE(Grown("bloom_lfs_appends_total{kind=\"wal\"}"), kRows);
  EXPECT_GE(Grown("bloom_lfs_appended_bytes_total{kind=\"wal\"}"), kRows * 2000);
  EXPECT_EQ(Grown("bloom_lfs_syncs_total{kind=\"wal\"}"), kRows);
  EXPECT_EQ(Grown("bloom_lfs_sync_seconds_count{kind=\"wal\"}"), kRows);
  EXPECT_GT(Grown("bloom_lfs_sync_seconds_sum{kind=\"wal\"}"), 0);
  EXPECT_GE(Grown("bloom_lfs_written_bytes_total{kind=\"wal\",reason=\"tail\"}") +
                Grown("bloom_lfs_written_bytes_total{kind=\"wal\",reason=\"data\"}"),
            kRows * 2000);
  EXPECT_EQ(OpenLogs(), 1);
  EXPECT_EQ(Grown("bloom_lfs_not_durable_bytes{kind=\"wal\"}"), 0) << "all is synced";
  ASSERT_TRUE(db_->Put(rocksdb::WriteOptions(), "unsynced", std::string(3000, 'u')).ok());
  EXPECT_GE(Grown("bloom_lfs_not_durable_bytes{kind=\"wal\"}"), 3000);
  ASSERT_TRUE(db_->FlushWAL(/*sync=*/true).ok());
  EXPECT_EQ(Grown("bloom_lfs_not_durable_bytes{kind=\"wal\"}"), 0);
  EXPECT_EQ(Grown("bloom_lfs_appends_total{kind=\"blob\"}"), 0);
  ASSERT_TRUE(db_->Flush(rocksdb::FlushOptions()).ok());
  EXPECT_GE(Grown("bloom_lfs_appended_bytes_total{kind=\"blob\"}"), kRows * 2000);
  EXPECT_EQ(Grown("bloom_lfs_unwritten_bytes{kind=\"blob\"}"), 0);
  db_.reset();
  // The threads in the background look at what is there, and let go of it after that.
  for (int i = 0; i < 2000 && OpenLogs() > 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(OpenLogs(), 0);
  EXPECT_EQ(Grown("bloom_lfs_syncs_total{kind=\"wal\"}"), kRows + 1) << "it stays";
  EXPECT_EQ(Grown("bloom_lfs_errors_total{kind=\"wal\",error=\"final\"}"), 0);
}

TEST_F(FiguresSystemTest, RocksDbsLogEndsWithThem) {
  Open();
  PutSynced(3);
  db_.reset();
  const std::string log = ReadFile(path_ + "/LOG");
  const size_t at = log.find("bloom_lfs, this process so far; wal: ");
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(log.find("this process so far", at + 40), std::string::npos) << "once";
  EXPECT_NE(log.find(" syncs (", at), std::string::npos);
  EXPECT_NE(log.find("errors: 0 final, 0 passing", at), std::string::npos);
}

TEST_F(FiguresSystemTest, AFileThatIsMadeTheStockWayIsCounted) {
  fs::create_directory(path_);
  WriteFile(path_ + "/.bloom_lfs", "in the way");  // no ring can be made
  Open();
  PutSynced(1);
  db_.reset();
  EXPECT_GE(Grown("bloom_lfs_fallbacks_total{kind=\"wal\",to=\"stock\"}"), 1);
  EXPECT_EQ(Grown("bloom_lfs_appends_total{kind=\"wal\"}"), 0);
}

// promtool is Debian's package prometheus.
TEST_F(FiguresSystemTest, PrometheusTakesThem) {
  if (access("/usr/bin/promtool", X_OK) != 0) {
    GTEST_SKIP() << "no promtool here";
  }
  Open();
  PutSynced(1);
  const std::string text = dir_ / "figures.prom";
  WriteFile(text, PrometheusText(CollectFigures()));
  const std::string said = dir_ / "said";
  EXPECT_EQ(system(("promtool check metrics <" + text + " >" + said + " 2>&1").c_str()), 0);
  EXPECT_EQ(ReadFile(said), "");
}

// Whatever the dashboard asks for, and operators are told to watch, is the name of a figure.
TEST(DashboardTest, ItAndTheReadmeAskForFiguresThatThereAre) {
  const fs::path plugin = fs::path(BLOOM_LFS_SOURCE_DIR) / "plugin";
  std::string sources;
  for (const auto& entry : fs::recursive_directory_iterator(plugin)) {
    if (entry.path().extension() == ".cc") {
      sources += ReadFile(entry.path());
    }
  }
  const std::string readme = ReadFile(plugin / "README.md");
  const size_t watch = readme.find("\n## Watch\n");
  ASSERT_NE(watch, std::string::npos);
  const std::string dashboard = ReadFile(plugin / "package" / "grafana_dashboard.json") +
                                readme.substr(watch, readme.find("\n## ", watch + 1) - watch);
  const std::regex name("bloom_lfs_[a-z_]+");
  std::set<std::string> asked;
  for (auto at = std::sregex_iterator(dashboard.begin(), dashboard.end(), name);
       at != std::sregex_iterator(); ++at) {
    asked.insert(std::regex_replace(at->str(), std::regex("_(bucket|sum|count)$"), ""));
  }
  EXPECT_GT(asked.size(), 10U);
  for (const std::string& each : asked) {
    EXPECT_NE(sources.find("\"" + each + "\""), std::string::npos) << each;
  }
}

}  // namespace
}  // namespace bloom_lfs::test

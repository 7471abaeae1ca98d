// The flash tier on an NBD server: a database that moves to another host finds it warm, and a
// server that is gone, hangs or holds something else costs the tier and nothing else.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "plugin/flash/flash_cache.h"
#include "plugin/rocksdb_versions.h"
#include "rocksdb/cache.h"
#include "rocksdb/convenience.h"
#include "rocksdb/db.h"
#include "rocksdb/perf_context.h"
#include "rocksdb/perf_level.h"
#include "rocksdb/table.h"
#include "tests/support/files.h"
#include "tests/support/flash_rows.h"
#include "tests/support/nbd_server.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using lss::test::NbdServer;
using std::chrono::seconds;

constexpr uint64_t kRows = 20000;  // 8 MB
constexpr uint64_t kBlocks = kRows * 430 / 4096;

class FlashNbdTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = lss::test::WhyNoNbdServer(); !why.empty()) {
      GTEST_SKIP() << why;
    }
    test::WriteFile(file_, "");
    fs::resize_file(file_, 64 << 20);
    server_ = std::make_unique<NbdServer>(std::vector<std::string>{"file", file_},
                                          NbdServer::On::kLocalhost);
  }
  ~FlashNbdTest() override { Close(); }

  // A block cache of 1 MiB over the tier, or without it.
  void Open(const std::string& path, bool with_tier = true) {
    Close();
    if (with_tier) {
      FlashOptions flash;
      const rocksdb::Status parsed =
          flash.ParseAndValidate("path=" + server_->uri() + ";size=64M;memory=8M");
      ASSERT_TRUE(parsed.ok()) << parsed.ToString();
      tier_ = std::make_shared<FlashCache>(flash);
    }
    const rocksdb::Status status =
        rocksdb::DB::Open(OptionsOver(with_tier ? tier_ : nullptr), path, OpenInto(&db_));
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  void OpenWarm(const std::string& path) {
    Open(path);
    ASSERT_TRUE(tier_->store()->AwaitOpen());
  }
  void Close() {
    db_.reset();
    tier_.reset();
  }
  void Fill(uint64_t rows) {
    for (uint64_t number = 0; number < rows; ++number) {
      ASSERT_TRUE(db_->Put(rocksdb::WriteOptions(), RowKey(number), RowValue(number)).ok());
    }
    ASSERT_TRUE(db_->Flush({}).ok());
    ASSERT_TRUE(db_->CompactRange({}, nullptr, nullptr).ok());
  }
  // Looks all rows up, and says how many blocks were read from the database's files for that.
  uint64_t ReadAll(uint64_t rows) {
    rocksdb::SetPerfLevel(rocksdb::PerfLevel::kEnableCount);
    rocksdb::get_perf_context()->Reset();
    std::string value;
    for (uint64_t number = 0; number < rows; ++number) {
      EXPECT_TRUE(db_->Get(rocksdb::ReadOptions(), RowKey(number), &value).ok()) << number;
      EXPECT_TRUE(value == RowValue(number)) << number;
    }
    return rocksdb::get_perf_context()->block_read_count;
  }
  // One MultiGet of rows far apart, so that each is in a block of its own.
  void ReadTogether(uint64_t rows) {
    constexpr size_t kTogether = 32;
    std::vector<std::string> names;
    for (uint64_t i = 0; i < kTogether; ++i) {
      names.push_back(RowKey(i * (rows / kTogether)));
    }
    const std::vector<rocksdb::Slice> keys(names.begin(), names.end());
    std::vector<rocksdb::PinnableSlice> values(kTogether);
    std::vector<rocksdb::Status> statuses(kTogether);
    rocksdb::ReadOptions options;
    options.async_io = true;
    db_->MultiGet(options, db_->DefaultColumnFamily(), kTogether, keys.data(), values.data(),
                  statuses.data());
    for (uint64_t i = 0; i < kTogether; ++i) {
      ASSERT_TRUE(statuses[i].ok()) << statuses[i].ToString();
      EXPECT_TRUE(values[i] == RowValue(i * (rows / kTogether))) << i;
    }
  }

  test::TempDir directory_;
  const std::string here_ = directory_ / "db";
  const std::string there_ = directory_ / "other_host";
  const std::string file_ = directory_ / "export";
  std::unique_ptr<NbdServer> server_;
  std::shared_ptr<FlashCache> tier_;
  std::unique_ptr<rocksdb::DB> db_;
};

TEST_F(FlashNbdTest, ADatabaseThatMovesFindsItsTierWarm) {
  OpenWarm(here_);
  Fill(kRows);
  EXPECT_GT(ReadAll(kRows), kBlocks * 9 / 10) << "nothing is warm yet";
  Close();
  test::CopyTree(here_, there_);
  fs::remove_all(here_);
  Open(there_, /*with_tier=*/false);
  EXPECT_GT(ReadAll(kRows), kBlocks * 9 / 10) << "without the tier its files are read";
  OpenWarm(there_);
  EXPECT_LT(ReadAll(kRows), kBlocks * 2 / 10) << "the last MiB had not left the block cache";
  EXPECT_GT(tier_->figures().flash_hits, kBlocks * 8 / 10);
}

TEST_F(FlashNbdTest, AMultiGetFindsItsBlocksThere) {
  OpenWarm(here_);
  Fill(kRows);
  ReadAll(kRows);
  OpenWarm(here_);
  ReadTogether(kRows);
  EXPECT_GE(tier_->figures().flash_hits, 24U) << "the last MiB had not left the block cache";
}

TEST_F(FlashNbdTest, AServerThatWasNeverThereCostsTheTierAndNothingElse) {
  server_->Kill();
  Open(here_);
  Fill(2000);
  EXPECT_FALSE(tier_->store()->AwaitOpen());
  ReadAll(2000);
  EXPECT_STREQ(tier_->figures().state, "off");
}

TEST_F(FlashNbdTest, AServerThatDiesCostsTheTierAndNothingElse) {
  OpenWarm(here_);
  Fill(kRows);
  ReadAll(kRows);
  server_->Kill();
  const auto begin = Clock::now();
  EXPECT_GT(ReadAll(kRows), kBlocks / 2) << "its files are read";
  EXPECT_LT(Clock::now() - begin, seconds(20));
  EXPECT_STREQ(tier_->figures().state, "off");
  ReadAll(kRows);
  // It is there again with the next open.
  Close();
  server_->Start();
  OpenWarm(here_);
  ReadAll(kRows);
}

TEST_F(FlashNbdTest, NobodyWaitsForAServerThatDoesNotAnswer) {
  OpenWarm(here_);
  Fill(2000);
  Close();
  server_->Signal(SIGSTOP);
  const auto begin = Clock::now();
  Open(here_);
  ReadAll(2000);
  EXPECT_LT(Clock::now() - begin, seconds(2)) << "less than it takes to give up the connection";
  EXPECT_FALSE(tier_->store()->AwaitOpen());
  ReadAll(2000);
  server_->Signal(SIGCONT);
}

TEST_F(FlashNbdTest, AnExportWithSomebodyElsesBytesStaysUntouched) {
  server_->Kill();
  test::WriteFile(file_, std::string(64 << 20, 'x'));
  server_->Start();
  Open(here_);
  Fill(2000);
  ReadAll(2000);
  EXPECT_FALSE(tier_->store()->AwaitOpen());
  ReadAll(2000);
  Close();
  EXPECT_TRUE(test::ReadFile(file_) == std::string(64 << 20, 'x'));
}

TEST_F(FlashNbdTest, IsMadeFromItsName) {
  NbdServer server({"file", file_});  // "nbd+unix:///?socket=…", with an equals sign of its own
  std::shared_ptr<rocksdb::SecondaryCache> cache;
  const rocksdb::Status status = rocksdb::SecondaryCache::CreateFromString(
      rocksdb::ConfigOptions(), "id=bloom_lfs_flash;path=" + server.uri() + ";size=64M", &cache);
  ASSERT_TRUE(status.ok()) << status.ToString();
  const std::string printed = cache->GetPrintableOptions();
  EXPECT_NE(printed.find("path: " + server.uri() + "\n"), std::string::npos) << printed;
  EXPECT_TRUE(static_cast<FlashCache*>(cache.get())->store()->AwaitOpen());
}

}  // namespace
}  // namespace bloom_lfs

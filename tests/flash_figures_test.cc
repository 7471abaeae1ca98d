// What a flash tier says of itself: in the figures, in RocksDB's printed options, in its LOG.
#include "plugin/flash/flash_figures.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <sstream>
#include <string>

#include "plugin/figures/figures.h"
#include "plugin/flash/flash_cache.h"
#include "plugin/rocksdb_versions.h"
#include "rocksdb/db.h"
#include "tests/support/files.h"
#include "tests/support/flash_rows.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_env.h"

namespace bloom_lfs {
namespace {

class FlashFiguresTest : public testing::Test {
 protected:
  FlashFiguresTest() {
    flash_.path = directory_ / "tier";
    flash_.size = 64 << 20;
    flash_.memory = 8 << 20;
  }
  void MakeTier() { tier_ = std::make_shared<FlashCache>(flash_); }
  // A database whose blocks go to the tier and come from there.
  void OpenAndRead() {
    MakeTier();
    rocksdb::Options options = OptionsOver(tier_);
    options.env = env_.get();
    ASSERT_TRUE(rocksdb::DB::Open(options, directory_ / "db", OpenInto(&db_)).ok());
    ASSERT_TRUE(tier_->store()->AwaitOpen());
    constexpr uint64_t kRows = 20000;  // 8 MB
    for (uint64_t number = 0; number < kRows; ++number) {
      ASSERT_TRUE(db_->Put({}, RowKey(number), RowValue(number)).ok());
    }
    ASSERT_TRUE(db_->Flush({}).ok());
    ASSERT_TRUE(db_->CompactRange({}, nullptr, nullptr).ok());
    std::string value;
    for (int round = 0; round < 2; ++round) {
      for (uint64_t number = 0; number < kRows; ++number) {
        ASSERT_TRUE(db_->Get({}, RowKey(number), &value).ok());
      }
      Settle();  // all but the log's ring is on the flash
    }
  }
  // One page more than once, and one that is too large.
  void Offer() {
    const std::string page(4000, 'p');
    const std::string too_large(lss::kMaxPageBytes + 1, 'l');
    for (int i = 0; i < 3; ++i) {
      tier_->store()->Insert({1, 2}, {page.data(), page.size()}, 0, 0);
      tier_->store()->Insert({3, 4}, {too_large.data(), too_large.size()}, 0, 0);
    }
  }
  // Until nothing changes any more.
  void Settle() {
    for (int i = 0; i < 3; ++i) {
      tier_->store()->AwaitIdle();
    }
  }
  std::map<std::string, double> Collected() const {
    std::map<std::string, double> figures;
    for (const Figure& figure : CollectFigures()) {
      if (!figure.labels.empty() && figure.labels[0].second == flash_.path) {
        figures[figure.labels.size() == 1 ? figure.name : figure.FullName()] = figure.value;
      }
    }
    return figures;
  }
  std::map<std::string, std::string> Printed() const {
    std::map<std::string, std::string> values;
    std::istringstream lines(tier_->GetPrintableOptions());
    for (std::string line; std::getline(lines, line);) {
      const size_t colon = line.find(": ");
      values[line.substr(4, colon - 4)] = line.substr(colon + 2);
    }
    return values;
  }

  test::TempDir directory_;
  const test::TestEnv env_{"id=bloom_lfs"};
  FlashOptions flash_;
  std::shared_ptr<FlashCache> tier_;
  std::unique_ptr<rocksdb::DB> db_;
};

TEST_F(FlashFiguresTest, TheChannelHasWhatTheTierCounts) {
  ASSERT_NO_FATAL_FAILURE(OpenAndRead());
  Offer();
  Settle();
  const lss::PageFigures tier = tier_->figures();
  ASSERT_GT(tier.flash_hits, 100U);
  ASSERT_GT(tier.admitted_bytes, 0U);
  auto figures = Collected();
  const auto is = [&](const std::string& name, uint64_t value) {
    EXPECT_EQ(figures["bloom_lfs_flash_" + name], static_cast<double>(value)) << name;
  };
  is("hits_total", tier.flash_hits);
  is("memory_hits_total", tier.memory_hits);
  is("misses_total", tier.misses);
  is("inserted_total", tier.inserted);
  is("already_there_total", tier.already_there);
  is("dropped_too_large_total", 3);
  is("dropped_not_ready_total", tier.dropped_not_ready);
  is("admitted_total", tier.admitted_pages);
  is("admitted_bytes_total", tier.admitted_bytes);
  is("written_bytes_total", tier.written_bytes);
  is("cleaned_bytes_total", 0);
  is("checkpoints_total", tier.checkpoints);
  is("recovery_bytes", 0);
  is("blocks_max", tier.pages_max);
  EXPECT_GE(tier.already_there, 2U);
  const double amplification = figures["bloom_lfs_flash_write_amplification"];
  EXPECT_NEAR(amplification,
              static_cast<double>(tier.written_bytes) / static_cast<double>(tier.admitted_bytes),
              1e-9);
  EXPECT_GT(amplification, 1);
  const std::string text = PrometheusText(CollectFigures());
  EXPECT_NE(text.find("\nbloom_lfs_flash_hits_total{path=\"" + flash_.path + "\"} " +
                      std::to_string(tier.flash_hits) + "\n"),
            std::string::npos)
      << text;
  tier_.reset();
  db_.reset();
  EXPECT_TRUE(Collected().empty()) << "they go with the tier";
}

TEST_F(FlashFiguresTest, ATierThatIsOffSaysSoAndWhatItDropped) {
  flash_.path = "/proc/no/such/place";
  MakeTier();
  EXPECT_FALSE(tier_->store()->AwaitOpen());
  Offer();
  auto figures = Collected();
  EXPECT_EQ(figures["bloom_lfs_flash_dropped_not_ready_total"], 6);
  EXPECT_EQ(figures["bloom_lfs_flash_state{path=\"" + flash_.path + "\",state=\"off\"}"], 1);
  EXPECT_EQ(figures["bloom_lfs_flash_state{path=\"" + flash_.path + "\",state=\"open\"}"], 0);
  EXPECT_EQ(Printed()["state"], "off");
  EXPECT_EQ(Printed()["dropped_not_ready"], "6");
}

TEST_F(FlashFiguresTest, PrintedOptionsHaveTheSameNamesAndValues) {
  ASSERT_NO_FATAL_FAILURE(OpenAndRead());
  Offer();
  Settle();
  auto printed = Printed();
  const lss::PageFigures tier = tier_->figures();
  EXPECT_EQ(printed["path"], flash_.path);
  EXPECT_EQ(printed["size"], std::to_string(flash_.size));
  EXPECT_EQ(printed["state"], "open");
  EXPECT_EQ(printed["hits"], std::to_string(tier.flash_hits));
  EXPECT_EQ(printed["misses"], std::to_string(tier.misses));
  EXPECT_EQ(printed["dropped_too_large"], "3");
  EXPECT_EQ(printed["already_there"], std::to_string(tier.already_there));
  EXPECT_EQ(printed["cleaned_bytes"], "0");
  EXPECT_EQ(printed.count("recovery_bytes"), 1U);
  size_t shared = 0;
  for (const auto& [name, value] : Collected()) {
    if (name.find('{') != std::string::npos) {
      continue;  // the states
    }
    std::string given = name.substr(sizeof("bloom_lfs_flash_") - 1);
    if (const size_t total = given.rfind("_total"); total != std::string::npos) {
      given.resize(total);
    }
    ASSERT_EQ(printed.count(given), 1U) << given;
    EXPECT_EQ(printed[given], NumberText(value)) << given;
    ++shared;
  }
  EXPECT_GT(shared, 20U);
}

// promtool is Debian's package prometheus.
TEST_F(FlashFiguresTest, PrometheusTakesThem) {
  if (access("/usr/bin/promtool", X_OK) != 0) {
    GTEST_SKIP() << "no promtool here";
  }
  MakeTier();
  ASSERT_TRUE(tier_->store()->AwaitOpen());
  const std::string text = directory_ / "figures.prom";
  test::WriteFile(text, PrometheusText(CollectFigures()));
  const std::string said = directory_ / "said";
  EXPECT_EQ(system(("promtool check metrics <" + text + " >" + said + " 2>&1").c_str()), 0);
  EXPECT_EQ(test::ReadFile(said), "");
}

TEST_F(FlashFiguresTest, RocksDbsLogEndsWithTheTier) {
  ASSERT_NO_FATAL_FAILURE(OpenAndRead());
  const lss::PageFigures tier = tier_->figures();
  tier_.reset();  // only the database has it
  db_.reset();
  const std::string log = test::ReadFile(directory_ / "db/LOG");
  const size_t line = log.find("bloom_lfs, this process so far");
  ASSERT_NE(line, std::string::npos);
  const size_t at = log.find("; flash tier " + flash_.path + ": ", line);
  ASSERT_NE(at, std::string::npos) << log.substr(line);
  const std::string said = log.substr(at, log.find('\n', at) - at);
  EXPECT_NE(said.find(std::to_string(tier.hits()) + " hits of " +
                      std::to_string(tier.hits() + tier.misses) + " look-ups ("),
            std::string::npos)
      << said;
  EXPECT_NE(said.find(" dropped, open"), std::string::npos) << said;
}

}  // namespace
}  // namespace bloom_lfs

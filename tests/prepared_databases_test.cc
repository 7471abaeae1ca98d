#include "db_bench_ext/prepared_databases.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/support/temp_dir.h"

namespace bloom_lfs::bench {
namespace {

std::string Contents(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// The db_bench here is a script that leaves its arguments in the database.
class PreparedDatabasesTest : public testing::Test {
 protected:
  PreparedDatabasesTest() {
    const std::string script = scripts_ / "db_bench";
    std::ofstream(script) << "#!/bin/sh\n"
                             "for a; do case $a in --db=*) db=${a#--db=};; esac; done\n"
                             "echo \"$@\" >>\"$db/arguments\"\n"
                             "case $* in *broken*) exit 1;; esac\n";
    std::filesystem::permissions(script, std::filesystem::perms::owner_all);
    setup_.db_bench = script;
    setup_.plugin_uri = "bloom_lfs";
    preparation_.name = "keys";
    preparation_.benchmarks = "fillseq";
    preparation_.keys = 1000;
  }

  // The database for a run, which must be had.
  std::string ForRun(Arm arm) {
    const Result<std::string> db = databases_.ForRun(preparation_, arm, "db");
    EXPECT_TRUE(db.ok()) << db.error().message;
    return db.ok() ? db.value() : "";
  }

  const test::TempDir scripts_;
  const test::TempDir disk_;
  const SignalsAsResults signals_;
  bench::Setup setup_;  // not testing::Test::Setup
  Preparation preparation_;
  const Result<WorkDirectory> directory_ = WorkDirectory::Create(disk_.path(), 0);
  PreparedDatabases databases_{&setup_, &directory_.value()};
};

TEST_F(PreparedDatabasesTest, EachSideFillsItsOwnFilesAndFillsThemOnce) {
  const std::string stock = ForRun(Arm::kStock);
  const std::string plugin = ForRun(Arm::kPlugin);
  EXPECT_NE(stock, plugin);
  const std::string filled = Contents(stock + "/arguments");
  EXPECT_NE(filled.find("--benchmarks=fillseq"), std::string::npos) << filled;
  EXPECT_NE(filled.find("--num=1000"), std::string::npos) << filled;
  EXPECT_EQ(filled.find("--fs_uri"), std::string::npos) << filled;
  EXPECT_NE(Contents(plugin + "/arguments").find("--fs_uri=bloom_lfs"), std::string::npos);

  EXPECT_EQ(ForRun(Arm::kStock), stock);
  EXPECT_EQ(Contents(stock + "/arguments"), filled);
}

TEST_F(PreparedDatabasesTest, ARunThatWritesGetsAFreshCopyOfWhatStockWrote) {
  preparation_.use = Preparation::Use::kCopyOfStock;
  const std::string first = ForRun(Arm::kPlugin);
  const std::string filled = Contents(first + "/arguments");
  EXPECT_EQ(filled.find("--fs_uri"), std::string::npos) << filled;
  std::ofstream(first + "/arguments") << "changed by the run";
  std::ofstream(first + "/another") << "written by the run";

  const std::string second = ForRun(Arm::kStock);
  EXPECT_EQ(Contents(second + "/arguments"), filled);
  EXPECT_FALSE(std::filesystem::exists(second + "/another"));
}

TEST_F(PreparedDatabasesTest, AFillThatFailedIsAnErrorAndIsTriedAgain) {
  preparation_.arguments = {"--broken"};
  EXPECT_FALSE(databases_.ForRun(preparation_, Arm::kStock, "db").ok());
  preparation_.arguments.clear();
  EXPECT_EQ(Contents(ForRun(Arm::kStock) + "/arguments").find("--broken"), std::string::npos);
}

}  // namespace
}  // namespace bloom_lfs::bench

// bloom_lfs top: what a running process does with the plugin, seen from outside.
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "lss/base/posix_file.h"
#include "lss/base/unique_fd.h"
#include "lss/figures/figures_board.h"
#include "plugin/rocksdb_versions.h"
#include "plugin/tool/top_rows.h"
#include "tests/support/child_process.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_env.h"
#include "tests/support/tool.h"

namespace bloom_lfs::test {
namespace {

constexpr int kRows = 200;

// args: database. Writes synced rows, says so, and waits to be killed.
int WriterMain(const std::vector<std::string>& args) {
  const TestEnv env("id=bloom_lfs");
  rocksdb::Options options;
  options.env = env.get();
  options.create_if_missing = true;
  std::unique_ptr<rocksdb::DB> db;
  rocksdb::Status status = rocksdb::DB::Open(options, args.at(0), OpenInto(&db));
  rocksdb::WriteOptions synced;
  synced.sync = true;
  for (int row = 0; row < kRows && status.ok(); ++row) {
    status = db->Put(synced, "row " + std::to_string(row), std::string(100, 'v'));
  }
  Report(status.ok() ? "written" : status.ToString());
  Await();
  return 0;
}
const RegisterChild kWriter("top_writer", WriterMain);

int IdlerMain(const std::vector<std::string>& /*args*/) {
  Report("idle");
  Await();
  return 0;
}
const RegisterChild kIdler("top_idler", IdlerMain);

TEST(TopToolTest, ShowsWhatAProcessDoes) {
  const TempDir dir;
  ChildProcess child("top_writer", {dir / "db"});
  ASSERT_EQ(child.Hear(), "written");
  const std::string top = "top --interval=0.05 " + std::to_string(child.pid());
  const ToolOutcome outcome = Tool(top + " --json");
  ASSERT_EQ(outcome.code, 0) << outcome.output;
  const auto rows = outcome.json()["rows"];
  ASSERT_EQ(rows.size(), 1U) << outcome.output;
  EXPECT_EQ(rows[0]["pid"], child.pid());
  EXPECT_EQ(rows[0]["kind"], "wal");
  EXPECT_EQ(rows[0]["hot"].get<int>() + rows[0]["cold"].get<int>(), 1);
  EXPECT_EQ(rows[0]["unwritten_bytes"], 0);
  EXPECT_EQ(rows[0]["final_errors"], 0);
  const auto by_file = Tool(top + " --by=file --sort=syncs --json").json()["rows"];
  ASSERT_EQ(by_file.size(), 1U);
  EXPECT_NE(by_file[0]["file"].get<std::string>().find("/db/"), std::string::npos);
  const ToolOutcome table = Tool(top + " --count=2");
  EXPECT_EQ(table.code, 0);
  EXPECT_NE(table.output.find("SYNCS/s"), std::string::npos);
  EXPECT_EQ(table.output.find('\033'), std::string::npos) << "this is no terminal";
  const auto all = Tool("top --interval=0.05 --json").json()["rows"];
  EXPECT_TRUE(std::any_of(all.begin(), all.end(),
                          [&](const auto& row) { return row["pid"] == child.pid(); }));
  child.Kill();
}

// Has what calls itself a board and is none, says so, and waits.
int PretenderMain(const std::vector<std::string>& /*args*/) {
  const lss::UniqueFd fd(memfd_create("bloom_lfs_figures", MFD_CLOEXEC));
  const bool is_written = write(fd.get(), "none", 4) == 4;
  Report(is_written ? "pretends" : "failed");
  Await();
  return 0;
}
const RegisterChild kPretender("top_pretender", PretenderMain);

TEST(TopToolTest, OneThatPretendsIsNamedAndTheOthersAreShown) {
  const TempDir dir;
  ChildProcess child("top_writer", {dir / "db"});
  ASSERT_EQ(child.Hear(), "written");
  ChildProcess pretender("top_pretender", {});
  ASSERT_EQ(pretender.Hear(), "pretends");
  const ToolOutcome outcome = Tool("top --interval=0.05 --json");
  EXPECT_EQ(outcome.code, 2) << outcome.output;
  EXPECT_NE(outcome.output.find("/proc/" + std::to_string(pretender.pid())), std::string::npos)
      << outcome.output;
  const auto rows = outcome.json()["rows"];
  EXPECT_TRUE(std::any_of(rows.begin(), rows.end(),
                          [&](const auto& row) { return row["pid"] == child.pid(); }));
  pretender.Kill();
  child.Kill();
}

// Its board says for ever that a stream is coming or going.
int ChangerMain(const std::vector<std::string>& /*args*/) {
  lss::BoardCopy copy = lss::FiguresBoard().Copy();
  std::string bytes(reinterpret_cast<const char*>(copy.words()), lss::BoardCopy::Bytes(0));
  bytes[offsetof(lss::BoardHeader, changes)] |= 1;
  bytes[offsetof(lss::BoardHeader, process)] = 1;  // a log of stock's, so that there is a row
  const lss::UniqueFd fd(memfd_create(lss::FiguresBoard::kName, MFD_CLOEXEC));
  Report(lss::WriteFully(fd.get(), "board", 0, bytes).ok() ? "changes" : "failed");
  Await();
  return 0;
}
const RegisterChild kChanger("top_changer", ChangerMain);

TEST(TopToolTest, FiguresThatChangeAllTheWhileAreShownAndSaidToBeUncertain) {
  ChildProcess changer("top_changer", {});
  ASSERT_EQ(changer.Hear(), "changes");
  const ToolOutcome outcome = Tool("top --interval=0.05 --json");
  const auto uncertain = outcome.json()["processes_uncertain"];
  EXPECT_EQ(std::count(uncertain.begin(), uncertain.end(), changer.pid()), 1) << outcome.output;
  const auto rows = outcome.json()["rows"];
  EXPECT_TRUE(std::any_of(rows.begin(), rows.end(), [&](const auto& row) {
    return row["pid"] == changer.pid() && row["fallbacks"] == 1;
  })) << outcome.output;
  const ToolOutcome table = Tool("top --interval=0.05 " + std::to_string(changer.pid()));
  EXPECT_NE(table.output.find("its sums may have one of them twice"), std::string::npos)
      << table.output;
  changer.Kill();
}

// A copy of the tool, as the build's directory may be closed to others.
TEST(TopToolTest, AnotherUsersProcessIsRootsToLookAt) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "needs root, to be somebody else";
  }
  const TempDir dir;
  ChildProcess child("top_writer", {dir / "db"});
  ASSERT_EQ(child.Hear(), "written");
  char copy[] = "/tmp/bloom_lfs_top.XXXXXX";
  ASSERT_NE(mkdtemp(copy), nullptr);
  ASSERT_EQ(chmod(copy, 0755), 0);
  // It looks for the plugin's library one directory above its own, as the build has them.
  const std::filesystem::path build =
      std::filesystem::path(BLOOM_LFS_TOOL).parent_path().parent_path();
  const std::string tool = std::string(copy) + "/bin/bloom_lfs";
  std::filesystem::create_directory(std::string(copy) + "/bin");
  std::filesystem::copy_file(BLOOM_LFS_TOOL, tool);
  std::filesystem::copy_file(build / "libbloom_lfs_plugin.so",
                             std::string(copy) + "/libbloom_lfs_plugin.so");
  // A user whom no other process has.
  const std::string nobody = std::to_string(1000000000 + getpid());
  const auto as_nobody = [&](const std::string& words) {
    return Shell("setpriv --reuid=" + nobody + " --regid=" + nobody + " --clear-groups " + tool +
                 " " + words);
  };
  const ToolOutcome one = as_nobody("top --interval=0.05 " + std::to_string(child.pid()));
  EXPECT_EQ(one.code, 2) << one.output;
  EXPECT_NE(one.output.find("process " + std::to_string(child.pid()) +
                            " belongs to somebody else: look at it as its user, or as root"),
            std::string::npos)
      << one.output;
  const ToolOutcome all = as_nobody("top --interval=0.05");
  EXPECT_EQ(all.code, 2) << all.output;
  EXPECT_NE(all.output.find("processes of other users cannot be looked at, root can"),
            std::string::npos)
      << all.output;
  std::filesystem::remove_all(copy);
  child.Kill();
}

TEST(TopToolTest, SaysWhyThereIsNothingToShow) {
  ChildProcess child("top_idler", {});
  ASSERT_EQ(child.Hear(), "idle");
  const ToolOutcome idle = Tool("top --interval=0.05 " + std::to_string(child.pid()));
  EXPECT_EQ(idle.code, 2);
  EXPECT_NE(idle.output.find("has written no log"), std::string::npos) << idle.output;
  child.Kill();
  for (const char* const words :
       {"top 0", "top -- -5", "top 99999999999999", "top x1", "top 1 2", "top --by=colour",
        "top --sort=beauty", "top --interval=0", "top --interval=nan", "top --interval=soon"}) {
    const ToolOutcome outcome = Tool(words);
    EXPECT_EQ(outcome.code, 2) << words << ": " << outcome.output;
    EXPECT_FALSE(outcome.output.empty()) << words;
  }
  EXPECT_NE(Tool("top 4194304").output.find("no process"), std::string::npos);
}

// Two looks at a board, made by hand.
class TopRowsTest : public testing::Test {
 protected:
  tool::WatchedProcess Look(int64_t at_s) {
    tool::WatchedProcess process;
    process.pid = 7;
    process.command = "service";
    process.read_at_ns = at_s * 1'000'000'000;
    process.board = board_.Copy();
    return process;
  }
  lss::FiguresBoard board_;
  std::shared_ptr<lss::StreamFigures> log_ = board_.Add(lss::StreamKind::kLog, "/db/000004.log");
};

TEST_F(TopRowsTest, RatesAreOfTheTimeBetween) {
  log_->appended_bytes.Set(500);
  log_->sync_time.Add(10'000'000'000);  // long ago
  const tool::WatchedProcess before = Look(10);
  log_->appends.AddAlone(40);
  log_->appended_bytes.AddAlone(4000);
  log_->in_file.Set(4400);
  log_->written(lss::WrittenAs::kTail).Add(4000);
  log_->written(lss::WrittenAs::kAgain).Add(2000);
  log_->syncs.Add(20);
  log_->coalesced_syncs.Add(5);
  for (int i = 0; i < 99; ++i) {
    log_->sync_time.Add(150'000);  // 100 to 200 µs
  }
  log_->sync_time.Add(900'000'000);
  log_->wait(lss::WaitFor::kDevice).Add(1'000);
  log_->wait(lss::WaitFor::kZeroing).Add(5'000);
  const tool::WatchedProcess after = Look(12);
  for (const bool by_file : {false, true}) {
    const std::vector<tool::TopRow> rows =
        by_file ? RowsByFile(&before, after) : RowsByProcess(&before, after);
    ASSERT_EQ(rows.size(), 1U);
    const tool::TopRow& row = rows[0];
    EXPECT_EQ(row.appends, 20);
    EXPECT_EQ(row.appended_bytes, 2000);
    EXPECT_EQ(row.syncs, 10);
    EXPECT_EQ(row.coalesced, 0.25);
    EXPECT_EQ(row.sync_p99_us, 200);
    EXPECT_EQ(row.waits_for, "zeroing");
    EXPECT_EQ(row.written_per_byte, 1.5);
    EXPECT_EQ(row.unwritten_bytes, 100U);
    EXPECT_EQ(row.cold, 1U);
    EXPECT_EQ(row.file, by_file ? "/db/000004.log" : "");
  }
}

TEST_F(TopRowsTest, AnotherProcessWithTheNumberIsNoEarlierLook) {
  log_->appends.AddAlone(40);
  tool::WatchedProcess before = Look(10);
  before.pid = 8;
  EXPECT_EQ(RowsByProcess(&before, Look(12)).at(0).appends, 0);
  EXPECT_EQ(RowsByProcess(nullptr, Look(12)).at(0).appends, 0);
}

TEST_F(TopRowsTest, ASyncUnderWayShowsForHowLong) {
  log_->syncs_under_way.Set(2);
  log_->sync_waits_since_ns.Set(4'000'000'000);
  const tool::TopRow row = RowsByProcess(nullptr, Look(10)).at(0);
  EXPECT_EQ(row.sync_under_way_s, 6);
}

TEST_F(TopRowsTest, TheLargestComeFirst) {
  std::vector<tool::TopRow> rows(3);
  rows[0].syncs = 1;
  rows[1].syncs = 3;
  rows[2].syncs = 2;
  rows[0].file = "b";
  rows[1].file = "c";
  rows[2].file = "a";
  ASSERT_TRUE(tool::SortRows("syncs", &rows));
  EXPECT_EQ(rows[0].syncs, 3);
  EXPECT_EQ(rows[2].syncs, 1);
  ASSERT_TRUE(tool::SortRows("file", &rows));
  EXPECT_EQ(rows[0].file, "a");
  EXPECT_FALSE(tool::SortRows("beauty", &rows));
  for (const std::string& column : tool::SortColumns()) {
    EXPECT_TRUE(tool::SortRows(column, &rows)) << column;
  }
}

}  // namespace
}  // namespace bloom_lfs::test

// bloom_lfs inspect, as an operator calls it: beside a database that is open, after a kill, over
// rings of every kind, and by somebody who may not read.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lss/base/unique_fd.h"
#include "tests/support/child_process.h"
#include "tests/support/database.h"
#include "tests/support/dead_log.h"
#include "tests/support/files.h"
#include "tests/support/row_database.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_env.h"
#include "tests/support/tool.h"

namespace bloom_lfs::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using lss::test::DeadLog;

// args: URI, database. Writes rows, synced and not, says so; a further one at each line it hears.
int WriterMain(const std::vector<std::string>& args) {
  const TestEnv env(args.at(0));
  std::unique_ptr<rocksdb::DB> db;
  rocksdb::Status status = OpenRows(env, args.at(1), &db, true);
  for (int row = 0; row < 60 && status.ok(); ++row) {
    status = PutRow(db.get(), row, row < 30);
  }
  Report(status.ok() ? "written" : status.ToString());
  for (int row = 60; !Await().empty(); ++row) {
    Report(PutRow(db.get(), row, true).ToString());
  }
  return 0;
}
const RegisterChild kWriter("inspect_writer", WriterMain);

// args: words for the tool. Calls it as a user with no special rights.
int StrangerMain(const std::vector<std::string>& args) {
  if (setgid(65534) != 0 || setuid(65534) != 0) {
    return 99;
  }
  const ToolOutcome outcome = Tool(args.at(0));
  Report(outcome.json().dump());
  return outcome.code;
}
const RegisterChild kStranger("inspect_stranger", StrangerMain);

// args: a file. Locks it as an owner does, says so, and waits.
int HolderMain(const std::vector<std::string>& args) {
  const lss::UniqueFd fd(open(args.at(0).c_str(), O_RDWR | O_CLOEXEC));
  struct flock whole = {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  Report(fcntl(fd.get(), F_SETLK, &whole) == 0 ? "locked" : "not locked");
  Await();
  return 0;
}
const RegisterChild kHolder("inspect_holder", HolderMain);

class InspectToolTest : public testing::Test {
 protected:
  ToolOutcome Inspect() const { return Tool("inspect --json " + db_); }

  TempDir dir_;
  const std::string db_ = fs::canonical(dir_.path()).string() + "/db";
};

TEST_F(InspectToolTest, AnOpenDatabaseIsInUseAndKeepsItsLocks) {
  ChildProcess child("inspect_writer", {"id=bloom_lfs;idle_flush_ms=60000", db_});
  ASSERT_EQ(child.Hear(), "written");
  const ToolOutcome outcome = Inspect();
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  const Json json = outcome.json();
  EXPECT_EQ(json["state"], "in use");
  EXPECT_FALSE(json["ready_for_stock"]);
  EXPECT_EQ(json["in_use_by"]["pid"], child.pid());
  ASSERT_EQ(json["logs"].size(), 1U);
  ASSERT_EQ(json["rings"].size(), 1U);
  const Json ring = json["rings"][0];
  EXPECT_EQ(ring["state"], "live");
  EXPECT_EQ(ring["case"], "R2 owner alive");
  EXPECT_EQ(ring["log"], json["logs"][0]["path"]);
  EXPECT_EQ(ring["owner"]["pid"], child.pid());
  EXPECT_NE(std::string(ring["owner"]["command"]).find("inspect_writer"), std::string::npos);
  const Json log = json["logs"][0];
  EXPECT_GT(log["durable_bytes"], 0);
  EXPECT_GE(log["written_bytes"], log["durable_bytes"]);
  EXPECT_GT(log["logical_bytes"], log["durable_bytes"]) << "the last rows were not synced";
  EXPECT_EQ(log["logical_bytes"], ring["accepted_bytes"]);
  EXPECT_GT(log["allocated_bytes"], 0);
  EXPECT_NE(Tool("inspect " + db_).output.find("in use"), std::string::npos);

  child.Say("another");
  EXPECT_EQ(child.Hear(), "OK");
  EXPECT_EQ(Inspect().json()["rings"][0]["owner"]["pid"], child.pid()) << "its lock is there still";
  EXPECT_EQ(Tool("recover " + db_).code, 2) << "and so is RocksDB's";
}

TEST_F(InspectToolTest, AKilledOneIsToBeRecoveredAndNothingIsTouched) {
  {
    ChildProcess child("inspect_writer", {"id=bloom_lfs;idle_flush_ms=60000", db_});
    ASSERT_EQ(child.Hear(), "written");
    child.Kill();
  }
  const Tree before = ListTree(db_);
  const ToolOutcome outcome = Inspect();
  EXPECT_EQ(outcome.code, 1) << outcome.output;
  const Json json = outcome.json();
  EXPECT_EQ(json["state"], "to be recovered");
  EXPECT_FALSE(json["ready_for_stock"]);
  EXPECT_TRUE(json["in_use_by"].is_null());
  ASSERT_EQ(json["rings"].size(), 1U);
  EXPECT_EQ(json["rings"][0]["state"], "orphaned");
  EXPECT_EQ(json["rings"][0]["case"], "R3 process killed");
  EXPECT_NE(std::string(json["rings"][0]["opening"]).find("to the file"), std::string::npos);
  EXPECT_FALSE(std::string(json["rings"][0]["why"]).empty());
  EXPECT_FALSE(json["rings"][0]["owner"]["alive"]);
  EXPECT_GT(json["logs"][0]["logical_bytes"], json["logs"][0]["written_bytes"]);
  const ToolOutcome text = Tool("inspect " + db_);
  EXPECT_EQ(text.code, 1);
  EXPECT_NE(text.output.find("R3 process killed: opening writes"), std::string::npos)
      << text.output;
  EXPECT_EQ(Difference(before, ListTree(db_)), "");

  const uint64_t whole = json["logs"][0]["logical_bytes"];
  ASSERT_EQ(Tool("recover " + db_).code, 0);
  const ToolOutcome after = Inspect();
  EXPECT_EQ(after.code, 0) << after.output;
  EXPECT_EQ(after.json()["state"], "ready");
  EXPECT_TRUE(after.json()["ready_for_stock"]);
  EXPECT_EQ(after.json()["logs"][0]["file_bytes"], whole) << "as was foretold";
}

TEST_F(InspectToolTest, AClosedOneIsReady) {
  { Database(db_, With::kPlugin).Write(0, 50); }
  const ToolOutcome outcome = Inspect();
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_TRUE(outcome.json()["ready_for_stock"]);
  EXPECT_TRUE(outcome.json()["rings"].empty());
  EXPECT_GT(outcome.json()["logs"][0]["logical_bytes"], 0);
}

TEST_F(InspectToolTest, WhereNoDatabaseIsNothingIsSaidToBeReady) {
  mkdir(db_.c_str(), 0755);
  const ToolOutcome outcome = Tool("inspect " + db_);
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_NE(outcome.output.find("no database is here (there is no CURRENT), and no log"),
            std::string::npos)
      << outcome.output;
  EXPECT_EQ(Inspect().json()["state"], "empty");
}

TEST_F(InspectToolTest, LogsThatAreElsewhereAreNamed) {
  const std::string logs = db_ + "_logs";
  {
    Database(db_, With::kPlugin, [&](rocksdb::Options* options) {
      options->wal_dir = logs;
    }).Write(0, 5);
  }
  WriteFile(db_ + "/OPTIONS-000001", "  wal_dir=/\n");  // older ones
  EXPECT_EQ(Inspect().json()["logs_elsewhere"], logs);
  EXPECT_NE(Tool("inspect " + db_).output.find(logs), std::string::npos);
  EXPECT_TRUE(Tool("inspect --json " + logs).json()["logs_elsewhere"].is_null());
}

TEST_F(InspectToolTest, OneThatStockRocksDbHasOpenIsInUse) {
  Database db(db_, With::kStock);
  db.Write(0, 10);
  const ToolOutcome outcome = Inspect();
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_EQ(outcome.json()["state"], "in use");
  EXPECT_FALSE(outcome.json()["ready_for_stock"]);
  EXPECT_EQ(outcome.json()["in_use_by"]["pid"], getpid());
}

struct RingKind {
  const char* name;
  std::function<void(DeadLog*)> before;
  std::function<void(const std::string& log, const std::string& ring)> after;
  const char* ring_case;
  const char* ring_state;
  int code;
  const char* state;
};

const std::vector<RingKind>& RingKinds() {
  using Path = const std::string&;
  static const auto* const kinds = new std::vector<RingKind>{
      {"Killed", nullptr, nullptr, "R3 process killed", "orphaned", 1, "to be recovered"},
      {"Closed",
       [](DeadLog* log) {
         log->hi_stable = log->durable = log->stream.size();
         log->state = lss::RingState::kClosed;
       },
       nullptr, "R4 closed", "closed", 1, "to be recovered"},
      {"Restarted", nullptr, [](Path, Path ring) { lss::test::RestartMachine(ring); },
       "R10 not used", "orphaned", 1, "to be recovered"},
      {"LogGone", nullptr, [](Path log, Path) { fs::remove(log); }, "R12 orphan", "orphaned", 1,
       "to be recovered"},
      {"Damaged", nullptr,
       [](Path, Path ring) {
         lss::test::EditRing(ring, [](lss::RingHeader* header) { header->fixed.magic[0] ^= 1; });
       },
       "R6 damaged", "damaged or unfinished", 1, "to be recovered"},
      {"Empty", nullptr, [](Path, Path ring) { fs::resize_file(ring, 0); }, "R1 unfinished",
       "damaged or unfinished", 1, "to be recovered"},
      {"Future", nullptr,
       [](Path, Path ring) {
         lss::test::RewriteRing(ring,
                                [](lss::RingHeaderFixed* fixed) { fixed->format_version = 1000; });
       },
       "R8 future version", "damaged or unfinished", 1, "damaged"},
      {"Stranger", nullptr, [](Path, Path ring) { chmod(ring.c_str(), 0666); }, "R15 not trusted",
       "not trusted", 1, "untrusted ring"},
  };
  return *kinds;
}

class InspectRingTest : public testing::TestWithParam<RingKind> {};

TEST_P(InspectRingTest, IsNamedWithItsCase) {
  const TempDir dir;
  const std::string path = dir / "000007.log";
  DeadLog log;
  log.stream = lss::test::Stream(6000);
  log.hi_stable = 3000;
  if (GetParam().before != nullptr) {
    GetParam().before(&log);
  }
  const std::string ring = log.MakeAt(path);
  if (GetParam().after != nullptr) {
    GetParam().after(path, ring);
  }
  const Tree before = ListTree(dir.path());
  const ToolOutcome outcome = Tool("inspect --json " + dir.path());
  EXPECT_EQ(outcome.code, GetParam().code) << outcome.output;
  const Json json = outcome.json();
  EXPECT_EQ(json["state"], GetParam().state);
  ASSERT_EQ(json["rings"].size(), 1U);
  EXPECT_EQ(json["rings"][0]["case"], GetParam().ring_case);
  EXPECT_EQ(json["rings"][0]["state"], GetParam().ring_state);
  if (fs::exists(path)) {
    const bool counts = std::string(GetParam().ring_case) == "R3 process killed";
    const uint64_t in_file = fs::file_size(path);
    EXPECT_EQ(json["logs"][0]["file_bytes"], in_file);
    EXPECT_EQ(json["logs"][0]["logical_bytes"], counts ? log.stream.size() : in_file);
  }
  EXPECT_EQ(Difference(before, ListTree(dir.path())), "");
  // What the tool says is what is done.
  EXPECT_EQ(Tool("recover --dry-run " + dir.path()).code == 0, json["ready_for_stock"]);
}

INSTANTIATE_TEST_SUITE_P(Cases, InspectRingTest, testing::ValuesIn(RingKinds()),
                         [](const auto& kind) { return std::string(kind.param.name); });

// Who opens the database has its lock, so nobody else can be the ring's owner.
TEST_F(InspectToolTest, AnOwnerIsBelievedUnlessTheDatabaseIsLockedByNobody) {
  fs::create_directory(db_);
  DeadLog log;
  log.stream = lss::test::Stream(6000);
  log.hi_stable = 3000;
  const std::string ring = log.MakeAt(db_ + "/000007.log");
  ChildProcess holder("inspect_holder", {ring});
  ASSERT_EQ(holder.Hear(), "locked");
  EXPECT_EQ(Inspect().json()["rings"][0]["case"], "R2 owner alive") << "a directory of logs";
  WriteFile(db_ + "/LOCK", "");
  const ToolOutcome outcome = Inspect();
  EXPECT_EQ(outcome.code, 1) << outcome.output;
  EXPECT_EQ(outcome.json()["rings"][0]["case"], "R3 process killed");
  EXPECT_EQ(outcome.json()["rings"][0]["owner"]["pid"], holder.pid());
}

TEST_F(InspectToolTest, LeftoversAreListed) {
  { Database(db_, With::kPlugin).Write(0, 5); }
  fs::create_directory(db_ + "/.bloom_lfs");
  WriteFile(db_ + "/.bloom_lfs/0000000000000007.ring.new", "");
  WriteFile(db_ + "/.bloom_lfs/0000000000000008.ring.2.aside", "bytes");
  const ToolOutcome outcome = Inspect();
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_EQ(outcome.json()["unfinished"].size(), 1U);
  EXPECT_EQ(outcome.json()["set_aside"].size(), 1U);
}

TEST_F(InspectToolTest, WhatRecoverySetsAsideIsFoundOnce) {
  fs::create_directory(db_);
  DeadLog log;
  log.stream = lss::test::Stream(6000);
  log.hi_stable = 3000;
  log.MakeAt(db_ + "/000007.log");
  fs::remove(db_ + "/000007.log");
  const ToolOutcome outcome = Tool("recover --json " + db_ + " 2>/dev/null");
  EXPECT_EQ(outcome.code, 1) << outcome.output;
  EXPECT_NE(outcome.output.find("without what is in"), std::string::npos) << outcome.output;
  WriteFile(db_ + "/CURRENT", "");
  EXPECT_EQ(Tool("recover " + db_).code, 0);
}

TEST_F(InspectToolTest, ASecondPlaceIsNamed) {
  const std::string place = dir_ / "place";
  const std::string uri = "id=bloom_lfs;second_mode=group;second_place=" + place +
                          ";second_bytes=16M;second_catch_up_ms=3600000";
  {
    ChildProcess child("inspect_writer", {uri, db_});
    ASSERT_EQ(child.Hear(), "written");
    const Json live = Inspect().json();
    EXPECT_EQ(live["state"], "in use");
    EXPECT_EQ(live["second_place"]["place"], place);
    EXPECT_EQ(live["second_place"]["in_use_by"]["pid"], child.pid());
    child.Kill();
  }
  for (const auto& entry : fs::directory_iterator(db_ + "/.bloom_lfs")) {
    if (entry.path().extension() == ".ring") {
      fs::remove(entry.path());  // the power is gone
    }
  }
  const ToolOutcome outcome = Inspect();
  EXPECT_EQ(outcome.code, 1) << outcome.output;
  EXPECT_EQ(outcome.json()["state"], "to be recovered");
  EXPECT_EQ(outcome.json()["second_place"]["place"], place);
  EXPECT_TRUE(outcome.json()["second_place"]["in_use_by"].is_null());
}

TEST_F(InspectToolTest, WhoMayNotReadIsToldWhat) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "needs root";
  }
  ASSERT_EQ(chmod(dir_.path().c_str(), 0755), 0);
  {
    ChildProcess child("inspect_writer", {"id=bloom_lfs", db_});
    ASSERT_EQ(child.Hear(), "written");
    const std::string log = NewestLog(db_);
    ASSERT_EQ(chmod(log.c_str(), 0600), 0);
    ASSERT_EQ(chmod((db_ + "/.bloom_lfs").c_str(), 0700), 0);
    for (const char* command : {"inspect", "verify"}) {
      ChildProcess stranger("inspect_stranger", {std::string(command) + " --json " + db_});
      const Json json = Json::parse(stranger.Hear());
      EXPECT_EQ(stranger.Wait(), 2) << json.dump(1);
      EXPECT_NE(json["unreadable"].dump().find(log), std::string::npos) << json.dump(1);
      EXPECT_NE(json["errors"].dump().find("Permission denied"), std::string::npos);
    }
  }
  ASSERT_EQ(chmod(db_.c_str(), 0700), 0);
  ChildProcess stranger("inspect_stranger", {"inspect --json " + db_});
  stranger.Hear();
  EXPECT_EQ(stranger.Wait(), 2);
}

TEST_F(InspectToolTest, WhatIsNoFileDoesNotHoldItUp) {
  fs::create_directory(db_);
  ASSERT_EQ(mkfifo((db_ + "/000009.log").c_str(), 0644), 0);
  const ToolOutcome outcome = Inspect();
  EXPECT_EQ(outcome.code, 1) << outcome.output;
  EXPECT_NE(outcome.output.find("no regular file"), std::string::npos) << outcome.output;
}

TEST_F(InspectToolTest, NamesDoNotReachTheTerminalAsTheyAre) {
  const std::string odd = dir_ / "od\x1b[31md";
  fs::create_directory(odd);
  ASSERT_EQ(mkfifo((odd + "/000009.log").c_str(), 0644), 0);
  const ToolOutcome outcome = Tool("inspect '" + odd + "'");
  EXPECT_EQ(outcome.code, 1) << outcome.output;
  EXPECT_EQ(outcome.output.find('\x1b'), std::string::npos) << outcome.output;
}

TEST_F(InspectToolTest, MisuseIsToldByBothCommands) {
  WriteFile(dir_ / "file", "");
  fs::create_directory(db_);
  for (const std::string& command : {std::string("inspect"), std::string("verify")}) {
    for (const std::string& rest : {std::string(), std::string(" a b"), std::string(" --dry-run ."),
                                    std::string(" /no/such/directory"), " " + (dir_ / "file")}) {
      const ToolOutcome outcome = Tool(command + rest);
      EXPECT_EQ(outcome.code, 2) << command << rest << ": " << outcome.output;
      EXPECT_NE(outcome.output.find("bloom_lfs: "), std::string::npos) << command << rest;
    }
  }
}

}  // namespace
}  // namespace bloom_lfs::test

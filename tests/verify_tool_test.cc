// bloom_lfs verify, as an operator calls it: damage is found and placed, a torn tail is told from a
// loss, and what cannot be judged is no damage.
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/child_process.h"
#include "tests/support/database.h"
#include "tests/support/dead_log.h"
#include "tests/support/files.h"
#include "tests/support/row_database.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_env.h"
#include "tests/support/tool.h"
#include "tests/support/wal_builder.h"

namespace bloom_lfs::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr int kLiveRows = 60;

// args: database. Writes rows without a sync behind the first ones, says so, and waits.
int WriterMain(const std::vector<std::string>& args) {
  const TestEnv env("id=bloom_lfs;idle_flush_ms=60000");
  std::unique_ptr<rocksdb::DB> db;
  rocksdb::Status status = OpenRows(env, args.at(0), &db, true);
  for (int row = 0; row < kLiveRows && status.ok(); ++row) {
    status = PutRow(db.get(), row, row < 30);
  }
  Report(status.ok() ? "written" : status.ToString());
  Await();
  return 0;
}
const RegisterChild kWriter("verify_writer", WriterMain);

void Overwrite(const std::string& path, uint64_t offset, const std::string& with) {
  std::string bytes = ReadFile(path);
  ASSERT_LE(offset + with.size(), bytes.size());
  WriteFile(path, bytes.replace(offset, with.size(), with));
}

void Flip(const std::string& path, uint64_t offset, int bits = 1) {
  Overwrite(path, offset, std::string(1, static_cast<char>(ReadFile(path).at(offset) ^ bits)));
}

// `records` batches of one entry, from number `sequence` on.
WalBuilder Log(uint64_t sequence, int records, uint32_t number = 0) {
  WalBuilder log = number == 0 ? WalBuilder() : WalBuilder(number);
  for (int i = 0; i < records; ++i) {
    log.AddBatch(sequence + static_cast<uint64_t>(i), 1, Payload(2000, static_cast<uint32_t>(i)));
  }
  return log;
}

class VerifyToolTest : public testing::Test {
 protected:
  VerifyToolTest() { fs::create_directory(db_); }
  ToolOutcome Verify() const { return Tool("verify --json " + db_); }
  Json VerifyFile(const std::string& name, int code) const {
    const ToolOutcome outcome = Verify();
    EXPECT_EQ(outcome.code, code) << outcome.output;
    const Json json = outcome.json();
    for (const Json& file : json["files"]) {
      if (file["path"] == db_ + "/" + name) {
        return file;
      }
    }
    ADD_FAILURE() << name << " is not in " << outcome.output;
    return Json();
  }
  std::string Put(const std::string& name, const std::string& bytes) const {
    WriteFile(db_ + "/" + name, bytes);
    return db_ + "/" + name;
  }
  // Three logs, all of them needed; 90 rows and two more.
  std::vector<std::string> WriteThreeLogs() const {
    {
      Database db(db_, With::kPlugin);
      db.Write(0, 30);
      db.SwitchLog();
      db.Write(30, 60);
      db.SwitchLog();
      db.Write(60, 90);
    }
    std::vector<std::string> logs;
    for (const std::string& name : LogFiles(db_)) {
      logs.push_back(db_ + "/" + name);
    }
    EXPECT_EQ(logs.size(), 3U);
    return logs;
  }
  std::string WriteBlobs() const {
    {
      Database db(db_, With::kPlugin, [](rocksdb::Options* options) {
        options->enable_blob_files = true;
        options->min_blob_size = 0;
      });
      db.Write(0, 60);
      Require(db->Flush(rocksdb::FlushOptions()));
    }
    for (const auto& entry : fs::directory_iterator(db_)) {
      if (entry.path().extension() == ".blob") {
        return entry.path().string();
      }
    }
    ADD_FAILURE() << "no blob file";
    return "";
  }

  TempDir dir_;
  const std::string db_ = fs::canonical(dir_.path()).string() + "/db";
};

TEST_F(VerifyToolTest, AClosedDatabaseHasNoDamage) {
  WriteThreeLogs();
  const Tree before = ListTree(db_);
  const ToolOutcome outcome = Verify();
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  const Json files = outcome.json()["files"];
  ASSERT_EQ(files.size(), 3U);
  EXPECT_EQ(files[0]["first_sequence"], 1);
  EXPECT_EQ(files[2]["last_sequence"], 92);
  uint64_t records = 0;
  for (const Json& file : files) {
    EXPECT_EQ(file["verdict"], "whole");
    records += file["records"].get<uint64_t>();
  }
  EXPECT_GE(records, 92U);
  EXPECT_TRUE(outcome.json()["first_damage"].is_null());
  EXPECT_EQ(Difference(before, ListTree(db_)), "");
  const ToolOutcome text = Tool("verify " + db_);
  EXPECT_NE(text.output.find("no damage"), std::string::npos) << text.output;
  EXPECT_EQ(text.output.find('\r'), std::string::npos) << "no bar where there is no terminal";
  EXPECT_EQ(text.output.find('\x1b'), std::string::npos);
}

TEST_F(VerifyToolTest, RingsAreReadWithTheirLogsLiveAndOrphaned) {
  ChildProcess child("verify_writer", {db_});
  ASSERT_EQ(child.Hear(), "written");
  const auto expect_all = [&](const char* verdict, const char* ring_case) {
    const ToolOutcome outcome = Verify();
    EXPECT_EQ(outcome.code, 0) << outcome.output;
    const Json file = outcome.json()["files"][0];
    EXPECT_EQ(file["verdict"], verdict);
    EXPECT_EQ(file["ring"], ring_case);
    EXPECT_GT(file["ring_only_bytes"], 0) << "rows that were not synced";
    EXPECT_EQ(file["last_sequence"], kLiveRows);
  };
  expect_all("being written", "R2 owner alive");
  child.Kill();
  expect_all("whole", "R3 process killed");
}

TEST_F(VerifyToolTest, AFlippedByteIsPlacedAndWhatFollowsIsSeen) {
  const std::vector<std::string> logs = WriteThreeLogs();
  const uint64_t flipped = fs::file_size(logs[1]) / 2;
  Flip(logs[1], flipped);
  const ToolOutcome outcome = Verify();
  EXPECT_EQ(outcome.code, 1) << outcome.output;
  const Json damage = outcome.json()["first_damage"];
  EXPECT_EQ(damage["path"], logs[1]);
  EXPECT_LE(damage["offset"], flipped);
  const Json file = outcome.json()["files"][1];
  EXPECT_EQ(file["verdict"], "damaged");
  EXPECT_TRUE(file["lost_acknowledged"]);
  EXPECT_GT(file["whole_again"], flipped);
  EXPECT_EQ(outcome.json()["files"][0]["verdict"], "whole");
  EXPECT_EQ(outcome.json()["files"][2]["verdict"], "whole");
  EXPECT_TRUE(outcome.json()["gaps"].empty()) << "one loss is told once";
  const ToolOutcome text = Tool("verify " + db_);
  EXPECT_NE(text.output.find("acknowledged data is lost"), std::string::npos) << text.output;
}

// Wherever it is, in a log that fits into one block: there is no block to begin anew at.
TEST_F(VerifyToolTest, AnyFlippedByteOfASmallLogIsFound) {
  const WalBuilder log = Log(1, 5);
  const uint64_t third = log.ends()[1];
  for (uint64_t byte = 0; byte < 20; ++byte) {  // header, number, count, a little more
    const std::string path = Put("000004.log", log.bytes());
    Flip(path, third + byte);
    const Json file = VerifyFile("000004.log", 1);
    EXPECT_EQ(file["verdict"], "damaged") << byte;
    EXPECT_TRUE(file["lost_acknowledged"]) << byte;
    EXPECT_EQ(file["offset"], third) << byte;
    EXPECT_EQ(file["whole_again"], log.ends()[2]) << byte;
  }
}

TEST_F(VerifyToolTest, InARecycledLogTooAndOldBytesAreNone) {
  const WalBuilder log = Log(100, 40, 7);
  const WalBuilder old = Log(1, 80, 5);
  const std::string path = Put("000007.log", log.bytes() + old.bytes().substr(log.size()));
  EXPECT_EQ(VerifyFile("000007.log", 0)["verdict"], "whole");
  Flip(path, log.ends()[10] + 50);
  const Json file = VerifyFile("000007.log", 1);
  EXPECT_EQ(file["verdict"], "damaged");
  EXPECT_EQ(file["offset"], log.ends()[10]);
  EXPECT_EQ(file["whole_again"], log.ends()[11]);
}

TEST_F(VerifyToolTest, TheLastRecordOfALogMayBeDamagedAsWell) {
  const WalBuilder log = Log(1, 5);
  const std::string path = Put("000004.log", log.bytes());
  Flip(path, log.size() - 100);
  const Json file = VerifyFile("000004.log", 1);
  EXPECT_EQ(file["verdict"], "damaged") << "no sector of it is missing";
  EXPECT_FALSE(file["lost_acknowledged"]);
}

TEST_F(VerifyToolTest, TornTailsAreNormal) {
  const WalBuilder log = Log(1, 20);
  const std::string bytes = log.bytes();
  const uint64_t last = log.ends()[18];
  const uint64_t sector = (last / 512 + 2) * 512;
  const std::vector<std::string> tails = {
      bytes.substr(0, bytes.size() - 10),                                  // cut
      bytes + std::string(50000, '\0'),                                    // space prepared ahead
      bytes.substr(0, sector) + std::string(bytes.size() - sector, '\0'),  // sectors missing
      bytes.substr(0, last + 3),
  };
  for (const std::string& tail : tails) {
    Put("000004.log", tail);
    const Json file = VerifyFile("000004.log", 0);
    EXPECT_EQ(file["verdict"], "torn tail") << file.dump(1);
    EXPECT_GE(file["records"], 19);
  }
  EXPECT_NE(Tool("verify " + db_).output.find("normal after a crash"), std::string::npos);
}

TEST_F(VerifyToolTest, APageOfZerosWithRecordsBehindItIsALoss) {
  const WalBuilder log = Log(1, 100);
  const std::string path = Put("000004.log", log.bytes());
  Overwrite(path, 65536, std::string(4096, '\0'));
  const Json file = VerifyFile("000004.log", 1);
  EXPECT_TRUE(file["lost_acknowledged"]);
  EXPECT_LE(file["offset"], 65536);
  EXPECT_GE(file["whole_again"], 65536 + 4096);
  EXPECT_NE(std::string(file["what"]).find("are lost"), std::string::npos) << file.dump(1);
}

TEST_F(VerifyToolTest, TheEndOfAnEarlierLogIsMissing) {
  const std::vector<std::string> logs = WriteThreeLogs();
  fs::resize_file(logs[0], fs::file_size(logs[0]) / 2);
  const ToolOutcome outcome = Verify();
  EXPECT_EQ(outcome.code, 1) << outcome.output;
  EXPECT_EQ(outcome.json()["files"][0]["verdict"], "torn tail");
  const uint64_t last = outcome.json()["files"][0]["last_sequence"];
  ASSERT_EQ(outcome.json()["gaps"].size(), 1U);
  EXPECT_EQ(outcome.json()["gaps"][0]["first_missing"], last + 1);
  EXPECT_EQ(outcome.json()["gaps"][0]["last_missing"],
            outcome.json()["files"][1]["first_sequence"].get<uint64_t>() - 1);
}

TEST_F(VerifyToolTest, ALogInBetweenIsMissing) {
  const std::vector<std::string> logs = WriteThreeLogs();
  const Json before = Verify().json()["files"];
  fs::remove(logs[1]);
  const ToolOutcome outcome = Verify();
  EXPECT_EQ(outcome.code, 1) << outcome.output;
  ASSERT_EQ(outcome.json()["gaps"].size(), 1U);
  const Json gap = outcome.json()["gaps"][0];
  EXPECT_EQ(gap["before"], logs[0]);
  EXPECT_EQ(gap["after"], logs[2]);
  EXPECT_EQ(gap["first_missing"], before[1]["first_sequence"]);
  EXPECT_EQ(gap["last_missing"], before[1]["last_sequence"]);
  EXPECT_EQ(outcome.json()["first_damage"]["path"], logs[2]);
}

// RocksDB makes logs that get no rows.
TEST_F(VerifyToolTest, ALogWithoutRowsHidesNoGap) {
  Put("000004.log", Log(1, 5).bytes());
  Put("000005.log", WalBuilder().AddCompressionType().bytes());
  Put("000006.log", Log(6, 5).bytes());
  EXPECT_EQ(Verify().code, 0);
  Put("000006.log", Log(8, 5).bytes());
  const ToolOutcome outcome = Verify();
  EXPECT_EQ(outcome.code, 1) << outcome.output;
  EXPECT_EQ(outcome.json()["gaps"][0]["first_missing"], 6);
}

TEST_F(VerifyToolTest, NumbersThatWereLeftOutByTheDatabaseItselfAreNoLoss) {
  Put("000004.log", WalBuilder(Log(1, 5)).AddBatch(50, 1, "entry").bytes());
  Put("000006.log", Log(100, 5).bytes());
  const ToolOutcome outcome = Verify();
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  ASSERT_EQ(outcome.json()["gaps"].size(), 1U);
  EXPECT_TRUE(outcome.json()["gaps"][0]["explained"]);
}

TEST_F(VerifyToolTest, NumbersThatFallAreDamage) {
  Put("000004.log", WalBuilder(Log(10, 5)).AddBatch(3, 1, "entry").bytes());
  const Json fallen = VerifyFile("000004.log", 1);
  EXPECT_EQ(fallen["verdict"], "damaged");
  EXPECT_FALSE(fallen["lost_acknowledged"]) << "what falls is no record that follows";
  Put("000004.log", Log(10, 5).bytes());
  Put("000006.log", Log(3, 5).bytes());
  const ToolOutcome outcome = Verify();
  EXPECT_EQ(outcome.code, 1) << outcome.output;
  EXPECT_TRUE(outcome.json()["gaps"][0]["falls"]);
}

TEST_F(VerifyToolTest, WhatWasSyncedIsNoTornTail) {
  lss::test::DeadLog log;
  log.stream = Log(1, 20).bytes();
  log.buffer_count = 16;
  log.hi_stable = log.durable = log.stream.size();
  const std::string path = db_ + "/000004.log";
  const std::string ring = log.MakeAt(path);
  lss::test::RestartMachine(ring);
  EXPECT_EQ(VerifyFile("000004.log", 0)["verdict"], "whole");
  Overwrite(path, 8192, std::string(log.stream.size() - 8192, '\0'));
  // The ring of a dead owner may fill the hole again; without its bytes nothing does.
  lss::test::EditRing(ring, [](lss::RingHeader* header) {
    for (uint32_t i = 0; i < header->fixed.buffer_count; ++i) {
      header->base[i].store(lss::kNoBase, std::memory_order_relaxed);
    }
  });
  const Json file = VerifyFile("000004.log", 1);
  EXPECT_EQ(file["verdict"], "damaged");
  EXPECT_TRUE(file["lost_acknowledged"]);
  fs::resize_file(path, 8192);
  EXPECT_EQ(VerifyFile("000004.log", 1)["verdict"], "damaged") << "a short file, too";
}

TEST_F(VerifyToolTest, BlobFiles) {
  const std::string path = WriteBlobs();
  const std::string name = fs::path(path).filename().string();
  const std::string whole = ReadFile(path);
  const Json intact = VerifyFile(name, 0);
  EXPECT_EQ(intact["verdict"], "whole");
  EXPECT_GT(intact["records"], 1);
  for (const uint64_t byte : {uint64_t{0}, uint64_t{35}, whole.size() / 2, whole.size() - 30}) {
    WriteFile(path, whole);
    Flip(path, byte);
    const Json file = VerifyFile(name, 1);
    EXPECT_EQ(file["verdict"], "damaged") << byte << file.dump(1);
    EXPECT_LE(file["offset"], byte);
    EXPECT_EQ(file["lost_acknowledged"], byte < whole.size() - 32) << byte << file.dump(1);
  }
  WriteFile(path, whole.substr(0, whole.size() / 2));
  EXPECT_EQ(VerifyFile(name, 0)["verdict"], "torn tail");
  WriteFile(path, whole + "more");
  EXPECT_EQ(VerifyFile(name, 1)["offset"], whole.size());
  WriteFile(path, Payload(5000));
  EXPECT_EQ(VerifyFile(name, 0)["verdict"], "cannot be judged");
}

TEST_F(VerifyToolTest, EncryptedAndForeignLogsCannotBeJudged) {
  Put("000004.log", Payload(100000));
  EXPECT_EQ(VerifyFile("000004.log", 0)["verdict"], "cannot be judged");
  Put("000004.log", Log(1, 5, 3).bytes());
  EXPECT_EQ(VerifyFile("000004.log", 0)["verdict"], "cannot be judged") << "log 3";
  Put("000004.log", "");
  EXPECT_EQ(VerifyFile("000004.log", 0)["verdict"], "whole") << "empty";
  // The very first record of a log that is one.
  const std::string path = Put("000004.log", Log(1, 50).bytes());
  Flip(path, 6, 0x40);
  EXPECT_EQ(VerifyFile("000004.log", 1)["verdict"], "damaged");
}

TEST_F(VerifyToolTest, CompressedLogsAreCheckedWithoutNumbers) {
  if (!Supports(rocksdb::kZSTD)) {
    GTEST_SKIP() << "needs ZSTD";
  }
  {
    Database db(db_, With::kPlugin,
                [](rocksdb::Options* options) { options->wal_compression = rocksdb::kZSTD; });
    db.Write(0, 60);
  }
  const std::string log = NewestLog(db_);
  const std::string name = fs::path(log).filename().string();
  EXPECT_EQ(VerifyFile(name, 0)["verdict"], "whole");
  Flip(log, fs::file_size(log) / 2);
  EXPECT_EQ(VerifyFile(name, 1)["verdict"], "damaged");
}

TEST_F(VerifyToolTest, ADatabaseThatStockRocksDbHasOpenIsBeingWritten) {
  Database db(db_, With::kStock);
  db.Write(0, 40);
  const ToolOutcome outcome = Verify();
  EXPECT_EQ(outcome.code, 0) << outcome.output;
  EXPECT_TRUE(outcome.json()["in_use"]);
}

}  // namespace
}  // namespace bloom_lfs::test

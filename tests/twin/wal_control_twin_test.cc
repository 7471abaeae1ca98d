// The application decides when bytes get to the log: FlushWAL, SyncWAL, LockWAL, disableWAL.

#include <gtest/gtest.h>
#include <rocksdb/write_batch.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "lss/base/crc32c.h"
#include "tests/support/child_process.h"
#include "tests/support/files.h"
#include "tests/twin/twin_database.h"

namespace bloom_lfs::test {
namespace {

// The newest log as others get to see it now.
void SayLog(TwinSide& side, const std::string& when) {
  const std::string log = NewestLog(side / "db");
  std::string bytes;
  const rocksdb::Status status = rocksdb::ReadFileToString(side.env(), log, &bytes);
  uint64_t size = 0;
  Require(side.env()->GetFileSize(log, &size));
  side.Say("log " + when, status.ToString() + " " + std::to_string(size) + " bytes, " +
                              std::to_string(bytes.size()) + " readable, checksum " +
                              std::to_string(lss::Crc32c(0, bytes.data(), bytes.size())));
}

struct Mode {
  const char* name;
  bool manual_flush;
  bool two_queues;
};

constexpr Mode kModes[] = {{"Default", false, false},
                           {"ManualFlush", true, false},
                           {"TwoQueues", false, true},
                           {"ManualFlushTwoQueues", true, true}};

class WalControlTwinTest : public testing::TestWithParam<Mode> {
 protected:
  static rocksdb::Options OptionsOf(const TwinSide& side) {
    rocksdb::Options options = TwinOptions(side);
    options.manual_wal_flush = GetParam().manual_flush;
    options.two_write_queues = GetParam().two_queues;
    return options;
  }
};

INSTANTIATE_TEST_SUITE_P(All, WalControlTwinTest, testing::ValuesIn(kModes),
                         [](const auto& param_info) { return std::string(param_info.param.name); });

TEST_P(WalControlTwinTest, FlushWalAndSyncWal) {
  ExpectTwins([](TwinSide& side) {
    TwinDatabase db(side, OptionsOf(side), side / "db");
    side.Say("FlushWAL of nothing", db->FlushWAL(false));
    side.Say("SyncWAL of nothing", db->SyncWAL());
    uint64_t row = 0;
    for (const size_t size : {10ul, 3000ul, 100'000ul, 3'000'000ul}) {
      for (const bool sync : {false, true}) {
        db.Write(row, row + 3, size);
        SayLog(side, "after writes");
        side.Say("FlushWAL", db->FlushWAL(sync));
        SayLog(side, "after FlushWAL");
        side.Say("FlushWAL again", db->FlushWAL(sync));
        db.Write(row + 3, row + 4, size);
        side.Say("SyncWAL", db->SyncWAL());
        SayLog(side, "after SyncWAL");
        db.Write(row + 4, row + 5, size, 0, !GetParam().manual_flush);
        SayLog(side, "after a write");
        row += 5;
      }
      db.SwitchLog();
      SayLog(side, "after a switch");
    }
    db.SayContents("before closing");
    side.Say("close", db.Close());
    TwinDatabase(side, OptionsOf(side), side / "db").SayContents("after reopening");
  });
}

TEST_P(WalControlTwinTest, ALockedLogIsComplete) {
  ExpectTwins([](TwinSide& side) {
    TwinDatabase db(side, OptionsOf(side), side / "db");
    for (uint64_t row = 0; row < 20; row += 5) {
      db.Write(row, row + 5, 10'000 * row + 10);
      side.Say("LockWAL", db->LockWAL());
      SayLog(side, "locked");
      side.Say("UnlockWAL", db->UnlockWAL());
      db.Write(100 + row, 101 + row, 50);
      side.Say("FlushWAL", db->FlushWAL(false));
      SayLog(side, "unlocked");
    }
    db.SayContents("in the end");
  });
}

// Rows by turns in the log and not, and in batches that mark their end.
void WriteMixture(TwinDatabase* db, uint64_t from, uint64_t to) {
  for (uint64_t row = from; row < to; ++row) {
    rocksdb::WriteOptions options;
    options.disableWAL = row % 3 == 0;
    options.sync = row % 10 == 1 && !options.disableWAL;
    rocksdb::WriteBatch batch;
    Require(batch.Put("row" + std::to_string(row), std::string(row * 20, 'a')));
    if (row % 4 == 0) batch.MarkWalTerminationPoint();
    Require(batch.Put("second" + std::to_string(row), std::string(row, 'b')));
    Require((*db)->Write(options, &batch));
  }
}

TEST_P(WalControlTwinTest, RowsWithoutALogBetweenRowsWithOne) {
  for (const bool avoid_flush : {false, true}) {
    ExpectTwins([&](TwinSide& side) {
      rocksdb::Options options = OptionsOf(side);
      options.avoid_flush_during_shutdown = avoid_flush;
      for (uint64_t run = 0; run < 3; ++run) {
        TwinDatabase db(side, options, side / "db");
        db.SayContents("opened");
        WriteMixture(&db, 100 * run, 100 * run + 60);
        if (run == 1) db.SwitchLog();
        WriteMixture(&db, 100 * run + 60, 100 * run + 80);
        Require(db->FlushWAL(false));
        SayLog(side, "written");
        side.Say("close", db.Close());
      }
      TwinDatabase(side, options, side / "db").SayContents("in the end");
    });
  }
}

TEST_P(WalControlTwinTest, WritersGoOnWhileBackgroundWorkIsPaused) {
  ExpectTwins([](TwinSide& side) {
    TwinDatabase db(side, OptionsOf(side), side / "db", {rocksdb::kDefaultColumnFamilyName, "b"});
    db.Write(0, 10, 1000);
    db.Write(0, 10, 1000, 1);
    side.Say("pause", db->PauseBackgroundWork());
    rocksdb::FlushOptions no_wait;
    no_wait.wait = false;
    side.Say("flush, not awaited", db->Flush(no_wait, db.family(0)));
    db.Write(10, 20, 1000, 1);
    side.Say("flush, not awaited", db->Flush(no_wait, db.family(1)));
    db.Write(20, 30, 100'000, 0, true);
    side.Say("SyncWAL", db->SyncWAL());
    SayNames(side, "files while paused", side / "db");
    for (const std::string& log : LogFiles(side / "db")) {
      uint64_t size = 0;
      Require(side.env()->GetFileSize(side / ("db/" + log), &size));
      side.Say(log, size);
    }
    side.Say("continue", db->ContinueBackgroundWork());
    for (size_t i = 0; i < 2; ++i) {
      WaitUntil("end of the flushes", [&] {
        uint64_t unflushed = 0;
        return db->GetIntProperty(db.family(i), "rocksdb.num-immutable-mem-table", &unflushed) &&
               unflushed == 0;
      });
    }
    db.SwitchLog(0);
    db.SwitchLog(1);
    db.SayContents("in the end");
  });
}

// --- killed between the calls ---

// Arguments: directory, side, "manual" if FlushWAL is the application's business.
int VictimMain(const std::vector<std::string>& args) {
  TwinSide side(args.at(1) == "plugin" ? With::kPlugin : With::kStock, args.at(0));
  rocksdb::Options options = TwinOptions(side);
  options.manual_wal_flush = args.at(2) == "manual";
  TwinDatabase db(side, options, side / "db");
  WriteMixture(&db, 0, 50);
  db.Write(0, 3, 200'000);
  Require(db->FlushWAL(false));
  db.Write(3, 6, 100);  // with "manual", nobody but this process will ever know them
  Report("written");
  for (;;) ::pause();
}

const RegisterChild kVictim("victim", VictimMain);

TEST(KilledWalControlTwinTest, WhatWasPassedToTheLogIsThereAfterAKill) {
  for (const char* flush : {"manual", "automatic"}) {
    ExpectTwins([&](TwinSide& side) {
      ChildProcess victim("victim", {side / ".", side.name(), flush});
      ASSERT_EQ(victim.Hear(), "written");
      victim.Kill();
      TwinDatabase(side, TwinOptions(side), side / "db").SayContents("after the kill");
    });
  }
}

}  // namespace
}  // namespace bloom_lfs::test

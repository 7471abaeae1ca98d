// What RocksDB does when writing fails, and how it gets over it.
//
// The faults are in a FileSystem on top of the side's own: what is underneath is told nothing, or
// half of it, and must be good for going on.

#include <gtest/gtest.h>
#include <rocksdb/env.h>
#include <rocksdb/listener.h>
#include <rocksdb/system_clock.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/support/faulty_file_system.h"
#include "tests/twin/twin_database.h"

namespace bloom_lfs::test {
namespace {

using rocksdb::IOStatus;

// Writes down background errors, and leaves recovery to the scenario.
class ErrorListener final : public rocksdb::EventListener {
 public:
  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    heard_ += "reason " + std::to_string(static_cast<int>(reason)) + ", " + error->ToString() +
              ", severity " + std::to_string(error->severity()) + "; ";
  }
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason /*reason*/, rocksdb::Status /*error*/,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }
  std::string heard() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return heard_;
  }

 private:
  std::mutex mutex_;
  std::string heard_;
};

// RocksDB sleeps for a second after a failed flush, in case the fault passes.
class ImpatientClock final : public rocksdb::SystemClockWrapper {
 public:
  using SystemClockWrapper::SystemClockWrapper;
  const char* Name() const override { return "ImpatientClock"; }
  void SleepForMicroseconds(int microseconds) override {
    SystemClockWrapper::SleepForMicroseconds(std::min(microseconds, 1000));
  }
};

class FaultyEnv final : public rocksdb::EnvWrapper {
 public:
  FaultyEnv(rocksdb::Env* target, const std::shared_ptr<Faults>& faults) : EnvWrapper(target) {
    file_system_ = NewFaultyFileSystem(target->GetFileSystem(), faults);
    system_clock_ = std::make_shared<ImpatientClock>(target->GetSystemClock());
  }
  const char* Name() const override { return "FaultyEnv"; }
};

// A database on faulty ground.
class FaultyDatabase {
 public:
  FaultyDatabase(TwinSide& side, const Tweak& tweak)
      : env_(side.env(), faults_), db_(side, MakeOptions(side, tweak), side / "db") {}

  TwinDatabase& db() { return db_; }
  Faults& faults() { return *faults_; }
  std::string heard() { return listener_->heard(); }

 private:
  rocksdb::Options MakeOptions(const TwinSide& side, const Tweak& tweak) {
    rocksdb::Options options = TwinOptions(side);
    options.env = &env_;
    options.listeners.push_back(listener_);
    options.max_bgerror_resume_count = 0;  // Resume() is ours to call
    if (tweak) tweak(&options);
    return options;
  }

  const std::shared_ptr<Faults> faults_ = std::make_shared<Faults>();
  const std::shared_ptr<ErrorListener> listener_ = std::make_shared<ErrorListener>();
  FaultyEnv env_;
  TwinDatabase db_;
};

rocksdb::Status Put(TwinDatabase& db, const std::string& key, bool sync,
                    const std::string& value = std::string(2000, 'v')) {
  rocksdb::WriteOptions options;
  options.sync = sync;
  return db->Put(options, key, value);
}

struct Fault {
  const char* name;
  FaultAt where;
};

constexpr Fault kLogFaults[] = {{"append", FaultAt::kLogAppend},
                                {"half an append", FaultAt::kLogAppendHalfDone},
                                {"flush", FaultAt::kLogFlush},
                                {"sync", FaultAt::kLogSync}};
constexpr Fault kFlushFaults[] = {{"creation of a log", FaultAt::kLogCreation},
                                  {"close of a log", FaultAt::kLogClose},
                                  {"creation of a table", FaultAt::kTableCreation},
                                  {"append to a table", FaultAt::kTableAppend},
                                  {"sync of a table", FaultAt::kTableSync},
                                  {"append to the MANIFEST", FaultAt::kManifestAppend},
                                  {"sync of the MANIFEST", FaultAt::kManifestSync}};

std::vector<IOStatus> Errors() {
  IOStatus retryable = IOStatus::IOError("a passing fault");
  retryable.SetRetryable(true);
  IOStatus no_space = IOStatus::NoSpace("the disk is full");
  no_space.SetRetryable(true);
  return {IOStatus::IOError("a lasting fault"), retryable, no_space};
}

void SayStateAndResume(TwinSide& side, FaultyDatabase* faulty) {
  TwinDatabase& db = faulty->db();
  side.Say("happened", faulty->faults().Happened() ? "yes" : "no");
  side.Say("another write", Put(db, "while failing", false));
  side.Say("another synced write", Put(db, "while failing, synced", true));
  db.SayContents("while failing");
  side.Say("resume", db->Resume());
  side.Say("write after it", Put(db, "after resuming", false));
  side.Say("synced write after it", Put(db, "after resuming, synced", true));
  const rocksdb::Status flushed = db->Flush(rocksdb::FlushOptions());
  side.Say("flush after it", flushed);
  // After an error Flush may return before the flush has ended.
  const auto is_flushed = [&] {
    uint64_t unflushed = 0;
    return db->GetIntProperty("rocksdb.num-immutable-mem-table", &unflushed) && unflushed == 0;
  };
  if (flushed.ok()) WaitUntil("end of the flush", is_flushed);
  side.Say("write to the next log", Put(db, "in the next log", false));
  db.SayContents("in the end");
  side.Say("background errors", faulty->heard());
}

void SayWhatWasKept(TwinSide& side) {
  TwinDatabase db(side, TwinOptions(side), side / "db");
  if (db) db.SayContents("reopened");
}

class FaultTwinTest : public testing::TestWithParam<size_t> {};

std::string ErrorName(const testing::TestParamInfo<size_t>& param_info) {
  const char* names[] = {"Lasting", "Passing", "NoSpace"};
  return names[param_info.param];
}

INSTANTIATE_TEST_SUITE_P(All, FaultTwinTest, testing::Values(0u, 1u, 2u), ErrorName);

TEST_P(FaultTwinTest, OfTheLogInAWrite) {
  for (const Fault& fault : kLogFaults) {
    for (const size_t size : {1000ul, 3'000'000ul}) {
      SCOPED_TRACE(fault.name + std::string(", ") + std::to_string(size));
      ExpectTwins([&](TwinSide& side) {
        {
          FaultyDatabase faulty(side, nullptr);
          faulty.db().Write(0, 5, 3000, 0, true);
          faulty.db().Write(5, 20, 3000);
          faulty.faults().FailNext(fault.where, Errors()[GetParam()]);
          side.Say("write", Put(faulty.db(), "failing", true, std::string(size, 'f')));
          SayStateAndResume(side, &faulty);
        }
        SayWhatWasKept(side);
      });
    }
  }
}

TEST_P(FaultTwinTest, InAFlush) {
  for (const Fault& fault : kFlushFaults) {
    SCOPED_TRACE(fault.name);
    ExpectTwins([&](TwinSide& side) {
      {
        FaultyDatabase faulty(side, nullptr);
        faulty.db().Write(0, 20, 3000, 0, true);
        faulty.db().Write(20, 30, 3000);
        faulty.faults().FailNext(fault.where, Errors()[GetParam()]);
        side.Say("flush", faulty.db()->Flush(rocksdb::FlushOptions()));
        SayStateAndResume(side, &faulty);
      }
      SayWhatWasKept(side);
    });
  }
}

TEST_P(FaultTwinTest, OfTheLogOutsideOfWrites) {
  for (const Fault& fault : kLogFaults) {
    SCOPED_TRACE(fault.name);
    ExpectTwins([&](TwinSide& side) {
      {
        FaultyDatabase faulty(side,
                              [](rocksdb::Options* options) { options->manual_wal_flush = true; });
        faulty.db().Write(0, 10, 3000);
        faulty.faults().FailNext(fault.where, Errors()[GetParam()]);
        // Only once: librocksdb asserts that nobody tries again to sync a log that has failed.
        side.Say("FlushWAL", faulty.db()->FlushWAL(fault.where == FaultAt::kLogSync));
        SayStateAndResume(side, &faulty);
      }
      SayWhatWasKept(side);
    });
  }
}

// Not resumed: what the last good sync has promised is there when the database is opened again.
TEST_P(FaultTwinTest, AClosedDatabaseKeepsWhatWasPromised) {
  for (const Fault& fault : kLogFaults) {
    SCOPED_TRACE(fault.name);
    ExpectTwins([&](TwinSide& side) {
      {
        FaultyDatabase faulty(side, nullptr);
        faulty.db().Write(0, 20, 3000, 0, true);
        faulty.faults().FailNext(fault.where, Errors()[GetParam()]);
        side.Say("write", Put(faulty.db(), "failing", true));
        side.Say("close", faulty.db().Close());
      }
      SayWhatWasKept(side);
    });
  }
}

}  // namespace
}  // namespace bloom_lfs::test

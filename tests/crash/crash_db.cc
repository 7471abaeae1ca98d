#include "tests/crash/crash_db.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <set>
#include <sstream>
#include <system_error>
#include <thread>

#include "tests/support/files.h"

namespace bloom_lfs::test {
namespace {

using Clock = std::chrono::steady_clock;

// A writer that gets nowhere within this time is stuck.
constexpr std::chrono::seconds kStuckAfter{60};

void SleepMicroseconds(uint64_t us) { std::this_thread::sleep_for(std::chrono::microseconds(us)); }

// Files may come and go while we look.
std::set<std::string> NamesBelow(const std::string& dir) {
  std::set<std::string> names;
  std::error_code gone;
  for (auto it = std::filesystem::recursive_directory_iterator(dir, gone);
       !gone && it != std::filesystem::recursive_directory_iterator(); it.increment(gone)) {
    names.insert(it->path().string());
  }
  return names;
}

std::string Shorten(const std::string& value) {
  return value.size() <= 20 ? value : value.substr(0, 20) + "...";
}

}  // namespace

std::string CrashStatistics::ToString() const {
  std::ostringstream out;
  out << kills << " kills, " << kills_before_open << " before the database was open, "
      << kills_over_many_wals << " over three or more logs, " << acknowledged
      << " acknowledged writes, at most " << (bytes_max >> 10) << " KiB of logs";
  return out.str();
}

CrashDb::CrashDb(uint64_t config_seed, bool synced_config)
    : arguments_{dir_ / "db", dir_ / "progress", config_seed, synced_config, 0, With::kPlugin},
      config_(arguments_.Config()),
      path_(arguments_.db_path),
      progress_(arguments_.progress_path) {}

void CrashDb::BeginRun() {
  ++arguments_.run;
  progress_->opened.store(0);
  progress_->done.store(0);
  progress_->closed.store(0);
  KeepWhatWasSeen();
  for (uint32_t t = 0; t < kCrashThreadsMax; ++t)
    progress_->threads[t].attempted.store(applied_[t]);
}

void CrashDb::KeepWhatWasSeen() {
  PromiseWhatWasSeen();
  for (uint32_t t = 0; t < kCrashThreadsMax; ++t) {
    progress_->threads[t].attempted.store(applied_[t]);
  }
}

void CrashDb::PromiseWhatWasSeen() {
  for (uint32_t t = 0; t < kCrashThreadsMax; ++t) {
    progress_->threads[t].acked.store(applied_[t]);
    progress_->threads[t].synced.store(applied_[t]);
  }
}

std::string CrashDb::Story() const { return config_.ToString() + ";" + steps_; }

std::vector<std::string> CrashDb::BeginLife(With with, const std::string& how) {
  BeginRun();
  steps_ += " " + how + " " + Name(with);
  arguments_.with = with;
  return arguments_.ToStrings();
}

void CrashDb::WriteAndKill(With with, Random* random, CrashStatistics* statistics) {
  const std::vector<std::string> arguments = BeginLife(with, "killed");
  const uint64_t before = progress_->TotalAcked();
  ChildProcess writer("crash_writer", arguments);
  const bool alive = WaitForMomentToKill(&writer, random);
  writer.Kill();
  ASSERT_TRUE(alive) << "the writer ended by itself or got stuck, exit code " << writer.Wait()
                     << "; " << Story();
  ++statistics->kills;
  if (progress_->opened.load() == 0) ++statistics->kills_before_open;
  statistics->acknowledged += progress_->TotalAcked() - before;
  Collect(statistics);
}

void CrashDb::KillWhileRecovering(Random* random) {
  std::error_code missing;
  if (!std::filesystem::exists(path_, missing)) return;
  const std::set<std::string> before = NamesBelow(path_);
  WriterArguments arguments = arguments_;
  arguments.with = With::kPlugin;
  steps_ += " killed while recovering";
  ChildProcess opener("crash_opener", arguments.ToStrings());
  const Clock::time_point deadline = Clock::now() + std::chrono::milliseconds(100);
  while (NamesBelow(path_) == before && Clock::now() < deadline) {
  }
  SleepMicroseconds(random->OneIn(2) ? 0 : random->Below(10000));
  const bool alive = opener.Running();
  opener.Kill();
  ASSERT_TRUE(alive) << "recovery failed, exit code " << opener.Wait() << "; " << Story();
}

// Either after a random time, which now and then means during creation or recovery, or a random
// number of writes after the start.
bool CrashDb::WaitForMomentToKill(ChildProcess* writer, Random* random) {
  if (random->OneIn(5)) {
    SleepMicroseconds(random->Below(60000));
    return writer->Running();
  }
  const uint64_t target = progress_->TotalAcked() + random->Skewed(1, 4000);
  const Clock::time_point deadline = Clock::now() + kStuckAfter;
  while (progress_->TotalAcked() < target && progress_->done.load() == 0) {
    if (!writer->Running() || Clock::now() > deadline) return false;
    SleepMicroseconds(100);
  }
  SleepMicroseconds(random->Below(2000));
  return writer->Running();
}

void CrashDb::Collect(CrashStatistics* statistics) const {
  std::error_code missing;  // killed before it made the directory
  if (!std::filesystem::exists(path_, missing)) return;
  uint64_t logs = 0;
  uint64_t bytes = 0;
  for (const std::string& name : LogFiles(path_)) {
    ++logs;
    bytes += std::filesystem::file_size(path_ + "/" + name);
  }
  if (logs >= 3) ++statistics->kills_over_many_wals;
  statistics->bytes_max = std::max(statistics->bytes_max, bytes);
}

void CrashDb::Check(With with, Promise promise) {
  Open(with, promise);
  KeepWhatWasSeen();
}

void CrashDb::Look(With with, Promise promise) {
  Open(with, promise);
  PromiseWhatWasSeen();
}

void CrashDb::Open(With with, Promise promise) {
  steps_ += std::string(" opened ") + Name(with);
  SCOPED_TRACE(Story());
  const OpenDb db(path_, config_, with, OpenDb::Mode::kReadWrite);
  ASSERT_TRUE(db.status().ok()) << db.status().ToString();
  CheckContents(db, promise);
}

void CrashDb::CheckReadOnly(With with, CrashStatistics* statistics) {
  steps_ += std::string(" read ") + Name(with);
  SCOPED_TRACE(Story());
  // One that was killed while it was being created cannot be opened for reading only.
  if (!std::filesystem::exists(path_ + "/CURRENT")) return;
  const Tree before = ListTree(path_);
  {
    const OpenDb db(path_, config_, with, OpenDb::Mode::kReadOnly);
    if (db.status().IsInvalidArgument()) return;  // not all of its column families exist yet
    ASSERT_TRUE(db.status().ok()) << db.status().ToString();
    CheckContents(db, Promise::kAcknowledged);
  }
  KeepWhatWasSeen();
  EXPECT_EQ(Difference(before, ListTree(path_)), "") << "reading must not modify anything";
  ++statistics->read_only_checks;
}

void CrashDb::CheckNothingSetAside() const {
  for (const std::string& name : NamesBelow(path_)) {
    EXPECT_EQ(name.find("aside"), std::string::npos) << name << "; " << Story();
  }
}

void CrashDb::CheckContents(const OpenDb& db, Promise promise) {
  for (uint32_t t = 0; t < config_.threads; ++t) CheckCounter(db, promise, t);
  for (uint32_t f = 0; f < db.families(); ++f) CheckFamily(db, f);
}

void CrashDb::CheckCounter(const OpenDb& db, Promise promise, uint32_t thread) {
  std::string value;
  const rocksdb::Status s =
      db->Get(rocksdb::ReadOptions(), db.family(0), CounterKey(thread), &value);
  ASSERT_TRUE(s.ok() || s.IsNotFound()) << s.ToString();
  const uint64_t count = s.ok() ? std::stoull(value) : 0;
  const Progress::Thread& progress = progress_->threads[thread];
  const uint64_t promised =
      promise == Promise::kAcknowledged ? progress.acked.load() : progress.synced.load();
  EXPECT_GE(count, promised) << "thread " << thread << " lost writes it was promised to keep";
  EXPECT_LE(count, progress.attempted.load()) << "thread " << thread << ": writes from nowhere";
  Advance(thread, std::min(count, progress.attempted.load()));
}

void CrashDb::Advance(uint32_t thread, uint64_t count) {
  const WorkloadShape shape = arguments_.RunShape();
  for (uint64_t& index = applied_[thread]; index < count; ++index) {
    const Operation op = MakeOperation(shape, thread, index);
    const Key key{op.column_family, op.key};
    if (op.is_delete) {
      expected_.erase(key);
    } else {
      expected_[key] = {op.value_seed, op.value_size};
    }
  }
}

// The whole column family, so that a lost delete or a key from nowhere shows too.
void CrashDb::CheckFamily(const OpenDb& db, uint32_t family) {
  std::map<std::string, Value> missing;
  for (const auto& [key, value] : expected_) {
    if (key.first == family) missing[key.second] = value;
  }
  const std::unique_ptr<rocksdb::Iterator> it(
      db->NewIterator(rocksdb::ReadOptions(), db.family(family)));
  uint64_t faults = 0;
  for (it->SeekToFirst(); it->Valid() && faults < 5; it->Next()) {
    const std::string key = it->key().ToString();
    if (key.rfind("counter-", 0) == 0) continue;
    const auto found = missing.find(key);
    if (found == missing.end()) {
      ADD_FAILURE() << "family " << family << ": key " << key << " should not exist";
      ++faults;
      continue;
    }
    if (it->value() != MakeValue(found->second.first, found->second.second)) {
      ADD_FAILURE() << "family " << family << ": key " << key << " has another value, "
                    << it->value().size() << " bytes for " << found->second.second << ": "
                    << Shorten(it->value().ToString());
      ++faults;
    }
    missing.erase(found);
  }
  ASSERT_TRUE(it->status().ok()) << it->status().ToString();
  if (faults == 0 && !missing.empty()) {
    ADD_FAILURE() << "family " << family << ": " << missing.size() << " keys are missing, such as "
                  << missing.begin()->first;
  }
}

void CrashDb::WriteAndClose(With with, uint64_t operations) {
  BeginRun();
  steps_ += " " + std::to_string(operations) + " written " + Name(with);
  SCOPED_TRACE(Story());
  OpenDb db(path_, config_, with, OpenDb::Mode::kReadWrite);
  ASSERT_TRUE(db.status().ok()) << db.status().ToString();
  CheckContents(db, Promise::kAcknowledged);
  KeepWhatWasSeen();
  const rocksdb::Status s = WriteOperations(&db, config_, arguments_.RunShape(),
                                            progress_.operator->(), operations, 4 << 20);
  ASSERT_TRUE(s.ok()) << s.ToString();
  for (uint32_t t = 0; t < config_.threads; ++t) Advance(t, progress_->threads[t].acked.load());
  KeepWhatWasSeen();  // a clean close keeps everything, whoever opens the database next
}

}  // namespace bloom_lfs::test

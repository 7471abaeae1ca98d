// The checker's side of a crash test: one database over several lives, and what it must hold.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/crash/crash_writer.h"
#include "tests/support/child_process.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs::test {

// What a killed process was promised.
enum class Promise {
  kAcknowledged,  // with the plugin: every write that returned, synced or not
  kSynced,        // without it: everything up to the last sync that returned
};

// What the kills of a test met, so that the test can show that it tested something.
struct CrashStatistics {
  uint64_t kills = 0;
  uint64_t kills_before_open = 0;     // during creation or recovery
  uint64_t kills_over_many_wals = 0;  // with three or more live logs
  uint64_t acknowledged = 0;
  uint64_t read_only_checks = 0;
  uint64_t bytes_max = 0;  // largest total of log files
  std::string ToString() const;
};

class CrashDb {
 public:
  CrashDb(uint64_t config_seed, bool synced_config);

  const CrashConfig& config() const { return config_; }
  const std::string& path() const { return path_; }
  const Progress& progress() const { return *progress_.operator->(); }

  // Begins a life: the arguments of the child that lives it. `how` is for Story().
  std::vector<std::string> BeginLife(With with, const std::string& how);

  // Lets a child write and kills it at a random moment. Fails the test if it ends by itself.
  void WriteAndKill(With with, Random* random, CrashStatistics* statistics);

  // Lets a child open the database with the plugin and kills it while it recovers, at a random
  // moment after the directory has begun to change.
  void KillWhileRecovering(Random* random);

  // Opens the database and checks it. What has been seen once is what must be there ever after.
  void Check(With with, Promise promise);

  // The same by somebody who writes nothing: whatever was written before may be there afterwards,
  // as long as it is a prefix.
  void Look(With with, Promise promise);

  // The same with OpenForReadOnly, which must leave the directory as it was.
  void CheckReadOnly(With with, CrashStatistics* statistics);

  // No ring was given up: while only the plugin has opened the database, there is no reason to.
  void CheckNothingSetAside() const;

  // Writes in this process, closes the database, and demands all of it from now on.
  void WriteAndClose(With with, uint64_t operations);

 private:
  // Key and column family. The value is given by its seed and size.
  using Key = std::pair<uint32_t, std::string>;
  using Value = std::pair<uint64_t, size_t>;

  bool WaitForMomentToKill(ChildProcess* writer, Random* random);
  void Collect(CrashStatistics* statistics) const;
  void Open(With with, Promise promise);
  void CheckContents(const OpenDb& db, Promise promise);
  void CheckCounter(const OpenDb& db, Promise promise, uint32_t thread);
  void CheckFamily(const OpenDb& db, uint32_t family);
  // Applies the run's operations up to number `count` of a thread to the expected contents.
  void Advance(uint32_t thread, uint64_t count);
  // What has been seen is the truth: all of it is promised from now on, and nothing else may
  // appear.
  void KeepWhatWasSeen();
  // The same, but that more may appear.
  void PromiseWhatWasSeen();
  void BeginRun();
  // What has been done to the database, and with which options.
  std::string Story() const;

  const TempDir dir_;
  WriterArguments arguments_;
  const CrashConfig config_;
  const std::string path_;
  ProgressFile progress_;
  std::map<Key, Value> expected_;
  uint64_t applied_[kCrashThreadsMax] = {};  // operations in expected_
  std::string steps_;                        // for Story()
};

}  // namespace bloom_lfs::test

// The process that gets killed while it writes through a store, and what its checker knows of it.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "lss/dense_stream.h"
#include "lss/recovery/recovery.h"
#include "tests/support/workload.h"

namespace lss::test {

// What the writer has tried and what it was promised. Lives in a shared mapping of a file, so that
// it survives the process without any system call between a promise and its record.
struct StoreProgress {
  std::atomic<uint64_t> attempted;  // length of the stream once the append under way is through
  std::atomic<uint64_t> appended;   // length of the stream for which Append has returned
  std::atomic<uint64_t> synced;     // the same for Sync
  std::atomic<uint64_t> closed;     // Close has returned
};

class StoreProgressFile {
 public:
  explicit StoreProgressFile(const std::string& path);
  ~StoreProgressFile();
  StoreProgressFile(const StoreProgressFile&) = delete;
  StoreProgressFile& operator=(const StoreProgressFile&) = delete;
  StoreProgress* operator->() const { return progress_; }

 private:
  StoreProgress* progress_;
};

// Bytes [from, from + n) of the endless stream of `seed`. No byte is zero, so that holes show.
std::string StreamOfSeed(uint64_t seed, uint64_t from, size_t n);

// A store that writes the stream of one seed and records what it was promised.
class StoreWriter {
 public:
  // Opens the store at `path`, where progress->attempted bytes of the stream are already.
  StoreWriter(const std::string& path, const StoreOptions& options, uint64_t seed,
              StoreProgress* progress);
  void Append(size_t n);
  void Sync();
  void Settle();
  void Close();
  // Reads [from, from + n) through the store and compares.
  void Check(uint64_t from, size_t n);
  DenseStream* store() { return store_.get(); }

 private:
  static void Require(const Status& status);
  const uint64_t seed_;
  StoreProgress* const progress_;
  std::shared_ptr<DenseStream> store_;
};

// Any set-up, small enough for a ring to go round many times.
StoreOptions AnyStoreOptions(uint64_t seed);

// What recovery made of a killed writer's log.
struct StoreVerdict {
  bool ring_found = false;
  RingCase ring_case = RingCase::kR9FileGone;
  uint64_t length = 0;
};
// Checks that a reader before recovery, and the file after it, have the stream of `seed`, cut where
// one of the writer's appends ends: nothing lost, nothing torn, nothing else. GoogleTest failures
// if not.
StoreVerdict CheckKilledStore(const std::string& path, uint64_t seed,
                              const StoreProgress& progress);

}  // namespace lss::test

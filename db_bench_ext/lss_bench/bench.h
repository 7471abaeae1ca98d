// What the rows of lss_bench share: where they write, how a store is made like the plugin's, how a
// row ends that cannot be measured.
//
// Thread safety: every function from any thread, once Begin has returned.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "lss/base/status.h"
#include "lss/base/types.h"
#include "lss/options.h"
#include "lss/runtime/runtime.h"

namespace bloom_lfs::bench {

inline constexpr uint64_t kMiB = uint64_t{1} << 20;
inline constexpr size_t kRecordSizes[] = {16, 100, 1000, 4096, 64 << 10};
// Files are begun anew at this length, so that a long run does not fill the disk.
inline constexpr uint64_t kFileBytesMax = 256 * kMiB;
// What the rows need at most, rings included.
inline constexpr uint64_t kNeededBytes = 640 * kMiB;

// Makes the directory of this run in `parent`; ends the program with status 2 where that cannot be.
// It is removed when the program ends, also by End or by a signal.
void Begin(const std::string& parent);
// Removes it.
void Finish();

// Says the line and ends the program, leaving nothing behind. A row that cannot be measured has no
// figure, and neither has a run.
[[noreturn]] void End(int exit_status, const std::string& line);
// Ends the program if `status` is an error: with 2 for want of room, with 1 otherwise.
void Require(const lss::Status& status);
// The same for a system call that has failed, by errno.
void RequireCall(bool succeeded, const char* call, const std::string& path);
// write(2), until all of it is written: a disk that gets full takes a part.
void WriteAll(int fd, const std::string& bytes, const std::string& path);
// Ends the program with 1 if what a row has written has not come back.
void RequireBytes(bool came_back, const std::string& row, const std::string& what);

// A path in the run's directory.
std::string PathOf(const std::string& name);
lss::Runtime* SharedRuntime();

// The plugin's, unless a row is about it.
struct Geometry {
  uint32_t buffer_bytes = 256 << 10;
  uint32_t buffer_count = 8;
  uint64_t bytes() const { return uint64_t{buffer_bytes} * buffer_count; }
};
// As the plugin opens a log.
lss::StoreOptions LogOptions(lss::WriteMode mode, const Geometry& geometry);

// `bytes` bytes of which no two neighbours are the same, and none is zero.
std::string MakeRecord(size_t bytes);
// Whether `bytes` is `record`, over and over, from the position `offset` of that sequence on.
bool IsRepeated(const std::string& record, uint64_t offset, lss::ByteView bytes);
// Whether the file is `size` bytes of that; of a large file its first and its last MiB are read.
void RequireFile(const std::string& path, const std::string& record, uint64_t size);

// What one thread needs to copy a record by memcpy, over and over, into memory of `area_bytes`, one
// behind the other. The median of some short measurements; in nanoseconds.
double MemcpyNs(const std::string& record, uint64_t area_bytes);

// The time of a row's loop, without what was done in between. Begins when it is made, right before
// the loop. One thread.
class LoopTime {
 public:
  explicit LoopTime(benchmark::State* state) : state_(*state) {}
  void Pause() {
    state_.PauseTiming();
    paused_at_ = Clock::now();
  }
  void Resume() {
    paused_ += Clock::now() - paused_at_;
    state_.ResumeTiming();
  }
  double Nanoseconds() const {
    return std::chrono::duration<double, std::nano>(Clock::now() - began_ - paused_).count();
  }

 private:
  using Clock = std::chrono::steady_clock;
  benchmark::State& state_;
  const Clock::time_point began_ = Clock::now();
  Clock::time_point paused_at_;
  Clock::duration paused_ = Clock::duration::zero();
};

// Counters of a row that appends records one by one, with one thread: bytes_per_second, and how
// much longer than memcpy a record takes.
void CountRecords(benchmark::State& state, const std::string& record, double nanoseconds,
                  double memcpy_ns);

// One row, named like "append/discard/bytes:100". Its time is the wall's.
benchmark::internal::Benchmark* AddRow(const std::string& name,
                                       std::function<void(benchmark::State&)> row);
// Each adds its rows to the library's.
void RegisterAppendRows();
void RegisterReserveRows();
void RegisterSyncRows();
void RegisterRecoveryRows();

// Appends `bytes` of records to a log at `path`, and kills its own process: what the rows of
// recovery find.
[[noreturn]] void LeaveLog(const std::string& path, uint64_t bytes);

}  // namespace bloom_lfs::bench

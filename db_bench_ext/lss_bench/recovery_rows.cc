// How long it takes to bring a log to its exact bytes whose writer was killed, or whose machine
// went down.
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "db_bench_ext/lss_bench/bench.h"
#include "db_bench_ext/lss_bench/numbered_records.h"
#include "lss/base/crc32c.h"
#include "lss/base/posix_file.h"
#include "lss/base/unique_fd.h"
#include "lss/dense_stream.h"
#include "lss/recovery/recovery.h"

namespace bloom_lfs::bench {
namespace {

constexpr int kLogsPerRepetition = 3;

// This program once more, as the writer that dies.
void SpawnWriter(const std::string& path, uint64_t bytes) {
  std::vector<std::string> words = {"lss_bench", "--leave_log=" + path,
                                    "--leave_bytes=" + std::to_string(bytes)};
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  pid_t pid = 0;
  errno = posix_spawn(&pid, "/proc/self/exe", nullptr, nullptr, argv.data(), environ);
  RequireCall(errno == 0, "posix_spawn", "/proc/self/exe");
  int wait_status = 0;
  RequireCall(waitpid(pid, &wait_status, 0) == pid, "waitpid", "the writer");
  if (WIFEXITED(wait_status)) {
    End(WEXITSTATUS(wait_status), "the writer of " + path + " failed");  // it has said why
  }
}

// As if the machine had been started again since: the ring is of another boot. What was in the page
// cache only is still there, so it is the best that can become of the file.
void RestartMachine(const std::string& ring_path) {
  const lss::UniqueFd ring(open(ring_path.c_str(), O_RDWR | O_CLOEXEC));
  RequireCall(ring.valid(), "open", ring_path);
  void* const page =
      mmap(nullptr, lss::kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, ring.get(), 0);
  RequireCall(page != MAP_FAILED, "mmap", ring_path);
  auto* const header = static_cast<lss::RingHeader*>(page);
  header->fixed.boot_id[0] ^= 0xff;
  header->fixed_checksum = lss::Crc32c(0, &header->fixed, sizeof(header->fixed));
  munmap(page, lss::kPageBytes);
}

uint64_t SizeOf(const std::string& path) {
  struct stat facts = {};
  RequireCall(stat(path.c_str(), &facts) == 0, "stat", path);
  return static_cast<uint64_t>(facts.st_size);
}

// Requires that the file is whole records up to `size`.
void RequireRecords(const std::string& path, uint64_t size) {
  const lss::UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  RequireCall(file.valid(), "open", path);
  lss::ScannedTail tail;
  Require(ScanNumbered(
      [&](lss::Address offset, size_t length, char* destination, size_t* read) {
        return lss::ReadFully(file.get(), path, offset, length, destination, read);
      },
      path, SizeOf(path), {}, &tail));
  RequireBytes(SizeOf(path) == size && tail.end == size, "recovery",
               path + ", " + std::to_string(tail.end) + " of " + std::to_string(SizeOf(path)) +
                   " bytes of which are whole records and " + std::to_string(size) +
                   " were appended,");
}

void Recovery(benchmark::State& state, uint64_t bytes, bool machine_down) {
  const std::string path = PathOf("000001.log");
  const std::string rings = PathOf(".bloom_lfs");
  const uint64_t size = bytes / kNumberedRecordBytes * kNumberedRecordBytes;
  lss::RecoveryContext context;
  context.scan = ScanNumbered;
  uint64_t replayed = 0;
  for (auto _ : state) {  // NOLINT(clang-analyzer-deadcode.DeadStores): how the library is used
    state.PauseTiming();
    SpawnWriter(path, bytes);
    std::vector<std::string> found;
    Require(lss::ListRings(rings, &found));
    RequireBytes(found.size() == 1, "recovery", "the ring of the writer that was killed");
    if (machine_down) {
      RestartMachine(found.front());
    }
    std::vector<lss::RecoveredFile> recovered;
    state.ResumeTiming();
    Require(lss::Recover(rings, {path}, context, &recovered));
    state.PauseTiming();
    RequireBytes(recovered.size() == 1, "recovery", "the list of recovered files");
    replayed += recovered.front().bytes_replayed;
    RequireRecords(path, size);
    unlink(path.c_str());
    state.ResumeTiming();
  }
  state.counters["replayed_bytes"] =
      static_cast<double>(replayed) / static_cast<double>(state.iterations());
}

}  // namespace

void RegisterRecoveryRows() {
  for (const uint64_t mib : {1, 16, 64, 256}) {
    for (const bool machine_down : {false, true}) {
      const std::string name = std::string("recovery/") +
                               (machine_down ? "machine_down" : "killed") +
                               "/MiB:" + std::to_string(mib);
      AddRow(name, [mib, machine_down](
                       benchmark::State& state) { Recovery(state, mib * kMiB, machine_down); })
          ->Iterations(kLogsPerRepetition)
          ->Unit(benchmark::kMillisecond);
    }
  }
}

void LeaveLog(const std::string& path, uint64_t bytes) {
  std::shared_ptr<lss::DenseStream> stream;
  Require(lss::DenseStream::Open(SharedRuntime(), path,
                                 LogOptions(lss::WriteMode::kSerializedWrites, Geometry()),
                                 lss::OpenMode::kTruncate, &stream));
  for (uint64_t number = 1; number <= bytes / kNumberedRecordBytes; ++number) {
    const std::string record = NumberedRecord(number);
    Require(stream->Append({record.data(), record.size()}));
  }
  raise(SIGKILL);
  std::abort();
}

}  // namespace bloom_lfs::bench

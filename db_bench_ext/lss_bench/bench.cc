#include "db_bench_ext/lss_bench/bench.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "db_bench_ext/work_directory.h"
#include "lss/base/posix_file.h"
#include "lss/base/unique_fd.h"

namespace bloom_lfs::bench {
namespace {

// Never destroyed but by Finish: End may come from any thread.
std::optional<WorkDirectory>* TheDirectory() {
  static auto* const directory = new std::optional<WorkDirectory>;
  return directory;
}

class Row final : public benchmark::internal::Benchmark {
 public:
  Row(const std::string& name, std::function<void(benchmark::State&)> row)
      : Benchmark(name.c_str()), row_(std::move(row)) {}
  void Run(benchmark::State& state) override { row_(state); }

 private:
  const std::function<void(benchmark::State&)> row_;
};

// Signals come to a thread of their own: the benchmark library knows nothing of them.
void WatchSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    sigaddset(&signals, signal);
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread([signals] {
    int signal = 0;
    sigwait(&signals, &signal);
    End(128 + signal, "interrupted");
  }).detach();
}

}  // namespace

void Begin(const std::string& parent) {
  Result<WorkDirectory> directory =
      WorkDirectory::Create(parent, kNeededBytes, {"lss_bench", "--dir", false});
  if (!directory.ok()) {
    End(2, directory.error().message);
  }
  TheDirectory()->emplace(std::move(directory.value()));
  WatchSignals();
}

void Finish() {
  SharedRuntime()->Stop();
  TheDirectory()->reset();
}

void End(int exit_status, const std::string& line) {
  // The second one who comes finds the first one at work.
  static std::atomic_flag ending = ATOMIC_FLAG_INIT;
  while (ending.test_and_set()) {
    pause();
  }
  std::fflush(stdout);
  std::fprintf(stderr, "lss_bench: %s\n", line.c_str());
  TheDirectory()->reset();
  std::_Exit(exit_status);
}

void Require(const lss::Status& status) {
  if (!status.ok()) {
    End(status.code() == lss::Status::Code::kNoSpace ? 2 : 1, status.ToString());
  }
}

void RequireCall(bool succeeded, const char* call, const std::string& path) {
  if (!succeeded) {
    Require(lss::Status::FromErrno(call, path, -1, errno));
  }
}

void WriteAll(int fd, const std::string& bytes, const std::string& path) {
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t written = write(fd, bytes.data() + done, bytes.size() - done);
    RequireCall(written > 0, "write", path);
    done += static_cast<size_t>(written);
  }
}

void RequireBytes(bool came_back, const std::string& row, const std::string& what) {
  if (!came_back) {
    End(1, row + ": " + what + " is not what was written");
  }
}

std::string PathOf(const std::string& name) { return (*TheDirectory())->path() + "/" + name; }

lss::Runtime* SharedRuntime() {
  static auto* const runtime = new lss::Runtime;
  return runtime;
}

lss::StoreOptions LogOptions(lss::WriteMode mode, const Geometry& geometry) {
  lss::StoreOptions options;
  options.write_mode = mode;
  options.buffer_bytes = geometry.buffer_bytes;
  options.buffer_count = geometry.buffer_count;
  options.frontier_bytes = 16 * kMiB;
  options.warn = [](const std::string& line) {
    std::fprintf(stderr, "lss_bench: %s\n", line.c_str());
  };
  return options;
}

std::string MakeRecord(size_t bytes) {
  std::string record(bytes, '\0');
  for (size_t i = 0; i < bytes; ++i) {
    record[i] = static_cast<char>(1 + i * 7 % 251);
  }
  return record;
}

bool IsRepeated(const std::string& record, uint64_t offset, lss::ByteView bytes) {
  for (size_t done = 0; done < bytes.size;) {
    const size_t at = (offset + done) % record.size();
    const size_t part = std::min(record.size() - at, bytes.size - done);
    if (std::memcmp(bytes.data + done, record.data() + at, part) != 0) {
      return false;
    }
    done += part;
  }
  return true;
}

void RequireFile(const std::string& path, const std::string& record, uint64_t size) {
  const lss::UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat facts = {};
  RequireCall(file.valid() && fstat(file.get(), &facts) == 0, "open", path);
  RequireBytes(static_cast<uint64_t>(facts.st_size) == size, path, "its length");
  std::vector<char> bytes(std::min(size, kMiB));
  for (const uint64_t offset : {uint64_t{0}, size - bytes.size()}) {
    size_t read = 0;
    Require(lss::ReadFully(file.get(), path, offset, bytes.size(), bytes.data(), &read));
    RequireBytes(read == bytes.size() && IsRepeated(record, offset, {bytes.data(), read}), path,
                 "what lies at offset " + std::to_string(offset));
  }
}

double MemcpyNs(const std::string& record, uint64_t area_bytes) {
  const std::unique_ptr<char[]> area(new char[area_bytes]());
  constexpr auto kSlice = std::chrono::milliseconds(1);
  constexpr int kCopiesPerLook = 64;
  std::array<double, 5> slices = {};
  uint64_t at = 0;
  for (double& slice : slices) {
    const auto began = std::chrono::steady_clock::now();
    auto now = began;
    uint64_t copies = 0;
    for (; now - began < kSlice; copies += kCopiesPerLook, now = std::chrono::steady_clock::now()) {
      for (int i = 0; i < kCopiesPerLook; ++i) {
        at = at + record.size() > area_bytes ? 0 : at;
        std::memcpy(area.get() + at, record.data(), record.size());
        benchmark::ClobberMemory();
        at += record.size();
      }
    }
    slice =
        std::chrono::duration<double, std::nano>(now - began).count() / static_cast<double>(copies);
  }
  std::nth_element(slices.begin(), slices.begin() + slices.size() / 2, slices.end());
  return slices[slices.size() / 2];
}

void CountRecords(benchmark::State& state, const std::string& record, double nanoseconds,
                  double memcpy_ns) {
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * record.size()));
  state.counters["memcpy_ns"] = memcpy_ns;
  state.counters["over_memcpy_ns"] =
      nanoseconds / static_cast<double>(state.iterations()) - memcpy_ns;
}

benchmark::internal::Benchmark* AddRow(const std::string& name,
                                       std::function<void(benchmark::State&)> row) {
  auto* const registered = new Row(name, std::move(row));
  benchmark::internal::RegisterBenchmarkInternal(registered);  // the library becomes its owner
  // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks): so it does not leak
  return registered->UseRealTime();
}

}  // namespace bloom_lfs::bench

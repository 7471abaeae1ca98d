// What the store costs by itself: appending, reserving from several threads, syncing.
//
//   store_benchmark [--benchmark_filter=Append]
//
// Writes to a file in the current directory, which should be on the disk in question; removes it.

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>

#include "lss/dense_stream.h"
#include "lss/record_log.h"

namespace {

using lss::DenseStream;
using lss::RecordLog;

constexpr char kFile[] = "store_benchmark.data";
// Files are started anew when they get this long, so that a long run does not fill the disk.
constexpr uint64_t kMaxFileBytes = 1ULL << 30;

lss::StoreOptions Options(lss::WriteMode mode) {
  lss::StoreOptions options;
  options.write_mode = mode;
  options.buffer_bytes = 256 << 10;
  options.buffer_count = 16;
  return options;
}

lss::Runtime* SharedRuntime() {
  static lss::Runtime runtime;
  return &runtime;
}

void SayIfNot(const lss::Status& status) {
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
  }
}

std::shared_ptr<DenseStream> OpenStream() {
  std::shared_ptr<DenseStream> stream;
  SayIfNot(DenseStream::Open(SharedRuntime(), kFile, Options(lss::WriteMode::kSerializedWrites),
                             lss::OpenMode::kTruncate, &stream));
  return stream;
}

std::shared_ptr<RecordLog> OpenLog() {
  std::shared_ptr<RecordLog> log;
  SayIfNot(
      RecordLog::Open(SharedRuntime(), kFile, Options(lss::WriteMode::kTailLocalizedWrites), &log));
  return log;
}

void CloseStore(const std::shared_ptr<lss::LogStructuredStore>& store) {
  if (!store->Close().ok()) {
    std::fprintf(stderr, "%s could not be closed\n", kFile);
  }
  unlink(kFile);
}

// Reports `status` to the benchmark; false if it is an error.
bool Check(benchmark::State& state, const lss::Status& status) {
  if (!status.ok()) {
    state.SkipWithError(status.ToString().c_str());
  }
  return status.ok();
}

void Append(benchmark::State& state, bool sync) {
  const std::string record(static_cast<size_t>(state.range(0)), 'x');
  std::shared_ptr<DenseStream> store = OpenStream();
  if (store == nullptr) {
    state.SkipWithError("no store");
    return;
  }
  for (auto _ : state) {  // NOLINT(clang-analyzer-deadcode.DeadStores): how the library is used
    if (!Check(state, store->Append({record.data(), record.size()})) ||
        (sync && !Check(state, store->Sync()))) {
      break;
    }
    if (store->size() > kMaxFileBytes) {
      state.PauseTiming();
      CloseStore(store);
      store = OpenStream();
      state.ResumeTiming();
    }
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * state.range(0));
  CloseStore(store);
}

void BM_Append(benchmark::State& state) { Append(state, /*sync=*/false); }
void BM_AppendSync(benchmark::State& state) { Append(state, /*sync=*/true); }

// Many threads, disjoint ranges of one ring, out of order near the tail.
void BM_ReserveWrite(benchmark::State& state) {
  static std::shared_ptr<RecordLog> store;
  if (state.thread_index() == 0) {
    store = OpenLog();
  }
  const std::string record(static_cast<size_t>(state.range(0)), 'x');
  for (auto _ : state) {  // NOLINT(clang-analyzer-deadcode.DeadStores): how the library is used
    lss::Reservation reservation;
    if (!Check(state, store->Reserve(static_cast<uint32_t>(record.size()), &reservation)) ||
        !Check(state, reservation.Write({record.data(), record.size()}))) {
      break;
    }
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) * state.range(0));
  if (state.thread_index() == 0) {
    CloseStore(store);
    store = nullptr;
  }
}

BENCHMARK(BM_Append)->Arg(116)->Arg(4096)->Arg(65536)->UseRealTime();
BENCHMARK(BM_AppendSync)->Arg(116)->Arg(4096)->Arg(65536)->UseRealTime();
// Fixed counts: the file of a time-driven run would have no bound.
BENCHMARK(BM_ReserveWrite)->Arg(116)->Threads(1)->Iterations(1 << 21)->UseRealTime();
BENCHMARK(BM_ReserveWrite)->Arg(116)->Threads(2)->Iterations(1 << 20)->UseRealTime();
BENCHMARK(BM_ReserveWrite)->Arg(116)->Threads(8)->Iterations(1 << 18)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();

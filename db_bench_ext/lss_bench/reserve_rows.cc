// Many threads reserve disjoint ranges of one ring and fill them, out of order near the tail.
#include <cstring>
#include <memory>

#include "db_bench_ext/lss_bench/bench.h"
#include "db_bench_ext/lss_bench/discard_device.h"
#include "lss/record_log.h"

namespace bloom_lfs::bench {
namespace {

// The log that the threads of a row share: made by the first before its loop, at whose beginning
// and end the library lets them wait for each other.
struct SharedLog {
  std::shared_ptr<Discarded> discarded;
  std::shared_ptr<lss::RecordLog> log;
};

void Open(SharedLog* shared) {
  lss::StoreOptions options = LogOptions(lss::WriteMode::kTailLocalizedWrites, Geometry());
  options.ring_directory = PathOf(".bloom_lfs");
  shared->discarded = std::make_shared<Discarded>();
  Require(lss::RecordLog::Open(SharedRuntime(), std::make_unique<DiscardDevice>(shared->discarded),
                               options, &shared->log));
}

void Close(const std::string& record, uint64_t appended_bytes, SharedLog* shared) {
  Require(shared->log->Close());
  shared->log.reset();
  const Discarded& discarded = *shared->discarded;
  const std::string page(discarded.first_page.data(),
                         std::min(record.size(), discarded.first_page.size()));
  RequireBytes(discarded.bytes.load() >= appended_bytes && discarded.end.load() >= appended_bytes &&
                   IsRepeated(record, 0, {page.data(), page.size()}),
               "reserve/discard", "what came down");
}

void Append(const std::string& record, const SharedLog& shared) {
  lss::Reservation reservation;
  Require(shared.log->Reserve(static_cast<uint32_t>(record.size()), &reservation));
  Require(reservation.Write({record.data(), record.size()}));
}

void Reserve(benchmark::State& state, size_t bytes, SharedLog* shared) {
  const std::string record = MakeRecord(bytes);
  const bool alone = state.threads() == 1;
  const double memcpy_ns = alone ? MemcpyNs(record, Geometry().bytes()) : 0;
  if (state.thread_index() == 0) {
    Open(shared);
    // Without the page faults of the ring's first lap.
    for (uint64_t done = 0; done < Geometry().bytes(); done += bytes) {
      Append(record, *shared);
    }
  }
  const LoopTime time(&state);
  for (auto _ : state) {  // NOLINT(clang-analyzer-deadcode.DeadStores): how the library is used
    Append(record, *shared);
  }
  if (alone) {
    CountRecords(state, record, time.Nanoseconds(), memcpy_ns);
  } else {
    state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * bytes));
  }
  if (state.thread_index() == 0) {
    Close(record, state.iterations() * bytes * static_cast<uint64_t>(state.threads()), shared);
  }
}

}  // namespace

void RegisterReserveRows() {
  for (const size_t bytes : kRecordSizes) {
    const auto shared = std::make_shared<SharedLog>();
    const std::string name = "reserve/discard/bytes:" + std::to_string(bytes);
    AddRow(name, [bytes, shared](benchmark::State& state) { Reserve(state, bytes, shared.get()); })
        ->Threads(1)
        ->Threads(2)
        ->Threads(4)
        ->Threads(8);
  }
}

}  // namespace bloom_lfs::bench

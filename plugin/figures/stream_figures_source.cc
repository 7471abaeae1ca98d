#include "plugin/figures/stream_figures_source.h"

#include <algorithm>
#include <array>

#include "lss/base/clock.h"
#include "lss/base/per_process.h"
#include "lss/figures/figures_board.h"

namespace bloom_lfs {
namespace {

using lss::BoardCopy;
using lss::StreamFigures;
using lss::StreamKind;

constexpr double kNanosOfSecond = 1e9;
constexpr char kFallbacks[] = "bloom_lfs_fallbacks_total";
constexpr char kFallbacksHelp[] = "Files that went on in another way, by which.";

class BoardSource : public FigureSource {
 public:
  void Collect(FigureSink* sink) const override {
    CollectBoard(lss::FiguresBoard::OfProcess()->Copy(), sink);
  }

 private:
  const RegisteredFigures registered_{this};
};

lss::PerProcess<BoardSource> g_source;

lss::FiguresBoard* Board() {
  g_source.Get();
  return lss::FiguresBoard::OfProcess();
}

double ValueOf(const lss::Counter& counter) { return static_cast<double>(counter.value()); }

// What only grows, of all streams of a kind.
void CollectTotal(StreamKind kind, const StreamFigures& total, FigureSink* sink) {
  const Figure::Labels of_kind = {{"kind", ToString(kind)}};
  const auto with = [&](const char* label, const char* value) {
    return Figure::Labels{{"kind", ToString(kind)}, {label, value}};
  };
  sink->Counter("bloom_lfs_appends_total", "Appends to logs and blob files.", of_kind,
                ValueOf(total.appends));
  sink->Counter("bloom_lfs_appended_bytes_total", "Their bytes.", of_kind,
                ValueOf(total.appended_bytes));
  sink->Counter("bloom_lfs_syncs_total", "Syncs of them.", of_kind, ValueOf(total.syncs));
  sink->Counter("bloom_lfs_coalesced_syncs_total", "Of these: made durable by another one.",
                of_kind, ValueOf(total.coalesced_syncs));
  sink->Histogram("bloom_lfs_sync_seconds", "What syncs took.", of_kind, total.sync_time);
  for (size_t each = 0; each < lss::kWaitsFor; ++each) {
    sink->Histogram("bloom_lfs_wait_seconds", "What syncs and appends waited for.",
                    with("for", ToString(static_cast<lss::WaitFor>(each))), total.waits[each]);
  }
  for (size_t each = 0; each < lss::kWrittenAs; ++each) {
    sink->Counter("bloom_lfs_written_bytes_total", "Bytes written to the files, by reason.",
                  with("reason", ToString(static_cast<lss::WrittenAs>(each))),
                  ValueOf(total.written_bytes[each]));
  }
  constexpr char kErrors[] = "bloom_lfs_errors_total";
  constexpr char kErrorsHelp[] = "Failed writes and syncs, by whether trying again helps.";
  sink->Counter(kErrors, kErrorsHelp, with("error", "passing"), ValueOf(total.passing_errors));
  sink->Counter(kErrors, kErrorsHelp, with("error", "final"), ValueOf(total.final_errors));
  sink->Counter(kFallbacks, kFallbacksHelp, with("to", "page_cache"), ValueOf(total.outran_device));
  sink->Counter(kFallbacks, kFallbacksHelp, with("to", "file_without_ring"),
                ValueOf(total.left_ring));
}

// What is so just now.
struct LiveStreams {
  double cold = 0;
  double hot = 0;
  double unwritten_bytes = 0;
  double not_durable_bytes = 0;
  double under_way_seconds = 0;  // of the sync that has been longest
  double overdue = 0;
};

void AddLive(const StreamFigures& stream, int64_t now_ns, LiveStreams* live) {
  (stream.is_hot.value() != 0 ? live->hot : live->cold) += 1;
  live->unwritten_bytes += static_cast<double>(UnwrittenBytes(stream));
  live->not_durable_bytes += static_cast<double>(NotDurableBytes(stream));
  const double seconds = SyncUnderWaySeconds(stream, now_ns);
  live->under_way_seconds = std::max(live->under_way_seconds, seconds);
  live->overdue += seconds > kSyncOverdueSeconds ? ValueOf(stream.syncs_under_way) : 0;
}

void CollectLive(StreamKind kind, const LiveStreams& live, FigureSink* sink) {
  const Figure::Labels of_kind = {{"kind", ToString(kind)}};
  constexpr char kStreams[] = "bloom_lfs_open_files";
  constexpr char kStreamsHelp[] =
      "Files being written: cold as stock writes them, hot past the page cache.";
  sink->Gauge(kStreams, kStreamsHelp, {{"kind", ToString(kind)}, {"heat", "cold"}}, live.cold);
  sink->Gauge(kStreams, kStreamsHelp, {{"kind", ToString(kind)}, {"heat", "hot"}}, live.hot);
  sink->Gauge("bloom_lfs_unwritten_bytes", "Appended, in rings, and not yet in the files.", of_kind,
              live.unwritten_bytes);
  sink->Gauge("bloom_lfs_not_durable_bytes", "Appended, and behind the end of the last sync.",
              of_kind, live.not_durable_bytes);
  sink->Gauge("bloom_lfs_sync_under_way_seconds",
              "For how long nothing has come of a sync that is under way; the longest.", of_kind,
              live.under_way_seconds);
  sink->Gauge("bloom_lfs_overdue_syncs", "Syncs of which nothing has come for a second.", of_kind,
              live.overdue);
}

}  // namespace

void CountStreams() { (void)Board(); }

std::shared_ptr<StreamFigures> CountStream(StreamKind kind, const std::string& path) {
  return Board()->Add(kind, path);
}

void CountStockFile(StreamKind kind) {
  Board()->process().stock_files[static_cast<size_t>(kind)].Add();
}

void CountRecovered(uint64_t bytes) {
  lss::ProcessFigures& process = Board()->process();
  process.recovered_files.Add();
  process.recovered_bytes.Add(bytes);
}

double SyncUnderWaySeconds(const StreamFigures& stream, int64_t now_ns) {
  const auto since_ns = static_cast<int64_t>(stream.sync_waits_since_ns.value());
  return stream.syncs_under_way.value() == 0 || now_ns < since_ns
             ? 0
             : static_cast<double>(now_ns - since_ns) / kNanosOfSecond;
}

namespace {

// Counters are read one by one: the other one may be ahead of this.
uint64_t AppendedBeyond(const StreamFigures& stream, const lss::Counter& address) {
  const uint64_t appended = stream.appended_bytes.value();
  return appended - std::min(appended, address.value());
}

}  // namespace

uint64_t UnwrittenBytes(const StreamFigures& stream) {
  return AppendedBeyond(stream, stream.in_file);
}

uint64_t NotDurableBytes(const StreamFigures& stream) {
  return AppendedBeyond(stream, stream.durable);
}

uint64_t WrittenBytes(const StreamFigures& stream) {
  uint64_t bytes = 0;
  for (const lss::Counter& each : stream.written_bytes) {
    bytes += each.value();
  }
  return bytes;
}

const char* ToString(StreamKind kind) { return kind == StreamKind::kLog ? "wal" : "blob"; }

const char* ToString(lss::WaitFor what) {
  constexpr std::array<const char*, lss::kWaitsFor> kNames = {"device", "journal", "in_flight",
                                                              "zeroing", "ring"};
  return kNames[static_cast<size_t>(what)];
}

const char* ToString(lss::WrittenAs as) {
  constexpr std::array<const char*, lss::kWrittenAs> kNames = {"data", "tail", "again", "zeros"};
  return kNames[static_cast<size_t>(as)];
}

void CollectBoard(const BoardCopy& board, FigureSink* sink) {
  const int64_t now_ns = lss::SteadyNowNs();
  std::array<LiveStreams, lss::kStreamKinds> live;
  board.VisitStreams([&](const BoardCopy::Stream& stream) {
    AddLive(stream.figures, now_ns, &live[static_cast<size_t>(stream.kind)]);
  });
  const lss::ProcessFigures& process = board.header().process;
  for (size_t each = 0; each < lss::kStreamKinds; ++each) {
    const auto kind = static_cast<StreamKind>(each);
    CollectTotal(kind, *board.Total(kind), sink);
    CollectLive(kind, live[each], sink);
    sink->Counter(kFallbacks, kFallbacksHelp, {{"kind", ToString(kind)}, {"to", "stock"}},
                  ValueOf(process.stock_files[each]));
  }
  sink->Counter("bloom_lfs_recovered_files_total", "Files that got what a killed process had left.",
                {}, ValueOf(process.recovered_files));
  sink->Counter("bloom_lfs_recovered_bytes_total", "Bytes that they got.", {},
                ValueOf(process.recovered_bytes));
}

}  // namespace bloom_lfs

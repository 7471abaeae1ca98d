// One thread appends: to the store as a log does, by memcpy, by write(2); and the shape of the
// ring.
#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <memory>

#include "db_bench_ext/lss_bench/bench.h"
#include "db_bench_ext/lss_bench/discard_device.h"
#include "lss/base/unique_fd.h"
#include "lss/dense_stream.h"

namespace bloom_lfs::bench {
namespace {

// Where the bytes go.
enum class Sink { kDiscard, kFile };

// A stream as a log has it, begun anew when its file gets long.
class Log {
 public:
  Log(Sink sink, const Geometry& geometry, const std::string& record)
      : sink_(sink),
        options_(LogOptions(lss::WriteMode::kSerializedWrites, geometry)),
        record_(record) {
    Open();
  }
  lss::Status Append() { return stream_->Append({record_.data(), record_.size()}); }
  // A discarding one has no end.
  bool IsLong() const { return sink_ == Sink::kFile && stream_->size() >= kFileBytesMax; }
  void BeginAnew(uint64_t appended_bytes) {
    Close(appended_bytes);
    Open();
  }
  // Brings everything to its place, and requires that it is there.
  void Close(uint64_t appended_bytes);

 private:
  void Open();

  const Sink sink_;
  lss::StoreOptions options_;
  const std::string& record_;
  const std::string path_ = PathOf("000001.log");
  std::shared_ptr<Discarded> discarded_;
  std::shared_ptr<lss::DenseStream> stream_;
};

void Log::Open() {
  if (sink_ == Sink::kFile) {
    Require(lss::DenseStream::Open(SharedRuntime(), path_, options_, lss::OpenMode::kTruncate,
                                   &stream_));
    return;
  }
  options_.ring_directory = PathOf(".bloom_lfs");
  discarded_ = std::make_shared<Discarded>();
  Require(lss::DenseStream::Open(SharedRuntime(), std::make_unique<DiscardDevice>(discarded_),
                                 options_, &stream_));
}

void Log::Close(uint64_t appended_bytes) {
  Require(stream_->Close());
  stream_.reset();
  if (sink_ == Sink::kFile) {
    RequireFile(path_, record_, appended_bytes);
    unlink(path_.c_str());
    return;
  }
  RequireBytes(
      discarded_->end.load() >= appended_bytes && discarded_->bytes.load() >= appended_bytes &&
          IsRepeated(
              record_, 0,
              {discarded_->first_page.data(), std::min<uint64_t>(appended_bytes, lss::kPageBytes)}),
      "append/discard", "what came down");
}

void Append(benchmark::State& state, Sink sink, const Geometry& geometry, size_t bytes) {
  const std::string record = MakeRecord(bytes);
  const double memcpy_ns = MemcpyNs(record, geometry.bytes());
  Log log(sink, geometry, record);
  uint64_t appended = 0;
  // The store by itself, without the page faults of the ring's first lap.
  for (; sink == Sink::kDiscard && appended < geometry.bytes(); appended += bytes) {
    Require(log.Append());
  }
  LoopTime time(&state);
  for (auto _ : state) {  // NOLINT(clang-analyzer-deadcode.DeadStores): how the library is used
    Require(log.Append());
    appended += bytes;
    if (log.IsLong()) {
      time.Pause();
      log.BeginAnew(appended);
      appended = 0;
      time.Resume();
    }
  }
  CountRecords(state, record, time.Nanoseconds(), memcpy_ns);
  log.Close(appended);
}

// Into private memory as large as the ring, round and round.
void Memcpy(benchmark::State& state, size_t bytes) {
  const std::string record = MakeRecord(bytes);
  const uint64_t area_bytes = Geometry().bytes();
  const std::unique_ptr<char[]> area(new char[area_bytes]());
  uint64_t at = 0;
  for (auto _ : state) {  // NOLINT(clang-analyzer-deadcode.DeadStores): how the library is used
    at = at + bytes > area_bytes ? 0 : at;
    std::memcpy(area.get() + at, record.data(), bytes);
    benchmark::ClobberMemory();
    at += bytes;
  }
  RequireBytes(IsRepeated(record, 0, {area.get(), bytes}), "memcpy", "the copy");
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * bytes));
}

// To the page cache, by one system call for each record, as a log without a buffer of its own does.
void Write(benchmark::State& state, size_t bytes) {
  const std::string record = MakeRecord(bytes);
  const double memcpy_ns = MemcpyNs(record, Geometry().bytes());
  const std::string path = PathOf("write.log");
  const lss::UniqueFd file(open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  RequireCall(file.valid(), "open", path);
  uint64_t written = 0;
  LoopTime time(&state);
  for (auto _ : state) {  // NOLINT(clang-analyzer-deadcode.DeadStores): how the library is used
    WriteAll(file.get(), record, path);
    written += bytes;
    if (written >= kFileBytesMax) {
      time.Pause();
      RequireFile(path, record, written);
      RequireCall(ftruncate(file.get(), 0) == 0 && lseek(file.get(), 0, SEEK_SET) == 0, "ftruncate",
                  path);
      written = 0;
      time.Resume();
    }
  }
  CountRecords(state, record, time.Nanoseconds(), memcpy_ns);
  RequireFile(path, record, written);
  unlink(path.c_str());
}

void AddGeometry(uint32_t buffer_kib, uint32_t buffer_count) {
  const Geometry geometry = {buffer_kib << 10, buffer_count};
  const std::string shape =
      "/buffer_KiB:" + std::to_string(buffer_kib) + "/buffers:" + std::to_string(buffer_count);
  constexpr size_t kSmall = 100;
  constexpr size_t kPage = 4096;
  AddRow("ring/discard/bytes:100" + shape,
         [geometry](benchmark::State& state) { Append(state, Sink::kDiscard, geometry, kSmall); });
  AddRow("ring/file/bytes:4096" + shape,
         [geometry](benchmark::State& state) { Append(state, Sink::kFile, geometry, kPage); });
}

}  // namespace

void RegisterAppendRows() {
  for (const size_t bytes : kRecordSizes) {
    const std::string size = "/bytes:" + std::to_string(bytes);
    AddRow("memcpy" + size, [bytes](benchmark::State& state) { Memcpy(state, bytes); });
    AddRow("append/discard" + size,
           [bytes](benchmark::State& state) { Append(state, Sink::kDiscard, Geometry(), bytes); });
    AddRow("append/file" + size,
           [bytes](benchmark::State& state) { Append(state, Sink::kFile, Geometry(), bytes); });
    AddRow("write" + size, [bytes](benchmark::State& state) { Write(state, bytes); });
  }
  for (const uint32_t buffer_kib : {4U, 64U, 256U, 1024U}) {
    for (const uint32_t buffer_count : {4U, 8U, 32U}) {
      AddGeometry(buffer_kib, buffer_count);
    }
  }
}

}  // namespace bloom_lfs::bench

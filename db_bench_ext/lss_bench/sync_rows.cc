// Append a record and make it durable, over and over, on each way that there is.
#include <fcntl.h>
#include <unistd.h>

#include <memory>

#include "db_bench_ext/lss_bench/bench.h"
#include "lss/base/unique_fd.h"
#include "lss/dense_stream.h"
#include "lss/record_log.h"

namespace bloom_lfs::bench {
namespace {

constexpr uint64_t kSyncedBytesMax = 64 * kMiB;
// A stream turns hot soon after its third sync, and then gets its zeroed frontier.
constexpr int kSyncsToHeatMax = 10000;
constexpr int kSyncsBehindHeat = 16;

// A log to which records are appended one by one, each durable before the next.
class SyncedLog {
 public:
  virtual ~SyncedLog() = default;
  virtual void Open() = 0;
  virtual void AppendAndSync(const std::string& record) = 0;
  // Requires that all of it is there. Removes it.
  virtual void Close(const std::string& record, uint64_t records) = 0;
  virtual uint64_t size() const = 0;
  virtual void Warm(const std::string& /*record*/, uint64_t* /*records*/) {}
};

// What the two below share: whether the stream is hot is told by its figures.
class Figured {
 public:
  bool hot() const { return figures_->is_hot.value() == 1; }

 protected:
  lss::StoreOptions Options(lss::WriteMode mode) {
    figures_ = std::make_shared<lss::StreamFigures>();
    lss::StoreOptions options = LogOptions(mode, Geometry());
    options.figures = figures_;
    return options;
  }
  const std::string path_ = PathOf("000001.log");

 private:
  std::shared_ptr<lss::StreamFigures> figures_;
};

void WarmUp(SyncedLog* log, const Figured& figured, const std::string& record, uint64_t* records) {
  int hot_syncs = 0;
  for (int i = 0; i < kSyncsToHeatMax && hot_syncs < kSyncsBehindHeat; ++i, ++*records) {
    log->AppendAndSync(record);
    hot_syncs += figured.hot() ? 1 : 0;
  }
  if (hot_syncs == 0) {
    End(1, "a stream on " + PathOf("") +
               " does not turn hot, as on a copy-on-write file system; "
               "leave its rows out: --benchmark_filter=-sync/(overwrite|tail_localized)");
  }
}

// As a log of the plugin that syncs: hot, a sync overwrites written blocks.
class Overwriting : public SyncedLog, public Figured {
 public:
  void Open() override {
    Require(lss::DenseStream::Open(SharedRuntime(), path_,
                                   Options(lss::WriteMode::kSerializedWrites),
                                   lss::OpenMode::kTruncate, &stream_));
  }
  void Warm(const std::string& record, uint64_t* records) override {
    WarmUp(this, *this, record, records);
  }
  void AppendAndSync(const std::string& record) override {
    Require(stream_->Append({record.data(), record.size()}));
    Require(stream_->Sync());
  }
  void Close(const std::string& record, uint64_t records) override {
    RequireBytes(stream_->durable() == records * record.size(), "sync", "what is durable");
    Require(stream_->Close());
    RequireFile(path_, record, records * record.size());
    unlink(path_.c_str());
  }
  uint64_t size() const override { return stream_->size(); }

 protected:
  std::shared_ptr<lss::DenseStream> stream_;
};

// As a log that has only begun: through the page cache, and a full sync. One that has a successor
// stays like this, and syncs with each append.
class Cold final : public Overwriting {
 public:
  void Open() override {
    Overwriting::Open();
    stream_->Retire();
  }
  void Warm(const std::string& /*record*/, uint64_t* /*records*/) override {}
  void AppendAndSync(const std::string& record) override {
    Require(stream_->Append({record.data(), record.size()}));
  }
  void Close(const std::string& record, uint64_t records) override {
    if (hot()) {
      End(1, "sync/cold: the stream has turned hot");
    }
    Overwriting::Close(record, records);
  }
};

// Reserve, write, sync: each sync ends a page.
class TailLocalized final : public SyncedLog, public Figured {
 public:
  void Open() override {
    Require(lss::RecordLog::Open(SharedRuntime(), path_,
                                 Options(lss::WriteMode::kTailLocalizedWrites), &log_));
  }
  void Warm(const std::string& record, uint64_t* records) override {
    WarmUp(this, *this, record, records);
  }
  void AppendAndSync(const std::string& record) override {
    lss::Reservation reservation;
    Require(log_->Reserve(static_cast<uint32_t>(record.size()), &reservation));
    last_ = reservation.address();
    Require(reservation.Write({record.data(), record.size()}));
    Require(log_->Sync());
  }
  void Close(const std::string& record, uint64_t records) override {
    std::string back(record.size(), '\0');
    size_t read = 0;
    Require(log_->Read(last_, back.size(), back.data(), &read));
    RequireBytes(read == back.size() && back == record &&
                     log_->durable() >= last_ + record.size() &&
                     log_->size() >= records * record.size(),
                 "sync/tail_localized", "the last record");
    Require(log_->Close());
    unlink(path_.c_str());
  }
  uint64_t size() const override { return log_->size(); }

 private:
  std::shared_ptr<lss::RecordLog> log_;
  lss::Address last_ = 0;
};

// A file that grows, as stock RocksDB keeps its logs: write(2), fdatasync(2).
class Fdatasync final : public SyncedLog {
 public:
  void Open() override {
    file_ = lss::UniqueFd(open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    RequireCall(file_.valid(), "open", path_);
    size_ = 0;
  }
  void AppendAndSync(const std::string& record) override {
    WriteAll(file_.get(), record, path_);
    RequireCall(fdatasync(file_.get()) == 0, "fdatasync", path_);
    size_ += record.size();
  }
  void Close(const std::string& record, uint64_t records) override {
    file_ = lss::UniqueFd();
    RequireFile(path_, record, records * record.size());
    unlink(path_.c_str());
  }
  uint64_t size() const override { return size_; }

 private:
  const std::string path_ = PathOf("plain.log");
  lss::UniqueFd file_;
  uint64_t size_ = 0;
};

template <typename Kind>
void Sync(benchmark::State& state, size_t bytes) {
  const std::string record = MakeRecord(bytes);
  Kind log;
  uint64_t records = 0;
  const auto begin = [&] {
    log.Open();
    records = 0;
    log.Warm(record, &records);
  };
  begin();
  for (auto _ : state) {  // NOLINT(clang-analyzer-deadcode.DeadStores): how the library is used
    log.AppendAndSync(record);
    ++records;
    if (log.size() >= kSyncedBytesMax) {
      state.PauseTiming();
      log.Close(record, records);
      begin();
      state.ResumeTiming();
    }
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()));
  log.Close(record, records);
}

template <typename Kind>
void AddRows(const std::string& name) {
  for (const size_t bytes : {size_t{100}, size_t{4096}, size_t{64} << 10}) {
    const std::string row = "sync/" + name + "/bytes:" + std::to_string(bytes);
    AddRow(row, [bytes](benchmark::State& state) { Sync<Kind>(state, bytes); });
  }
}

}  // namespace

void RegisterSyncRows() {
  AddRows<Overwriting>("overwrite");
  AddRows<TailLocalized>("tail_localized");
  AddRows<Cold>("cold");
  AddRows<Fdatasync>("fdatasync");
}

}  // namespace bloom_lfs::bench

// What the page store costs by itself, without RocksDB around it: one row of db_bench_ext's set
// `flash`.
//
//   page_store_benchmark --dir=DIRECTORY --row=cleaning|insert|insert-caller|amplification
//
// Prints "page_store_benchmark: ROW MEASURED beside YARDSTICK". The store is made in the directory
// and left there.

#include <gflags/gflags.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "lss/pages/page_store.h"
#include "lss/runtime/runtime.h"

DEFINE_string(dir, "", "Where the store is made, on the disk in question");
DEFINE_string(row, "", "cleaning, insert, insert-caller or amplification");
DEFINE_double(scale, 1, "Multiplies how long it takes");

namespace {

using Clock = std::chrono::steady_clock;

constexpr uint32_t kPageBytes = 4096;
constexpr uint64_t kMiB = uint64_t{1} << 20;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Figure {
  double measured = 0;
  double yardstick = 0;
};

class Store {
 public:
  Store(uint64_t bytes, lss::Admit admit) {
    lss::PageStoreOptions options;
    options.path = FLAGS_dir;
    options.size = bytes;
    options.admit = admit;
    options.warn = [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); };
    const lss::Status status = lss::PageStore::Open(&runtime_, options, &pages_);
    if (!status.ok() || !pages_->AwaitOpen()) {
      std::fprintf(stderr, "page_store_benchmark: no store in %s: %s\n", FLAGS_dir.c_str(),
                   status.ToString().c_str());
      std::exit(1);
    }
  }
  // A store that is off misses and drops, which looks fast.
  ~Store() {
    if (pages_->off()) std::exit(1);
    pages_.reset();
    runtime_.Stop();
  }
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  lss::PageStore* operator->() const { return pages_.get(); }

  // False: there was no room for it.
  bool Insert(uint64_t number) const {
    return pages_->Insert(KeyOf(number), {page_.data(), page_.size()}, 0, 0);
  }
  void InsertForSure(uint64_t number) const {
    while (!Insert(number) && !pages_->off()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  bool Lookup(uint64_t number, lss::PageCopy* copy) const {
    return pages_->Lookup(KeyOf(number), copy);
  }

 private:
  static lss::PageKey KeyOf(uint64_t number) { return {number + 1, number * 0x9e3779b97f4a7c15}; }

  lss::Runtime runtime_;
  std::unique_ptr<lss::PageStore> pages_;
  const std::string page_ = std::string(kPageBytes, 'p');
};

// --- processor time of an insert ---

double ProcessorSeconds() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double ThreadSeconds() {
  timespec time = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// As fast as the disk takes them. Of all threads, or of the one that inserts.
Figure MeasureInsert(bool all_threads) {
  Store store(1024 * kMiB, lss::Admit::kAll);
  const auto pages = static_cast<uint64_t>(400000 * FLAGS_scale);
  const auto clock = all_threads ? ProcessorSeconds : ThreadSeconds;
  // Memory is there afterwards.
  constexpr uint64_t kFirst = 40000;
  for (uint64_t i = 0; i < kFirst; ++i) store.InsertForSure(i);
  const double before = clock();
  for (uint64_t i = 0; i < pages; ++i) store.InsertForSure(kFirst + i);
  if (all_threads) store->AwaitIdle();
  constexpr double kTwoMicroseconds = 2;
  return {(clock() - before) / static_cast<double>(pages) * 1e6, kTwoMicroseconds};
}

// --- write amplification ---

// Looks up at random in twice as many pages as the store holds, and inserts what is missing: as the
// block cache does, by which page once and by the store for the rest.
Figure MeasureAmplification() {
  constexpr uint64_t kStoreBytes = 128 * kMiB;
  Store store(kStoreBytes, lss::Admit::kAuto);
  std::mt19937_64 random(1);
  lss::PageCopy copy;
  const uint64_t enough = static_cast<uint64_t>(static_cast<double>(3 * kStoreBytes) * FLAGS_scale);
  while (store->figures().written_bytes < enough && !store->off()) {
    for (int i = 0; i < 1000; ++i) {
      const uint64_t number = random() % (2 * kStoreBytes / kPageBytes);
      if (!store.Lookup(number, &copy)) store.InsertForSure(number);
    }
  }
  const lss::PageFigures figures = store->figures();
  return {static_cast<double>(figures.written_bytes) / static_cast<double>(figures.admitted_bytes),
          1};
}

// --- look-ups beside the cleaner ---

// Inserts other pages at 50 MB/s until it is told to stop.
class Inserter {
 public:
  Inserter(Store* store, uint64_t first) : thread_([this, store, first] { Run(store, first); }) {}
  ~Inserter() {
    stop_ = true;
    thread_.join();
  }
  Inserter(const Inserter&) = delete;
  Inserter& operator=(const Inserter&) = delete;

 private:
  void Run(Store* store, uint64_t first) {
    constexpr double kPagesPerS = 50e6 / kPageBytes;
    const auto start = Clock::now();
    for (uint64_t done = 0; !stop_;) {
      const auto due = static_cast<uint64_t>(SecondsSince(start) * kPagesPerS);
      for (; done < due; ++done) store->Insert(first + done);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  std::atomic<bool> stop_{false};
  std::thread thread_;
};

// The 99th percentile of hits among the pages 0 to count, in microseconds.
double MeasureHits(const Store& store, uint64_t count) {
  std::mt19937_64 random(1);
  lss::PageCopy copy;
  std::vector<double> hits;
  for (const auto start = Clock::now(); SecondsSince(start) < 4 * FLAGS_scale;) {
    const uint64_t number = random() % count;
    const auto before = Clock::now();
    if (store.Lookup(number, &copy)) hits.push_back(SecondsSince(before) * 1e6);
  }
  if (hits.empty()) return 0;
  const auto p99 = hits.begin() + static_cast<ptrdiff_t>(hits.size() * 99 / 100);
  std::nth_element(hits.begin(), p99, hits.end());
  return *p99;
}

void InsertAll(const Store& store, uint64_t first, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) store.InsertForSure(first + i);
  store->AwaitIdle();
}

// Both times beside as many insertions: into a log that has room, and into one that is full.
Figure MeasureCleaning() {
  constexpr uint64_t kHot = 96 * kMiB / kPageBytes;
  constexpr uint64_t kCold = uint64_t{1} << 32;
  Store store(768 * kMiB, lss::Admit::kAll);
  Figure figure;
  InsertAll(store, 0, kHot);
  {
    const Inserter inserter(&store, kCold);
    figure.yardstick = MeasureHits(store, kHot);
  }
  InsertAll(store, 2 * kCold, 900 * kMiB / kPageBytes);
  InsertAll(store, 0, kHot);
  const uint64_t before = store->figures().cleaned_bytes;
  {
    const Inserter inserter(&store, 3 * kCold);
    figure.measured = MeasureHits(store, kHot);
  }
  if (store->figures().cleaned_bytes == before) {
    std::fprintf(stderr, "page_store_benchmark: nothing was cleaned meanwhile\n");
    std::exit(1);
  }
  return figure;
}

int Main() {
  Figure figure;
  if (FLAGS_row == "cleaning") {
    figure = MeasureCleaning();
  } else if (FLAGS_row == "insert") {
    figure = MeasureInsert(true);
  } else if (FLAGS_row == "insert-caller") {
    figure = MeasureInsert(false);
  } else if (FLAGS_row == "amplification") {
    figure = MeasureAmplification();
  } else {
    std::fprintf(stderr,
                 "page_store_benchmark: --row=cleaning, insert, insert-caller or amplification\n");
    return 2;
  }
  std::printf("page_store_benchmark: %s %.4f beside %.4f\n", FLAGS_row.c_str(), figure.measured,
              figure.yardstick);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  gflags::SetUsageMessage("measures the page store; see --helpshort");
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  return Main();
}

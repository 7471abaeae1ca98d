// A database with a second place, killed before system calls on its files, or in the middle of a
// write: from the making of the place to the removal of the marker. And who brings the files up to
// date, killed likewise. Afterwards every row is there whose write has returned, and if the power
// was lost, too, whose sync has: with the plugin, and then with stock.
//
// The children's system calls go through watched_calls; those of io_uring would not. Syncs do
// nothing there, so what a power cut leaves of a log is what a sync has covered.
//
// Each run takes other steps; BLOOM_LFS_TEST_SEED repeats one.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "lss/base/unique_fd.h"
#include "plugin/file_kind.h"
#include "plugin/rocksdb_versions.h"
#include "plugin/second/second_marker.h"
#include "tests/crash/watched_calls.h"
#include "tests/support/child_process.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_env.h"

namespace bloom_lfs::test {
namespace {

namespace fs = std::filesystem;

constexpr int kRows = 12;
constexpr int kUnsyncedRows = 4;  // behind them
constexpr int kKilled = 128 + SIGKILL;
constexpr auto kFileSyncTakes = std::chrono::milliseconds(3);  // so failover's patience is lost

std::string RowKey(int row) { return "row " + std::to_string(1000 + row); }
// One of them takes several writes, and more than a page in the side log.
std::string RowValue(int row) {
  return std::string(row == 5 ? 300000 : 100 + row * 97, static_cast<char>('a' + row));
}

// Lives in a shared mapping of a file, so that it survives processes without any system call.
struct Progress {
  static constexpr uint64_t kLogs = 256;

  std::atomic<int> acknowledged;                     // rows, by a sync
  std::atomic<int> completed;                        // rows, by a write
  std::array<std::atomic<uint64_t>, kLogs> durable;  // bytes of logs, by their numbers
};

class ProgressFile {
 public:
  explicit ProgressFile(const std::string& path) {
    const lss::UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    void* memory = MAP_FAILED;
    if (fd.valid() && truncate(path.c_str(), sizeof(Progress)) == 0) {
      memory = mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    }
    if (memory == MAP_FAILED) {
      throw std::runtime_error("cannot map " + path);
    }
    progress_ = static_cast<Progress*>(memory);
  }
  ~ProgressFile() { munmap(progress_, sizeof(Progress)); }
  ProgressFile(const ProgressFile&) = delete;
  ProgressFile& operator=(const ProgressFile&) = delete;
  Progress* operator->() const { return progress_; }

 private:
  Progress* progress_;
};

// Notes how far syncs have covered the logs.
class DurableLogs final : public lss::test::CallObserver {
 public:
  explicit DurableLogs(const std::string& progress) : progress_(progress) {}
  void BeforeWrite(int, const iovec*, int, uint64_t) override {}
  void AfterWrite(int fd, uint64_t offset, int64_t written, bool durable) override {
    if (durable && written > 0) {
      Cover(fd, offset + static_cast<uint64_t>(written));
    }
  }
  void OnSize(int, uint64_t) override {}
  void OnSync(int fd) override {
    struct stat st = {};
    if (LogOf(fd) > 0 && fstat(fd, &st) == 0) {
      while (hangs_) {
        std::this_thread::sleep_for(kFileSyncTakes);
      }
      std::this_thread::sleep_for(kFileSyncTakes);
      Cover(fd, static_cast<uint64_t>(st.st_size));
    }
  }

  // No sync of a log ends any more.
  void Hang() { hangs_ = true; }

 private:
  // 0: it is not a log.
  static uint64_t LogOf(int fd) {
    char path[4096] = {};
    const ssize_t length =
        readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path, sizeof(path) - 1);
    return length > 0 && IsWal(path) ? WalNumber(path) : 0;
  }
  void Cover(int fd, uint64_t end) {
    const uint64_t number = LogOf(fd);
    if (number == 0) {
      return;
    }
    std::atomic<uint64_t>& durable = progress_->durable.at(number);
    uint64_t before = durable;
    while (before < end && !durable.compare_exchange_weak(before, end)) {
    }
  }

  const ProgressFile progress_;
  std::atomic<bool> hangs_{false};
};

// Until the process ends: threads of the plugin may outlive the last database.
DurableLogs* ObserveLogs(const std::string& progress) {
  static auto* const logs = new DurableLogs(progress);
  lss::test::Observe(logs);
  return logs;
}

rocksdb::Options RowOptions(rocksdb::Env* env) {
  rocksdb::Options options;
  options.env = env;
  options.create_if_missing = true;
  options.compression = rocksdb::kNoCompression;
  return options;
}

void Require(const rocksdb::Status& status) {
  if (!status.ok()) {
    std::printf("%s\n", status.ToString().c_str());
    std::abort();
  }
}

// Rows that nobody syncs. A file that need not be waited for does not get them: it hangs.
void WriteMore(rocksdb::DB* db, const std::string& uri, const ProgressFile& progress,
               DurableLogs* logs) {
  if (uri.find("mode=failover") != std::string::npos ||
      uri.find("mode=hedge") != std::string::npos) {
    logs->Hang();
    rocksdb::WriteOptions synced;
    synced.sync = true;
    Require(db->Put(synced, RowKey(kRows - 1), RowValue(kRows - 1)));
  }
  for (int row = kRows; row < kRows + kUnsyncedRows; ++row) {
    Require(db->Put(rocksdb::WriteOptions(), RowKey(row), RowValue(row)));
    progress->completed = row + 1;
  }
}

// In which part of its life the writer dies.
enum class Part { kOpening, kWriting, kClosing, kNone };

// args: uri, database, progress file, part, steps to live in it, whether to die midway. With kNone
// it waits to be killed when all is written.
int WriterMain(const std::vector<std::string>& args) {
  const auto part = static_cast<Part>(std::stoi(args.at(3)));
  const auto reach = [&](Part reached) {
    if (part == reached) {
      lss::test::DieAfter(std::stoi(args.at(4)), args.at(5) == "1");
    } else if (part != Part::kNone) {
      lss::test::DieAfter(-1, false);
    }
  };
  const ProgressFile progress(args.at(2));
  DurableLogs* const logs = ObserveLogs(args.at(2));
  {
    const TestEnv env(args.at(0));
    std::unique_ptr<rocksdb::DB> db;
    reach(Part::kOpening);
    Require(rocksdb::DB::Open(RowOptions(env.get()), args.at(1), OpenInto(&db)));
    reach(Part::kWriting);
    rocksdb::WriteOptions synced;
    synced.sync = true;
    for (int row = 0; row < kRows; ++row) {
      Require(db->Put(synced, RowKey(row), RowValue(row)));
      progress->acknowledged = row + 1;
      progress->completed = row + 1;
      if (row == kRows / 2) {
        Require(db->Flush(rocksdb::FlushOptions()));  // another log
      }
    }
    if (part == Part::kNone) {
      WriteMore(db.get(), args.at(0), progress, logs);
      Report("written");
      Await();
    }
    reach(Part::kClosing);
  }
  return 0;
}
const RegisterChild kWriter("second_steps_writer", WriterMain);

// args: database, progress file, steps to live, whether to die midway. Locks the database, as
// whoever opens it does first, which brings its files up to date.
int OpenerMain(const std::vector<std::string>& args) {
  ObserveLogs(args.at(1));
  const TestEnv env("id=bloom_lfs;io_uring=false");
  rocksdb::FileLock* lock = nullptr;
  lss::test::DieAfter(std::stoi(args.at(2)), args.at(3) == "1");
  Require(env->LockFile(args.at(0) + "/LOCK", &lock));
  Require(env->UnlockFile(lock));
  return 0;
}
const RegisterChild kOpener("second_steps_opener", OpenerMain);

class SecondStepsTest : public testing::TestWithParam<std::string> {
 protected:
  // A database and what may happen to it.
  struct Life {
    explicit Life(const std::string& mode)
        : uri("id=bloom_lfs;io_uring=false;second_mode=" + mode +
              ";second_place=" + (dir / "place") + ";ring_directory=" + queues +
              ";second_bytes=16M;second_catch_up_ms=86400000;failover_after_ms=1") {
      fs::create_directory(queues);
    }

    ChildProcess Write(Part part, int steps, bool midway) const {
      return {"second_steps_writer",
              {uri, db, dir / "progress", std::to_string(static_cast<int>(part)),
               std::to_string(steps), midway ? "1" : "0"}};
    }
    void WriteAndKill() const {
      ChildProcess writer = Write(Part::kNone, 0, false);
      ASSERT_EQ(writer.Hear(), "written");
      writer.Kill();
    }
    // Its exit code.
    int Recover(int steps, bool midway) const {
      ChildProcess opener("second_steps_opener",
                          {db, dir / "progress", std::to_string(steps), midway ? "1" : "0"});
      return opener.Wait();
    }
    // Logs keep what a sync has covered, memory nothing, and the machine boots.
    void LosePower() {
      if (!fs::exists(db)) {
        return;
      }
      for (const auto& entry : fs::directory_iterator(db)) {
        const std::string path = entry.path();
        if (IsWal(path)) {
          const uint64_t durable = progress->durable.at(WalNumber(path));
          fs::resize_file(path, std::min<uint64_t>(durable, entry.file_size()));
        }
      }
      fs::remove_all(queues);
      fs::create_directory(queues);
      if (fs::exists(db + "/.bloom_lfs")) {
        for (const auto& entry : fs::directory_iterator(db + "/.bloom_lfs")) {
          if (entry.path().extension() == ".ring") {
            fs::remove(entry.path());
          }
        }
      }
      progress->completed = progress->acknowledged.load();
      SecondMarker marker;
      if (ReadSecondMarker(db, &marker).ok()) {
        marker.boot = {1};
        ASSERT_TRUE(WriteSecondMarker(db, marker).ok());
      }
    }
    void ExpectAllRows() const {
      for (const char* reader : {"id=bloom_lfs", ""}) {
        const TestEnv env{std::string(reader)};
        std::unique_ptr<rocksdb::DB> opened;
        const rocksdb::Status status =
            rocksdb::DB::Open(RowOptions(env.get()), db, OpenInto(&opened));
        ASSERT_TRUE(status.ok()) << status.ToString();
        for (int row = 0; row < progress->completed; ++row) {
          std::string value;
          const rocksdb::Status found = opened->Get({}, RowKey(row), &value);
          ASSERT_TRUE(found.ok()) << row << " with '" << reader << "': " << found.ToString();
          ASSERT_TRUE(value == RowValue(row)) << row;
        }
      }
      EXPECT_FALSE(fs::exists(db + "/.bloom_lfs/second"));
    }
    const TempDir dir;
    const std::string db = dir / "db";
    const std::string queues = dir / "queues";
    const std::string uri;
    const ProgressFile progress{dir / "progress"};
  };

  SecondStepsTest() {
    const char* const seed = getenv("BLOOM_LFS_TEST_SEED");
    seed_ = seed != nullptr ? static_cast<unsigned>(std::stoul(seed)) : std::random_device()();
    std::printf("BLOOM_LFS_TEST_SEED=%u\n", seed_);
  }

  struct Moment {
    int step;
    bool midway;
    bool power_fails;
  };
  // Calls `live` for every stride-th step until it says that nobody died. Gives how many did.
  int Walk(int stride, const std::function<int(const Moment&)>& live) {
    const auto first = static_cast<int>(seed_ % static_cast<unsigned>(stride));
    int exit_code = kKilled;
    int deaths = -1;
    for (unsigned i = seed_; exit_code == kKilled && !HasFailure(); ++i) {
      ++deaths;
      const Moment moment = {first + deaths * stride, i % 2 == 1, i / 2 % 3 != 0};
      SCOPED_TRACE("step " + std::to_string(moment.step) + (moment.midway ? ", midway" : "") +
                   (moment.power_fails ? ", the power fails" : ""));
      exit_code = live(moment);
      EXPECT_TRUE(exit_code == kKilled || exit_code == 0) << exit_code;
    }
    return deaths;
  }

  unsigned seed_ = 0;
};

TEST_P(SecondStepsTest, AWriterThatDiesAtAnyStepLosesNothing) {
  constexpr std::pair<Part, int> kWalks[] = {
      {Part::kOpening, 37}, {Part::kWriting, 37}, {Part::kClosing, 7}};
  for (const auto& [part, stride] : kWalks) {
    const int deaths = Walk(stride, [&, part = part](const Moment& moment) {
      Life life(GetParam());
      const int exit_code = life.Write(part, moment.step, moment.midway).Wait();
      if (moment.power_fails) {
        life.LosePower();
      }
      life.ExpectAllRows();
      return exit_code;
    });
    EXPECT_GT(deaths, 0) << static_cast<int>(part);
  }
}

TEST_P(SecondStepsTest, WhoBringsItToTheFilesMayDieAtAnyStep) {
  Walk(8, [&](const Moment& moment) {
    Life life(GetParam());
    life.WriteAndKill();
    if (moment.power_fails) {
      life.LosePower();
    }
    const int exit_code = life.Recover(moment.step, moment.midway);
    if (moment.power_fails) {
      life.LosePower();
    }
    life.ExpectAllRows();
    return exit_code;
  });
}

TEST_P(SecondStepsTest, ManyMayDieOverItOneAfterTheOther) {
  Life life(GetParam());
  life.WriteAndKill();
  life.LosePower();
  int deaths = 0;
  while (life.Recover(deaths, deaths % 2 == 1) == kKilled) {
    life.LosePower();
    ++deaths;
  }
  life.LosePower();
  life.ExpectAllRows();
  EXPECT_GT(deaths, GetParam() == "mirror" ? 0 : 20) << "there was nothing to do";
}

INSTANTIATE_TEST_SUITE_P(Modes, SecondStepsTest,
                         testing::Values("failover", "hedge", "group", "mirror"),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace bloom_lfs::test

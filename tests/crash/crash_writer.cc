#include "tests/crash/crash_writer.h"

#include <fcntl.h>
#include <rocksdb/write_batch.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <stdexcept>
#include <thread>

#include "tests/support/child_process.h"

namespace bloom_lfs::test {
namespace {

constexpr uint64_t kNoLimit = ~uint64_t{0};
// More than several rings and WALs hold, less than would make the tests slow.
constexpr uint64_t kBytesMax = 32 << 20;

rocksdb::Status WriteOne(OpenDb* db, const CrashConfig& config, uint32_t thread,
                         const Operation& op, uint64_t index) {
  rocksdb::WriteBatch batch;
  if (op.is_delete) {
    batch.Delete(db->family(op.column_family), op.key);
  } else {
    batch.Put(db->family(op.column_family), op.key, op.Value());
  }
  batch.Put(db->family(0), CounterKey(thread), std::to_string(index + 1));
  rocksdb::WriteOptions write_options;
  write_options.sync = op.sync;
  rocksdb::Status s = (*db)->Write(write_options, &batch);
  if (s.ok() && config.manual_wal_flush) s = (*db)->FlushWAL(false);
  return s;
}

// Holds the process in place for its killer.
[[noreturn]] void WaitForTheEnd() {
  for (;;) ::pause();
}

int CrashWriterMain(const std::vector<std::string>& args) {
  const WriterArguments arguments = WriterArguments::Parse(args);
  const CrashConfig config = arguments.Config();
  const ProgressFile progress(arguments.progress_path);
  OpenDb db(arguments.db_path, config, arguments.with, OpenDb::Mode::kReadWrite);
  rocksdb::Status s = db.status();
  if (s.ok()) {
    progress->opened.store(1);
    s = WriteOperations(&db, config, arguments.RunShape(), progress.operator->(), kNoLimit,
                        kBytesMax / config.threads);
  }
  if (!s.ok()) {
    std::fprintf(stderr, "writer: %s\n", s.ToString().c_str());
    return 1;
  }
  progress->done.store(1);
  WaitForTheEnd();
}

// Only opens the database, and is killed while it recovers.
int CrashOpenerMain(const std::vector<std::string>& args) {
  const WriterArguments arguments = WriterArguments::Parse(args);
  OpenDb db(arguments.db_path, arguments.Config(), arguments.with, OpenDb::Mode::kReadWrite);
  if (!db.status().ok()) {
    std::fprintf(stderr, "opener: %s\n", db.status().ToString().c_str());
    return 1;
  }
  WaitForTheEnd();
}

const RegisterChild kCrashWriter("crash_writer", CrashWriterMain);
const RegisterChild kCrashOpener("crash_opener", CrashOpenerMain);

}  // namespace

uint64_t Progress::TotalAcked() const {
  uint64_t total = 0;
  for (const Thread& thread : threads) total += thread.acked.load();
  return total;
}

ProgressFile::ProgressFile(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  void* memory = MAP_FAILED;
  if (fd >= 0 && ::ftruncate(fd, sizeof(Progress)) == 0) {
    memory = ::mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  }
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (memory == MAP_FAILED) throw std::runtime_error(path + ": " + std::strerror(error));
  static_assert(std::atomic<uint64_t>::is_always_lock_free, "shared between processes");
  progress_ = static_cast<Progress*>(memory);  // a new file is all zeros, and so is a new Progress
}

ProgressFile::~ProgressFile() { ::munmap(progress_, sizeof(Progress)); }

std::string CounterKey(uint32_t thread) { return "counter-" + std::to_string(thread); }

rocksdb::Status WriteOperations(OpenDb* db, const CrashConfig& config, const WorkloadShape& shape,
                                Progress* progress, uint64_t operations, uint64_t bytes_max) {
  std::vector<rocksdb::Status> results(config.threads);
  std::vector<std::thread> threads;
  for (uint32_t t = 0; t < config.threads; ++t) {
    threads.emplace_back([&, t] {
      Progress::Thread& mine = progress->threads[t];
      uint64_t bytes = 0;
      uint64_t index = mine.attempted.load();
      for (uint64_t i = 0; i < operations && bytes < bytes_max && results[t].ok(); ++i, ++index) {
        const Operation op = MakeOperation(shape, t, index);
        mine.attempted.store(index + 1);
        results[t] = WriteOne(db, config, t, op, index);
        if (!results[t].ok()) return;
        mine.acked.store(index + 1);
        if (op.sync) mine.synced.store(index + 1);
        bytes += op.value_size;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const rocksdb::Status& s : results) {
    if (!s.ok()) return s;
  }
  return rocksdb::Status::OK();
}

CrashConfig WriterArguments::Config() const {
  return synced_config ? SyncedCrashConfig(config_seed) : AnyCrashConfig(config_seed);
}

WorkloadShape WriterArguments::RunShape() const {
  WorkloadShape shape = Config().shape;
  shape.seed = MixSeed(shape.seed, run);
  return shape;
}

std::vector<std::string> WriterArguments::ToStrings() const {
  return {db_path,
          progress_path,
          std::to_string(config_seed),
          synced_config ? "1" : "0",
          std::to_string(run),
          with == With::kPlugin ? "1" : "0"};
}

WriterArguments WriterArguments::Parse(const std::vector<std::string>& args) {
  if (args.size() != 6) throw std::runtime_error("this role needs six arguments");
  WriterArguments arguments;
  arguments.db_path = args[0];
  arguments.progress_path = args[1];
  arguments.config_seed = std::stoull(args[2]);
  arguments.synced_config = args[3] == "1";
  arguments.run = std::stoull(args[4]);
  arguments.with = args[5] == "1" ? With::kPlugin : With::kStock;
  return arguments;
}

}  // namespace bloom_lfs::test

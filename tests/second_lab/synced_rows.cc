// Rows written with sync, one after the other, and what became of them.
//
//   synced_rows write URI DB SECONDS COUNT_FILE   writes them; the number that was acknowledged is
//   in
//                                                 COUNT_FILE at any time. Ends with one line of
//                                                 figures
//   synced_rows check URI DB COUNT_FILE           how many of the acknowledged rows are missing
#include <fcntl.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "plugin/rocksdb_versions.h"

namespace {

using Clock = std::chrono::steady_clock;

// Outlives the process, whatever ends it.
std::atomic<uint64_t>* MapCount(const char* path) {
  const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || ftruncate(fd, sizeof(uint64_t)) != 0) {
    std::perror(path);
    std::exit(2);
  }
  void* const memory = mmap(nullptr, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return static_cast<std::atomic<uint64_t>*>(memory);
}

std::unique_ptr<rocksdb::DB> Open(const std::string& uri, const std::string& path) {
  static std::shared_ptr<rocksdb::Env> guard;
  rocksdb::Options options;
  options.create_if_missing = true;
  if (!uri.empty()) {
    const rocksdb::Status status =
        rocksdb::Env::CreateFromUri(rocksdb::ConfigOptions(), "", uri, &options.env, &guard);
    if (!status.ok()) {
      std::fprintf(stderr, "%s\n", status.ToString().c_str());
      std::exit(2);
    }
  }
  std::unique_ptr<rocksdb::DB> db;
  const rocksdb::Status status = rocksdb::DB::Open(options, path, bloom_lfs::OpenInto(&db));
  if (!status.ok()) {
    std::printf("%s\n", status.ToString().c_str());
    std::exit(3);
  }
  return db;
}

std::string Key(uint64_t row) { return "row " + std::to_string(row); }
std::string Value(uint64_t row) { return std::string(100, static_cast<char>('a' + row % 26)); }

int Write(const std::string& uri, const std::string& path, double seconds, const char* count) {
  std::atomic<uint64_t>* const acknowledged = MapCount(count);
  const std::unique_ptr<rocksdb::DB> db = Open(uri, path);
  rocksdb::WriteOptions synced;
  synced.sync = true;
  std::vector<double> waits;  // milliseconds
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  for (uint64_t row = 0; Clock::now() < end; ++row) {
    const auto begin = Clock::now();
    const rocksdb::Status status = db->Put(synced, Key(row), Value(row));
    if (!status.ok()) {
      std::printf("%s\n", status.ToString().c_str());
      return 1;
    }
    acknowledged->store(row + 1);
    waits.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  }
  std::sort(waits.begin(), waits.end());
  std::printf("rows %zu longest_ms %.0f median_ms %.2f\n", waits.size(),
              waits.empty() ? 0 : waits.back(), waits.empty() ? 0 : waits[waits.size() / 2]);
  return 0;
}

int Check(const std::string& uri, const std::string& path, const char* count) {
  const uint64_t acknowledged = MapCount(count)->load();
  const std::unique_ptr<rocksdb::DB> db = Open(uri, path);
  uint64_t missing = 0;
  for (uint64_t row = 0; row < acknowledged; ++row) {
    std::string value;
    const rocksdb::Status status = db->Get(rocksdb::ReadOptions(), Key(row), &value);
    missing += status.ok() && value == Value(row) ? 0 : 1;
  }
  std::printf("acknowledged %llu missing %llu\n", static_cast<unsigned long long>(acknowledged),
              static_cast<unsigned long long>(missing));
  return missing == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "write" && argc == 6) {
    return Write(argv[2], argv[3], std::atof(argv[4]), argv[5]);
  }
  if (what == "check" && argc == 5) {
    return Check(argv[2], argv[3], argv[4]);
  }
  std::fprintf(stderr,
               "usage: synced_rows write URI DB SECONDS COUNT_FILE | check URI DB COUNT_FILE\n");
  return 2;
}

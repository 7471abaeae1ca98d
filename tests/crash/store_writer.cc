#include "tests/crash/store_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "lss/base/posix_file.h"
#include "plugin/default_runtime.h"
#include "tests/support/dead_log.h"
#include "tests/support/files.h"

namespace lss::test {

using bloom_lfs::test::MixSeed;
using bloom_lfs::test::Random;
using bloom_lfs::test::ReadFile;

StoreProgressFile::StoreProgressFile(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  void* memory = MAP_FAILED;
  if (fd.valid() && truncate(path.c_str(), sizeof(StoreProgress)) == 0) {
    memory = mmap(nullptr, sizeof(StoreProgress), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  }
  if (memory == MAP_FAILED) {
    throw std::runtime_error(path + ": " + std::strerror(errno));
  }
  progress_ = static_cast<StoreProgress*>(memory);
}

StoreProgressFile::~StoreProgressFile() { munmap(progress_, sizeof(StoreProgress)); }

std::string StreamOfSeed(uint64_t seed, uint64_t from, size_t n) {
  const uint64_t first = from / 8;
  const uint64_t last = (from + n + 7) / 8;
  std::string bytes((last - first) * 8, '\0');
  for (uint64_t i = first; i < last; ++i) {
    uint64_t z = (seed + i) * 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 29)) * 0xbf58476d1ce4e5b9ULL;
    const uint64_t word = (z ^ (z >> 32)) | 0x0101010101010101ULL;
    std::memcpy(&bytes[(i - first) * 8], &word, 8);
  }
  return bytes.substr(from - first * 8, n);
}

void StoreWriter::Require(const Status& status) {
  if (!status.ok()) {
    throw std::runtime_error(status.ToString());
  }
}

StoreWriter::StoreWriter(const std::string& path, const StoreOptions& options, uint64_t seed,
                         StoreProgress* progress)
    : seed_(seed), progress_(progress) {
  const bool anew = progress->attempted.load() == 0;
  Require(DenseStream::Open(
      bloom_lfs::DefaultRuntime(path), path, options,
      anew ? DenseStream::OpenMode::kTruncate : DenseStream::OpenMode::kAppend, &store_));
  if (store_->size() != progress->appended.load()) {
    throw std::runtime_error("opened with " + std::to_string(store_->size()) + " bytes");
  }
}

void StoreWriter::Append(size_t n) {
  const uint64_t from = progress_->appended.load();
  const std::string bytes = StreamOfSeed(seed_, from, n);
  progress_->attempted.store(from + n);
  Require(store_->Append({bytes.data(), bytes.size()}));
  progress_->appended.store(from + n);
}

void StoreWriter::Sync() {
  const uint64_t end = progress_->appended.load();
  Require(store_->Sync());
  progress_->synced.store(end);
}

void StoreWriter::Settle() {
  Require(store_->Settle());
  // Zeros may come again at once: the stream goes on.
  const uint64_t end = progress_->appended.load();
  const std::string file = ReadFile(store_->path());
  if (file.substr(0, end) != StreamOfSeed(seed_, 0, end) ||
      file.find_first_not_of('\0', end) != std::string::npos) {
    throw std::runtime_error("a settled file has other bytes");
  }
}

void StoreWriter::Close() {
  Require(store_->Close());
  progress_->closed.store(1);
}

void StoreWriter::Check(uint64_t from, size_t n) {
  std::string bytes(n, '\0');
  size_t read = 0;
  Require(store_->Read(from, n, bytes.data(), &read));
  bytes.resize(read);
  if (bytes != StreamOfSeed(seed_, from, std::min<uint64_t>(n, store_->size() - from))) {
    throw std::runtime_error("read other bytes at " + std::to_string(from));
  }
}

StoreOptions AnyStoreOptions(uint64_t seed) {
  Random random(MixSeed(seed, 7));
  StoreOptions options;
  const uint32_t sizes[] = {4096, 4096, 16384, 65536};
  const uint32_t counts[] = {2, 4, 4, 16};
  options.buffer_bytes = sizes[random.Below(4)];
  options.buffer_count = counts[random.Below(4)];
  options.use_io_uring = random.OneIn(2);
  options.use_direct_io = !random.OneIn(4);
  options.frontier_bytes = random.OneIn(3) ? 0 : 1 << 20;
  options.idle_flush_ms = random.OneIn(2) ? 1 : 500;
  options.allocation_step_bytes = 64 << 10;
  return options;
}

namespace {

void ExpectStream(const std::string& bytes, uint64_t seed, const StoreProgress& progress) {
  const uint64_t appended = progress.appended.load();
  const uint64_t attempted = progress.attempted.load();
  EXPECT_TRUE(bytes.size() == appended || bytes.size() == attempted)
      << bytes.size() << " bytes, appended " << appended << ", attempted " << attempted;
  const std::string expected = StreamOfSeed(seed, 0, bytes.size());
  if (bytes != expected) {
    const auto at = std::mismatch(bytes.begin(), bytes.end(), expected.begin()).first;
    ADD_FAILURE() << "other bytes from " << at - bytes.begin() << " on, of " << bytes.size();
  }
}

}  // namespace

StoreVerdict CheckKilledStore(const std::string& path, uint64_t seed,
                              const StoreProgress& progress) {
  StoreVerdict verdict;
  if (!Exists(path)) {
    EXPECT_EQ(progress.appended.load(), 0U) << "the file is gone";
    // What its creation has left behind must not outlive the next one.
    std::vector<RecoveredFile> recovered;
    const std::string rings_left = DirectoryOf(path) + "/" + kRingDirectoryName;
    const Status cleaned = Recover(rings_left, {}, {}, &recovered);
    EXPECT_TRUE(cleaned.ok()) << cleaned.ToString();
    EXPECT_FALSE(Exists(rings_left));
    for (const RecoveredFile& file : recovered) {
      verdict.ring_found = true;
      verdict.ring_case = file.ring_case;
    }
    return verdict;
  }
  FileIdentity identity;
  EXPECT_TRUE(IdentifyPath(path, &identity, &verdict.length).ok());
  const std::string ring = FindRing(path, identity.inode);
  verdict.ring_found = !ring.empty();
  const Reading reading = ReadLog(path, ring);
  EXPECT_TRUE(reading.status.ok()) << reading.status.ToString();
  verdict.ring_case = reading.ring_case;
  {
    SCOPED_TRACE(std::string("a reader before recovery, ") + NameOf(reading.ring_case));
    ExpectStream(reading.bytes, seed, progress);
  }
  std::vector<RecoveredFile> recovered;
  std::string warning;
  RecoveryContext context;
  context.warn = [&](const std::string& line) { warning = line; };
  const std::string rings = DirectoryOf(path) + "/" + kRingDirectoryName;
  const Status status = Recover(rings, {path}, context, &recovered);
  EXPECT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(warning, "");
  EXPECT_FALSE(Exists(rings));
  SCOPED_TRACE(std::string("after recovery, ") + NameOf(reading.ring_case));
  const std::string bytes = ReadFile(path);
  ExpectStream(bytes, seed, progress);
  EXPECT_EQ(bytes.size(), reading.bytes.size()) << "what a reader has seen, stays";
  verdict.length = bytes.size();
  return verdict;
}

}  // namespace lss::test

// A page store that loses power, and one whose disk fails: every page is right or missing, and the
// store is usable or off.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "tests/crash/page_store_life.h"
#include "tests/crash/watched_calls.h"
#include "tests/support/power_cut_model.h"

namespace lss::test {
namespace {

namespace fs = std::filesystem;
using bloom_lfs::test::TempDir;

// Gives the model what is done to one file.
class FileModel final : public CallObserver {
 public:
  explicit FileModel(std::string path) : path_(std::move(path)) {}

  void BeforeWrite(int fd, const iovec* pieces, int count, uint64_t offset) override {
    if (!IsOurs(fd)) {
      return;
    }
    std::string bytes;
    for (int i = 0; i < count; ++i) {
      bytes.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    under_way_[offset] = model_.BeginWrite(offset, std::move(bytes));
  }
  void AfterWrite(int fd, uint64_t offset, int64_t written, bool durable) override {
    if (!IsOurs(fd)) {
      return;
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    model_.EndWrite(under_way_[offset], static_cast<uint64_t>(std::max<int64_t>(written, 0)),
                    durable);
    under_way_.erase(offset);
  }
  void OnSize(int fd, uint64_t size) override {
    if (IsOurs(fd)) {
      const std::lock_guard<std::mutex> lock(mutex_);
      model_.SetSize(size);
    }
  }
  void OnSync(int fd) override {
    if (IsOurs(fd)) {
      const std::lock_guard<std::mutex> lock(mutex_);
      model_.EndSync(model_.BeginSync(), true);
    }
  }
  std::string Cut(Survivors survivors, uint64_t seed) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return model_.PowerCut(survivors, seed);
  }

 private:
  bool IsOurs(int fd) const {
    struct stat64 theirs = {};
    struct stat64 ours = {};
    return fstat64(fd, &theirs) == 0 && stat64(path_.c_str(), &ours) == 0 &&
           theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev;
  }
  const std::string path_;
  std::mutex mutex_;
  PowerCutModel model_;
  std::map<uint64_t, PowerCutModel::WriteId> under_way_;
};

TEST(PageStorePowerCutTest, WhateverIsLeftOfTheFileNoPageIsWrong) {
  const TempDir dir;
  FileModel model(dir / "tier/pages");
  uint64_t right = 0;
  Runtime runtime;
  std::unique_ptr<PageStore> store;
  Observe(&model);
  ASSERT_TRUE(PageStore::Open(&runtime, LifeOptions(dir / "tier"), &store).ok());
  ASSERT_TRUE(store->AwaitOpen());
  constexpr uint64_t kRound = 5500;
  for (uint64_t round = 0; round < 4; ++round) {  // the last in a full log
    InsertPages(store.get(), round * kRound, (round + 1) * kRound);
    for (const Survivors survivors : {Survivors::kSyncedOnly, Survivors::kRandomSubset}) {
      SCOPED_TRACE("round " + std::to_string(round));
      const std::string cut = model.Cut(survivors, round);
      fs::create_directories(dir / "cut");
      std::ofstream(dir / "cut/pages", std::ios::binary) << cut;
      Observe(nullptr);
      {
        OpenedStore left(LifeOptions(dir / "cut"));
        right += left.CountRight(0, (round + 1) * kRound);
        left.ExpectUsable();
      }
      Observe(&model);
      fs::remove_all(dir / "cut");
    }
  }
  store.reset();
  runtime.Stop();
  Observe(nullptr);
  EXPECT_GT(right, 6 * kRound);
}

// A disk that fails for good, and one that is full, where writes may succeed later.
TEST(PageStoreFailureTest, WhenWritesFailItMissesAndCloses) {
  for (const int error_number : {EIO, ENOSPC, EFBIG, EDQUOT}) {
    SCOPED_TRACE(error_number);
    const TempDir dir;
    std::vector<std::string> warnings;
    std::mutex mutex;
    PageStoreOptions options = LifeOptions(dir / "tier");
    options.warn = [&](const std::string& line) {
      const std::lock_guard<std::mutex> lock(mutex);
      warnings.push_back(line);
    };
    Runtime runtime;
    std::unique_ptr<PageStore> store;
    ASSERT_TRUE(PageStore::Open(&runtime, options, &store).ok());
    ASSERT_TRUE(store->AwaitOpen());
    InsertPages(store.get(), 0, 1500);
    store->AwaitIdle();
    FailWrites(error_number);
    PageCopy copy;
    for (uint64_t number = 1500; number < 9000; ++number) {
      const std::string bytes = BytesOf(number);
      store->Insert(KeyOf(number), {bytes.data(), bytes.size()}, 1, 2);
      if (store->Lookup(KeyOf(number - 1500), &copy)) {
        EXPECT_EQ(std::string(copy.bytes, copy.length), BytesOf(number - 1500));
      }
    }
    store->Close();
    EXPECT_TRUE(store->off());
    EXPECT_FALSE(store->Lookup(KeyOf(1), &copy));
    EXPECT_EQ(store->figures().frame_bytes, 0U);
    store.reset();
    FailWrites(0);
    runtime.Stop();
    std::string all;
    int off = 0;
    for (const std::string& line : warnings) {
      all += line + "\n";
      off += line.find("is off") != std::string::npos ? 1 : 0;
    }
    EXPECT_EQ(off, 1) << all;
    OpenedStore later(LifeOptions(dir / "tier"));
    later.CountRight(0, 9000);
    later.ExpectUsable();
  }
}

TEST(PageStoreFailureTest, WithoutDirectTransfersItGoesThroughThePageCache) {
  const TempDir dir;
  RefuseDirect(true);
  for (int life = 0; life < 2; ++life) {
    Runtime runtime;
    std::unique_ptr<PageStore> store;
    ASSERT_TRUE(PageStore::Open(&runtime, LifeOptions(dir / "tier"), &store).ok());
    ASSERT_TRUE(store->AwaitOpen());
    if (life == 0) {
      InsertPages(store.get(), 0, 3000);
      store->AwaitIdle();
    }
    PageCopy copy;
    int found = 0;
    for (uint64_t number = 0; number < 3000; ++number) {
      if (store->Lookup(KeyOf(number), &copy)) {
        EXPECT_EQ(std::string(copy.bytes, copy.length), BytesOf(number));
        ++found;
      }
    }
    EXPECT_GT(found, 2900) << "life " << life;
    EXPECT_FALSE(store->off());
    store.reset();
    runtime.Stop();
  }
  RefuseDirect(false);
}

// One bad spot of the disk is one page less; a disk that cannot be read is the end of the tier.
TEST(PageStoreFailureTest, PagesThatCannotBeReadAreMissesAndManyOfThemTheEnd) {
  constexpr uint64_t kPages = 3000;
  const TempDir dir;
  std::atomic<int> warnings{0};
  PageStoreOptions options = LifeOptions(dir / "tier");
  options.use_io_uring = false;
  options.warn = [&](const std::string& /*line*/) { ++warnings; };
  Runtime runtime;
  std::unique_ptr<PageStore> store;
  ASSERT_TRUE(PageStore::Open(&runtime, options, &store).ok());
  ASSERT_TRUE(store->AwaitOpen());
  InsertPages(store.get(), 0, kPages);
  store->AwaitIdle();
  const auto find_all = [&] {
    PageCopy copy;
    uint64_t found = 0;
    for (uint64_t number = 0; number < kPages; ++number) {
      if (store->Lookup(KeyOf(number), &copy)) {
        EXPECT_EQ(std::string(copy.bytes, copy.length), BytesOf(number));
        ++found;
      }
    }
    return found;
  };
  const uint64_t found = find_all();
  constexpr int kBadSpots = 5;
  FailReads(kBadSpots);
  EXPECT_EQ(find_all(), found - kBadSpots);
  EXPECT_EQ(find_all(), found - kBadSpots) << "they are not read again";
  EXPECT_EQ(store->figures().read_errors, static_cast<uint64_t>(kBadSpots));
  EXPECT_EQ(warnings, 0);
  InsertPages(store.get(), 0, kPages);
  store->AwaitIdle();
  EXPECT_GE(find_all(), found) << "elsewhere they can be kept";

  FailReads(1000000);
  find_all();
  FailReads(0);
  EXPECT_TRUE(store->off());
  EXPECT_EQ(find_all(), 0U);
  EXPECT_EQ(warnings, 1);
  store.reset();
  runtime.Stop();
}

}  // namespace
}  // namespace lss::test

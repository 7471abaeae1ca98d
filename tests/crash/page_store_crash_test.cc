// A page store, killed before each system call and in the middle of each write, and cut off from
// power: afterwards every page is right or missing, the store is usable, and a kill has cost a ring
// at most.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "tests/crash/watched_calls.h"
#include "tests/support/child_process.h"
#include "tests/support/page_store_fixture.h"
#include "tests/support/power_cut_model.h"

namespace lss::test {
namespace {

namespace fs = std::filesystem;
using bloom_lfs::test::ChildProcess;
using bloom_lfs::test::RegisterChild;
using bloom_lfs::test::TempDir;

PageStoreOptions Options(const std::string& path) {
  PageStoreOptions options;
  options.path = path;
  options.size = 64ULL << 20;
  options.memory = 8ULL << 20;
  options.admit = Admit::kAll;
  options.checkpoint_bytes = 2ULL << 20;
  options.use_io_uring = false;  // writes as pwritev2, which we can stand in front of
  return options;
}

void InsertPages(PageStore* store, uint64_t from, uint64_t to) {
  for (uint64_t number = from; number < to; ++number) {
    const std::string bytes = BytesOf(number);
    while (!store->Insert(KeyOf(number), {bytes.data(), bytes.size()}, 1, 2)) {
      store->AwaitIdle();
    }
  }
}

// How many pages have left memory for certain, for those who look after a kill.
void Note(const std::string& path, uint64_t pages) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT, 0600);
  (void)!write(fd, &pages, sizeof(pages));
  close(fd);
}
uint64_t Noted(const std::string& path) {
  uint64_t pages = 0;
  const int fd = open(path.c_str(), O_RDONLY);
  (void)!pread(fd, &pages, sizeof(pages), 0);
  close(fd);
  return pages;
}

constexpr uint64_t kStep = 300;
constexpr uint64_t kRingPages = PageLog::kRingBytes / 4096 + 300;

struct Life {
  const char* name;
  uint64_t pages_before;  // inserted, and closed, before anybody counts
  int stride;             // of the steps at which it is killed
};
#ifdef __SANITIZE_ADDRESS__
constexpr int kFewer = 12;  // each step takes its time
#else
constexpr int kFewer = 2;
#endif
// In an empty store, and in one whose log is cleaned as it goes on.
constexpr Life kLives[] = {{"fresh", 0, kFewer}, {"full", 17000, 5 * kFewer}};

// args: directory, progress file, first page, steps to live, whether to die midway
int PageStoreLifeMain(const std::vector<std::string>& args) {
  const uint64_t first = std::stoul(args.at(2));
  DieAfter(std::stoi(args.at(3)), args.at(4) == "1");
  Runtime runtime;
  std::unique_ptr<PageStore> store;
  if (!PageStore::Open(&runtime, Options(args.at(0)), &store).ok() || !store->AwaitOpen()) {
    return 2;
  }
  for (uint64_t from = first; from < first + 3 * kStep; from += kStep) {
    InsertPages(store.get(), from, from + kStep);
    store->AwaitIdle();
    store->AwaitIdle();
    Note(args.at(1), from + kStep);
  }
  store.reset();
  runtime.Stop();
  return 0;
}
const RegisterChild page_store_life("page_store_life", PageStoreLifeMain);

// Opens the store at `path` and looks for pages [from, to). None may be wrong.
uint64_t CountRight(const std::string& path, uint64_t from, uint64_t to) {
  Runtime runtime;
  std::unique_ptr<PageStore> store;
  EXPECT_TRUE(PageStore::Open(&runtime, Options(path), &store).ok());
  EXPECT_TRUE(store->AwaitOpen());
  uint64_t found = 0;
  PageCopy copy;
  for (uint64_t number = from; number < to; ++number) {
    if (store->Lookup(KeyOf(number), &copy)) {
      EXPECT_EQ(std::string(copy.bytes, copy.length), BytesOf(number)) << number;
      ++found;
    }
  }
  // It goes on as if nothing had been.
  InsertPages(store.get(), 900000, 900050);
  for (uint64_t number = 900000; number < 900050; ++number) {
    EXPECT_TRUE(store->Lookup(KeyOf(number), &copy)) << number;
  }
  store.reset();
  runtime.Stop();
  return found;
}

class PageStoreStepsTest : public testing::TestWithParam<size_t> {
 protected:
  static constexpr int kKilled = 128 + SIGKILL;
};

TEST_P(PageStoreStepsTest, KilledAnywhereItIsRightAndWarmButForARing) {
  const Life& life = kLives[GetParam()];
  const TempDir dir;
  const std::string before = dir / "before";
  if (life.pages_before > 0) {
    Runtime runtime;
    std::unique_ptr<PageStore> store;
    ASSERT_TRUE(PageStore::Open(&runtime, Options(before), &store).ok());
    ASSERT_TRUE(store->AwaitOpen());
    InsertPages(store.get(), 0, life.pages_before);
    store.reset();
    runtime.Stop();
  }
  uint64_t warm = 0;
  for (const bool midway : {false, true}) {
    int steps = 0;
    for (int exit_code = kKilled; exit_code == kKilled && !HasFailure(); steps += life.stride) {
      SCOPED_TRACE(std::string(life.name) + (midway ? ", midway" : "") + ", step " +
                   std::to_string(steps));
      const std::string tier = dir / "tier";
      fs::remove_all(tier);
      fs::remove(dir / "progress");
      if (life.pages_before > 0) {
        fs::copy(before, tier, fs::copy_options::recursive);
      }
      ChildProcess child("page_store_life",
                         {tier, dir / "progress", std::to_string(life.pages_before),
                          std::to_string(steps), midway ? "1" : "0"});
      exit_code = child.Wait();
      ASSERT_TRUE(exit_code == kKilled || exit_code == 0) << exit_code;
      const uint64_t known = std::max(Noted(dir / "progress"), life.pages_before);
      const uint64_t since = known - life.pages_before;
      const uint64_t found = CountRight(tier, life.pages_before, known);
      EXPECT_GE(found + kRingPages, since);
      warm += found;
    }
    EXPECT_GT(steps, 30) << "the life was too short to test anything";
  }
  EXPECT_GT(warm, kStep) << "some were killed late enough to leave something";
}

INSTANTIATE_TEST_SUITE_P(Lives, PageStoreStepsTest, testing::Range<size_t>(0, std::size(kLives)),
                         [](const testing::TestParamInfo<size_t>& life) {
                           return std::string(kLives[life.param].name);
                         });

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
  ASSERT_TRUE(PageStore::Open(&runtime, Options(dir / "tier"), &store).ok());
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
      right += CountRight(dir / "cut", 0, (round + 1) * kRound);
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
    PageStoreOptions options = Options(dir / "tier");
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
    CountRight(dir / "tier", 0, 9000);
  }
}

TEST(PageStoreFailureTest, WithoutDirectTransfersItGoesThroughThePageCache) {
  const TempDir dir;
  RefuseDirect(true);
  for (int life = 0; life < 2; ++life) {
    Runtime runtime;
    std::unique_ptr<PageStore> store;
    ASSERT_TRUE(PageStore::Open(&runtime, Options(dir / "tier"), &store).ok());
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
  PageStoreOptions options = Options(dir / "tier");
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

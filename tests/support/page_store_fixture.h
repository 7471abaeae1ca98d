// A page store in a directory of its own, and pages whose bytes follow from their number.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "lss/pages/page_store.h"
#include "tests/support/temp_dir.h"

namespace lss::test {

inline PageKey KeyOf(uint64_t number) { return {MixBits(number + 1), number}; }

inline uint32_t LengthOf(uint64_t number, uint32_t mean = 4000) {
  return mean / 2 + static_cast<uint32_t>(MixBits(number) % mean) + 1;
}

inline std::string BytesOf(uint64_t number, uint32_t mean = 4000) {
  std::string bytes(LengthOf(number, mean), '\0');
  for (size_t i = 0; i < bytes.size(); i += sizeof(uint64_t)) {
    const uint64_t word = MixBits(number * 1000003 + i);
    std::memcpy(bytes.data() + i, &word, std::min(sizeof(word), bytes.size() - i));
  }
  return bytes;
}

class PageStoreFixture : public testing::Test {
 protected:
  PageStoreFixture() {
    options_.path = directory_ / "tier";
    options_.size = 64ULL << 20;
    options_.memory = 8ULL << 20;
    options_.warn = [this](const std::string& line) {
      const MutexLock lock(&mutex_);
      warnings_.push_back(line);
    };
  }
  ~PageStoreFixture() override {
    store_.reset();
    runtime_.Stop();
  }

  void Open() {
    store_.reset();
    const Status status = PageStore::Open(&runtime_, options_, &store_);
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  void OpenAndRecover() {
    Open();
    ASSERT_TRUE(store_->AwaitOpen()) << AllWarnings();
  }
  void Close() { store_.reset(); }
  // A process of its own opens the store, works on it and dies where it stands.
  template <typename Work>
  void RunAndKill(const Work& work) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      Runtime runtime;
      std::unique_ptr<PageStore> store;
      if (!PageStore::Open(&runtime, options_, &store).ok() || !store->AwaitOpen()) {
        _exit(2);
      }
      work(store.get());
      store->AwaitIdle();  // what is in memory alone is another matter
      kill(getpid(), SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
  }

  bool Insert(uint64_t number) {
    const std::string bytes = BytesOf(number);
    return store_->Insert(KeyOf(number), {bytes.data(), bytes.size()}, 1, 2);
  }
  // Waits for room where there is none. What Insert does not do.
  void InsertPatiently(uint64_t number) {
    while (!Insert(number)) {
      ASSERT_FALSE(store_->off()) << AllWarnings();
      store_->AwaitIdle();
    }
  }
  void InsertAll(uint64_t from, uint64_t to) {
    for (uint64_t number = from; number < to; ++number) {
      InsertPatiently(number);
    }
  }
  // 1 found and right, 0 missed; wrong bytes fail the test.
  int Find(uint64_t number) {
    if (!store_->Lookup(KeyOf(number), &copy_)) {
      return 0;
    }
    EXPECT_EQ(std::string(copy_.bytes, copy_.length), BytesOf(number)) << "page " << number;
    EXPECT_EQ(copy_.compression, 1);
    EXPECT_EQ(copy_.tier, 2);
    return 1;
  }
  uint64_t CountFound(uint64_t from, uint64_t to) {
    uint64_t found = 0;
    for (uint64_t number = from; number < to; ++number) {
      found += Find(number);
    }
    return found;
  }
  std::vector<std::string> warnings() {
    const MutexLock lock(&mutex_);
    return warnings_;
  }
  std::string AllWarnings() {
    std::string all;
    for (const std::string& line : warnings()) {
      all += line + "\n";
    }
    return all;
  }

  bloom_lfs::test::TempDir directory_;
  PageStoreOptions options_;
  Runtime runtime_;
  std::unique_ptr<PageStore> store_;
  PageCopy copy_;
  Mutex mutex_;
  std::vector<std::string> warnings_ LSS_GUARDED_BY(mutex_);
};

}  // namespace lss::test

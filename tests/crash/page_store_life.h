// What those do who kill page stores, and who look at what is left.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "lss/pages/page_store.h"
#include "lss/runtime/runtime.h"
#include "tests/support/page_store_fixture.h"

namespace lss::test {

// A small store, for which everything is worth the flash.
inline PageStoreOptions LifeOptions(const std::string& path) {
  PageStoreOptions options;
  options.path = path;
  options.size = 64ULL << 20;
  options.memory = 8ULL << 20;
  options.admit = Admit::kAll;
  options.checkpoint_bytes = 2ULL << 20;
  options.use_io_uring = false;  // writes as pwritev2, which we can stand in front of
  return options;
}

// Waits for room where there is none.
inline void InsertPages(PageStore* store, uint64_t from, uint64_t to) {
  for (uint64_t number = from; number < to; ++number) {
    const std::string bytes = BytesOf(number);
    while (!store->Insert(KeyOf(number), {bytes.data(), bytes.size()}, 1, 2)) {
      store->AwaitIdle();
    }
  }
}

// A store opened by this process.
class OpenedStore {
 public:
  explicit OpenedStore(const PageStoreOptions& options) {
    EXPECT_TRUE(PageStore::Open(&runtime_, options, &store_).ok());
    EXPECT_TRUE(store_->AwaitOpen());
  }
  ~OpenedStore() {
    store_.reset();
    runtime_.Stop();
  }
  OpenedStore(const OpenedStore&) = delete;
  OpenedStore& operator=(const OpenedStore&) = delete;

  PageStore* get() const { return store_.get(); }
  // How many of the pages from, from + stride, … below `to` are there. None may be wrong.
  uint64_t CountRight(uint64_t from, uint64_t to, uint64_t stride = 1) {
    PageCopy copy;
    uint64_t found = 0;
    for (uint64_t number = from; number < to; number += stride) {
      if (store_->Lookup(KeyOf(number), &copy)) {
        EXPECT_EQ(std::string(copy.bytes, copy.length), BytesOf(number)) << number;
        ++found;
      }
    }
    return found;
  }
  // It goes on as if nothing had been.
  void ExpectUsable() {
    constexpr uint64_t kFirst = 900000;
    InsertPages(store_.get(), kFirst, kFirst + 50);
    EXPECT_EQ(CountRight(kFirst, kFirst + 50), 50U);
  }

 private:
  Runtime runtime_;
  std::unique_ptr<PageStore> store_;
};

}  // namespace lss::test

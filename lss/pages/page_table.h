// The mapping table: from the hash of a key to the words that may be its page's.
//
// Buckets of eight words, one cache line each; a key has two. The table keeps tags and not keys, so
// what it finds is a candidate, which the page itself must confirm. It never grows: where both
// buckets are full, the coldest page on flash makes room.
//
// Thread safety: every method from any thread; latch-free.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "lss/base/status.h"
#include "lss/pages/page_word.h"

namespace lss {

class PageTable {
 public:
  static constexpr uint64_t kBucketWords = 8;

  // Where a word was found, and what it was then.
  struct Found {
    uint64_t index = 0;
    PageWord word;
  };
  struct Candidates {
    std::array<Found, 2 * kBucketWords> found;
    size_t count = 0;
    const Found* begin() const { return found.data(); }
    const Found* end() const { return found.data() + count; }
  };
  // What Insert did.
  struct Inserted {
    bool done = false;  // false: only pages in memory there, which do not make room
    uint64_t index = 0;
    PageWord displaced;  // empty, or the page on flash that made room
  };

  // Buckets for `pages` pages at a load of 3/4, where hardly any key finds both of its buckets
  // full.
  static uint64_t BucketsFor(uint64_t pages);
  // REQUIRES: 2 <= buckets <= 2^32. An error: this process gets no such amount of memory.
  static Status Create(uint64_t buckets, std::unique_ptr<PageTable>* table);

  uint64_t bucket_count() const { return bucket_count_; }
  uint64_t word_count() const { return bucket_count_ * kBucketWords; }
  uint64_t memory_bytes() const { return word_count() * sizeof(uint64_t); }

  // Words with the hash's tag in its two buckets.
  Candidates Find(uint64_t hash) const;
  // Whether a page with this hash may stand at `index`.
  bool Belongs(uint64_t hash, uint64_t index) const;
  // Puts `word` into a free place of the hash's buckets, or over the page on flash with the fewest
  // hits; the hits of those that stay shrink by one then, or nothing would ever cool.
  Inserted Insert(uint64_t hash, PageWord word);
  PageWord Load(uint64_t index) const;
  // False: the word has changed meanwhile.
  bool Replace(uint64_t index, PageWord expected, PageWord desired);
  // Notes a hit, unless the word has changed.
  void NoteHit(uint64_t index, PageWord word);
  // Of a checkpoint. REQUIRES: nobody inserts yet.
  void Restore(uint64_t index, PageWord word);
  // For a figure: walks the table.
  uint64_t CountUsed() const;

 private:
  struct alignas(64) Bucket {
    std::array<std::atomic<uint64_t>, kBucketWords> words;
  };
  PageTable(uint64_t buckets, void* memory);
  std::array<uint64_t, 2> BucketsOf(uint64_t hash) const;
  std::atomic<uint64_t>& At(uint64_t index) const {
    return buckets_[index / kBucketWords].words[index % kBucketWords];
  }
  uint64_t FreeIn(uint64_t bucket) const;
  bool TakeEmpty(const std::array<uint64_t, 2>& buckets, PageWord word, Inserted* inserted);
  bool TakeColdest(const std::array<uint64_t, 2>& buckets, PageWord word, Inserted* inserted);

  const uint64_t bucket_count_;
  struct Unmap {
    uint64_t bytes = 0;
    void operator()(Bucket* buckets) const;
  };
  // Fresh pages of the kernel: zero, and not there before they are used.
  std::unique_ptr<Bucket[], Unmap> buckets_;
};

}  // namespace lss

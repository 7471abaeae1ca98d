#include "lss/pages/page_table.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "lss/pages/page_key.h"

namespace lss {
namespace {

// Uniform over [0, count) without a division (Lemire, 2016).
uint64_t Scale(uint32_t value, uint64_t count) { return (value * count) >> 32; }

}  // namespace

uint64_t PageTable::BucketsFor(uint64_t pages) {
  const uint64_t words = pages + pages / 3;
  return std::clamp<uint64_t>((words + kBucketWords - 1) / kBucketWords, 2, uint64_t{1} << 32);
}

void PageTable::Unmap::operator()(Bucket* buckets) const { munmap(buckets, bytes); }

Status PageTable::Create(uint64_t buckets, std::unique_ptr<PageTable>* table) {
  const uint64_t bytes = buckets * sizeof(Bucket);
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return Status::FromErrno("take memory for",
                             "a mapping table of " + std::to_string(bytes) + " bytes", -1, errno);
  }
  table->reset(new PageTable(buckets, memory));
  return Status::Ok();
}

PageTable::PageTable(uint64_t buckets, void* memory)
    : bucket_count_(buckets),
      buckets_(static_cast<Bucket*>(memory), Unmap{buckets * sizeof(Bucket)}) {}

std::array<uint64_t, 2> PageTable::BucketsOf(uint64_t hash) const {
  const uint64_t first = Scale(static_cast<uint32_t>(hash), bucket_count_);
  const uint64_t second = Scale(static_cast<uint32_t>(MixBits(hash)), bucket_count_);
  return {first, second != first ? second : (first + 1) % bucket_count_};
}

PageTable::Candidates PageTable::Find(uint64_t hash) const {
  Candidates candidates;
  const uint16_t tag = TagOf(hash);
  for (const uint64_t bucket : BucketsOf(hash)) {
    for (uint64_t i = 0; i < kBucketWords; ++i) {
      const uint64_t index = bucket * kBucketWords + i;
      const PageWord word = Load(index);
      if (!word.empty() && word.tag() == tag) {
        candidates.found[candidates.count++] = {index, word};
      }
    }
  }
  return candidates;
}

bool PageTable::Belongs(uint64_t hash, uint64_t index) const {
  const std::array<uint64_t, 2> buckets = BucketsOf(hash);
  const uint64_t bucket = index / kBucketWords;
  return bucket == buckets[0] || bucket == buckets[1];
}

PageTable::Inserted PageTable::Insert(uint64_t hash, PageWord word) {
  const std::array<uint64_t, 2> buckets = BucketsOf(hash);
  Inserted inserted;
  inserted.done = TakeEmpty(buckets, word, &inserted) || TakeColdest(buckets, word, &inserted);
  return inserted;
}

uint64_t PageTable::FreeIn(uint64_t bucket) const {
  uint64_t free = 0;
  for (uint64_t i = 0; i < kBucketWords; ++i) {
    free += Load(bucket * kBucketWords + i).empty() ? 1 : 0;
  }
  return free;
}

// The emptier bucket first, so that both fill evenly.
bool PageTable::TakeEmpty(const std::array<uint64_t, 2>& buckets, PageWord word,
                          Inserted* inserted) {
  const bool swap = FreeIn(buckets[1]) > FreeIn(buckets[0]);
  for (const uint64_t bucket : {buckets[swap ? 1 : 0], buckets[swap ? 0 : 1]}) {
    for (uint64_t i = 0; i < kBucketWords; ++i) {
      const uint64_t index = bucket * kBucketWords + i;
      if (Load(index).empty() && Replace(index, PageWord(), word)) {
        inserted->index = index;
        return true;
      }
    }
  }
  return false;
}

bool PageTable::TakeColdest(const std::array<uint64_t, 2>& buckets, PageWord word,
                            Inserted* inserted) {
  Found coldest;
  for (const uint64_t bucket : buckets) {
    for (uint64_t i = 0; i < kBucketWords; ++i) {
      const uint64_t index = bucket * kBucketWords + i;
      const PageWord there = Load(index);
      if (there.on_flash() && (coldest.word.empty() || there.hits() < coldest.word.hits())) {
        coldest = {index, there};
      }
    }
  }
  if (coldest.word.empty() || !Replace(coldest.index, coldest.word, word)) {
    return false;
  }
  for (const uint64_t bucket : buckets) {
    for (uint64_t i = 0; i < kBucketWords; ++i) {
      const uint64_t index = bucket * kBucketWords + i;
      const PageWord there = Load(index);
      if (there.on_flash() && there.hits() > 0 && index != coldest.index) {
        Replace(index, there, there.Cooler());
      }
    }
  }
  inserted->index = coldest.index;
  inserted->displaced = coldest.word;
  return true;
}

PageWord PageTable::Load(uint64_t index) const {
  return PageWord(At(index).load(std::memory_order_acquire));  // P40
}

bool PageTable::Replace(uint64_t index, PageWord expected, PageWord desired) {
  uint64_t bits = expected.bits();
  return At(index).compare_exchange_strong(bits, desired.bits(), std::memory_order_acq_rel,  // P40
                                           std::memory_order_acquire);                       // P40
}

void PageTable::NoteHit(uint64_t index, PageWord word) {
  if (word.Hit() != word) {
    Replace(index, word, word.Hit());
  }
}

void PageTable::Restore(uint64_t index, PageWord word) {
  At(index).store(word.bits(), std::memory_order_release);  // P40
}

uint64_t PageTable::CountUsed() const {
  uint64_t used = 0;
  for (uint64_t i = 0; i < word_count(); ++i) {
    used += Load(i).empty() ? 0 : 1;
  }
  return used;
}

}  // namespace lss

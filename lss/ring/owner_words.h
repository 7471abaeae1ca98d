// The words of a ring's header as its owner keeps them. The owner reads its own copies, and stores
// to both: what lies in a file can be cut short by others, or taken away by a file system that
// dies.
#pragma once

#include <atomic>
#include <cstdint>

#include "lss/ring/ring_format.h"

namespace lss {

// Thread safety: as a GuardedWord; one thread at a time stores.
class PublishedWord {
 public:
  explicit PublishedWord(GuardedWord* published) : published_(published) {}

  uint64_t load(std::memory_order order) const { return own_.load(order); }
  void store(uint64_t value, std::memory_order order) {
    Publish(value, order);
    Keep(value, order);
  }
  // The halves of a store: for others, and for ourselves.
  void Publish(uint64_t value, std::memory_order order) { published_->store(value, order); }
  void Keep(uint64_t value, std::memory_order order) { own_.store(value, order); }

 private:
  std::atomic<uint64_t> own_{0};
  GuardedWord* const published_;
};

struct OwnerWords {
  // `header` must outlive the words.
  explicit OwnerWords(RingHeader* header)
      : published(header),
        committed(&header->committed),
        hi_stable(&header->hi_stable),
        durable(&header->durable) {}

  RingHeader* const published;
  PublishedWord committed;
  PublishedWord hi_stable;
  PublishedWord durable;
  // The owner's copies only; FlushBuffer stores to both.
  GuardedWord base[kMaxBufferCount];
};

}  // namespace lss

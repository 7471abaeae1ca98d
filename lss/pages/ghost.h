// Which pages have left not long ago: the memory of S3-FIFO's ghost queue (Yang et al., SOSP 2023),
// without a queue. A page's fingerprint stands where its hash says, until another comes there.
//
// Thread safety: every method from any thread. All relaxed: a guess about the past, nothing hangs
// on it.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

namespace lss {

class Ghost {
 public:
  // Two bytes for each of about `pages` pages.
  explicit Ghost(uint64_t pages) : prints_(pages > 0 ? pages : 1) {}

  void Note(uint64_t hash) {
    prints_[PlaceOf(hash)].store(PrintOf(hash), std::memory_order_relaxed);
  }
  // Whether it was noted; it is forgotten then.
  bool Take(uint64_t hash) {
    std::atomic<uint16_t>& print = prints_[PlaceOf(hash)];
    // Relaxed: see above.
    const bool there = print.load(std::memory_order_relaxed) == PrintOf(hash);
    if (there) {
      print.store(0, std::memory_order_relaxed);
    }
    return there;
  }
  uint64_t memory_bytes() const { return prints_.size() * sizeof(uint16_t); }

 private:
  uint64_t PlaceOf(uint64_t hash) const { return (hash >> 8) % prints_.size(); }
  static uint16_t PrintOf(uint64_t hash) { return static_cast<uint16_t>(hash * 2 + 1); }

  std::vector<std::atomic<uint16_t>> prints_;
};

}  // namespace lss

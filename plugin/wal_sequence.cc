#include "plugin/wal_sequence.h"

#include <algorithm>
#include <cstring>

namespace bloom_lfs {

namespace {

// Sequence numbers have 56 bits.
constexpr uint64_t kSequenceEnd = uint64_t{1} << 56;

struct BatchHeader {
  uint64_t sequence;
  uint32_t count;
};

BatchHeader Load(const char* payload) {
  BatchHeader header = {};
  std::memcpy(&header.sequence, payload, sizeof(header.sequence));
  std::memcpy(&header.count, payload + sizeof(header.sequence), sizeof(header.count));
  return header;
}

}  // namespace

bool WalSequence::IsPlausible(const char* payload, uint64_t entries) {
  const BatchHeader header = Load(payload);
  return header.sequence < kSequenceEnd && header.count <= entries;
}

void WalSequence::AddPayload(const char* data, size_t size) {
  const size_t wanted = std::min(size, kPrefixBytes - prefix_bytes_);
  std::memcpy(prefix_ + prefix_bytes_, data, wanted);
  prefix_bytes_ += wanted;
}

bool WalSequence::BeginsNext() const {
  if (!any_ || prefix_bytes_ < kPrefixBytes) {
    return false;
  }
  const uint64_t sequence = Load(prefix_).sequence;
  return sequence >= last_ && sequence <= last_ + last_count_;
}

bool WalSequence::EndRecord(uint64_t end, bool readable) {
  if (!readable || prefix_bytes_ < kPrefixBytes) {
    return end <= rule_.judged_above || end <= rule_.gaps_below;
  }
  const auto [sequence, count] = Load(prefix_);
  if (end > rule_.judged_above && !Follows(end, sequence)) {
    return false;
  }
  left_out_ = left_out_ || (any_ && sequence > last_ + last_count_);
  first_ = any_ ? first_ : sequence;
  last_ = sequence;
  last_count_ = count;
  any_ = true;
  return true;
}

bool WalSequence::Follows(uint64_t end, uint64_t sequence) const {
  // Some ways of writing take fewer numbers than entries; what prepares a transaction takes none.
  if (any_ && sequence < last_) {
    return false;
  }
  const bool next = any_ && sequence <= last_ + last_count_;
  return next || left_out_ || end <= rule_.gaps_below;
}

}  // namespace bloom_lfs

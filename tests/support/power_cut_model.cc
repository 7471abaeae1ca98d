#include "tests/support/power_cut_model.h"

#include <algorithm>
#include <random>

namespace lss::test {
namespace {

void Overwrite(const char* data, uint64_t length, Address offset, std::string* image) {
  if (image->size() < offset + length) {
    image->resize(offset + length, '\0');
  }
  image->replace(offset, length, data, length);
}

}  // namespace

PowerCutModel::WriteId PowerCutModel::BeginWrite(Address offset, std::string bytes) {
  Op op;
  op.id = next_id_++;
  op.is_write = true;
  op.offset = offset;
  op.bytes = std::move(bytes);
  ops_.push_back(std::move(op));
  return ops_.back().id;
}

void PowerCutModel::EndWrite(WriteId id, uint64_t landed, bool durable) {
  for (Op& op : ops_) {
    if (op.id == id) {
      op.ended = true;
      op.bytes.resize(std::min<uint64_t>(landed, op.bytes.size()));
      op.safe = durable;
      op.new_size = op.offset + op.bytes.size();
      op.sets_size = op.new_size > live_.size();
      Overwrite(op.bytes.data(), op.bytes.size(), op.offset, &live_);
      break;
    }
    // A durable write comes with the metadata to find it.
    op.safe = op.safe || (durable && op.ended && op.sets_size);
  }
  FoldSettledOps();
}

void PowerCutModel::SetSize(uint64_t size) {
  Op op;
  op.id = next_id_++;
  op.sets_size = true;
  op.new_size = size;
  op.ended = true;
  ops_.push_back(std::move(op));
  live_.resize(size, '\0');
}

PowerCutModel::Covered PowerCutModel::BeginSync() const {
  Covered covered;
  for (const Op& op : ops_) {
    if (op.ended) {
      covered.push_back(op.id);
    }
  }
  return covered;
}

void PowerCutModel::EndSync(const Covered& covered, bool ok) {
  for (Op& op : ops_) {
    if (std::binary_search(covered.begin(), covered.end(), op.id)) {
      op.safe = op.safe || (ok && !op.lost);
      op.lost = op.lost || (!ok && op.is_write && !op.safe);
    }
  }
  FoldSettledOps();
}

void PowerCutModel::FoldSettledOps() {
  while (!ops_.empty() && (ops_.front().safe || ops_.front().lost)) {
    if (ops_.front().safe) {
      ApplyWhole(ops_.front(), &settled_);
    }
    ops_.pop_front();
  }
}

void PowerCutModel::ApplyWhole(const Op& op, std::string* image) {
  if (op.is_write) {
    Overwrite(op.bytes.data(), op.bytes.size(), op.offset, image);
  } else {
    image->resize(op.new_size, '\0');
  }
}

// Only what lies inside the file as it is by then: longer, it would have needed its size change.
void PowerCutModel::ApplyRandomPart(const Op& op, uint64_t seed, std::string* image) {
  std::mt19937_64 random(seed ^ (op.id * 0x9e3779b97f4a7c15ULL));
  const Address end = std::min<Address>(op.offset + op.bytes.size(), image->size());
  uint64_t fate = 0;  // of the page: 0 lost, 1 kept, 2 torn
  for (Address at = op.offset; at < end;) {
    if (at == op.offset || at % kPageBytes == 0) {
      fate = random() % 3;
    }
    const Address stop = std::min<Address>(end, (at / kSectorBytes + 1) * kSectorBytes);
    if (fate == 1 || (fate == 2 && random() % 2 == 0)) {
      Overwrite(op.bytes.data() + (at - op.offset), stop - at, at, image);
    }
    at = stop;
  }
}

// How many of the size changes in the list have made it to the journal: a prefix that reaches at
// least to the last one that is known to be safe.
size_t PowerCutModel::KeptSizeChanges(Survivors survivors, uint64_t seed) const {
  size_t all = 0;
  size_t safe = 0;
  for (const Op& op : ops_) {
    all += op.sets_size ? 1 : 0;
    safe = op.sets_size && op.safe ? all : safe;
  }
  if (survivors == Survivors::kRandomSubset) {
    return safe + std::mt19937_64(seed)() % (all - safe + 1);
  }
  return survivors == Survivors::kEverything ? all : safe;
}

std::string PowerCutModel::PowerCut(Survivors survivors, uint64_t seed) const {
  std::string image = settled_;
  size_t size_changes_left = KeptSizeChanges(survivors, seed);
  for (const Op& op : ops_) {
    const bool journalled = op.sets_size && size_changes_left > 0;
    size_changes_left -= journalled ? 1 : 0;
    if (op.lost) {
      continue;
    }
    if (op.safe || journalled || (op.is_write && survivors == Survivors::kEverything)) {
      ApplyWhole(op, &image);
    } else if (op.is_write && survivors == Survivors::kRandomSubset) {
      ApplyRandomPart(op, seed, &image);
    }
  }
  return image;
}

}  // namespace lss::test

#include "plugin/blob_sizes.h"

#include <algorithm>
#include <cstring>

namespace bloom_lfs {
namespace {

// Above what RocksDB can store; keeps the sums below from overflowing.
constexpr uint64_t kMaxLength = 1ULL << 40;

}  // namespace

void BlobSizes::Observe(const char* data, size_t size) {
  const uint64_t begin = observed_;
  observed_ += size;
  while (!unknown_ && next_ + collected_ < observed_) {
    const size_t wanted = next_ == 0 ? blob_format::kHeaderBytes : blob_format::kRecordHeaderBytes;
    const uint64_t at = next_ + collected_;
    const auto n = static_cast<size_t>(std::min<uint64_t>(wanted - collected_, observed_ - at));
    std::memcpy(header_ + collected_, data + (at - begin), n);
    collected_ += n;
    if (collected_ == wanted) {
      collected_ = 0;
      TakeHeader();
    }
  }
}

void BlobSizes::TakeHeader() {
  if (next_ == 0) {
    unknown_ = !blob_format::IsKnownHeader(header_);
    next_ = blob_format::kHeaderBytes;
    return;
  }
  const uint64_t key = blob_format::KeyBytes(header_);
  const uint64_t value = blob_format::ValueBytes(header_);
  if (key > kMaxLength || value > kMaxLength) {
    unknown_ = true;  // a footer, as a rule: then nothing follows
    return;
  }
  next_ += blob_format::kRecordHeaderBytes + key + value;
  ++records_;
}

uint64_t BlobSizes::MeanRecordBytes() const {
  return records_ == 0 ? 0 : (next_ - blob_format::kHeaderBytes) / records_;
}

}  // namespace bloom_lfs

#include "plugin/flash/blob_on_flash.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "lss/base/page_buffer.h"
#include "plugin/blob_record.h"
#include "plugin/flash/background_thread.h"

namespace bloom_lfs {
namespace {

using rocksdb::FSReadRequest;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

// The whole sectors around [offset, offset + length), and memory for them.
class Sectors {
 public:
  // False: there is no memory.
  bool Cover(uint64_t offset, size_t length, size_t sector) {
    begin_ = offset / sector * sector;
    skipped_ = static_cast<size_t>(offset - begin_);
    wanted_ = length;
    length_ = (skipped_ + length + sector - 1) / sector * sector;
    return buffer_.Reserve(length_);
  }
  uint64_t begin() const { return begin_; }
  size_t length() const { return length_; }
  char* memory() { return buffer_.data(); }
  // Copies what was wanted to `scratch`, as far as it was read.
  Slice Take(const Slice& read, char* scratch) const {
    const size_t there = read.size() <= skipped_ ? 0 : std::min(wanted_, read.size() - skipped_);
    if (there > 0) {
      memcpy(scratch, read.data() + skipped_, there);
    }
    return {scratch, there};
  }

 private:
  uint64_t begin_ = 0;
  size_t skipped_ = 0;
  size_t wanted_ = 0;
  size_t length_ = 0;
  lss::PageBuffer buffer_;
};

IOStatus NoMemory() { return IOStatus::IOError("no memory for a direct read of a blob file"); }

// RocksDB asks to be spared what any cache has kept; from 9.x on.
template <typename Options>
auto WantsTheDisk(const Options& options, int /*better*/)
    -> decltype(options.verify_and_reconstruct_read) {
  return options.verify_and_reconstruct_read;
}
template <typename Options>
bool WantsTheDisk(const Options& /*options*/, long /*worse*/) {
  return false;
}

// A file is at most 2^40 bytes for this purpose, a blob less than 2^24.
constexpr int kLengthBits = 24;

bool HasKey(uint64_t offset, size_t length) {
  return length > 0 && length >> kLengthBits == 0 && offset >> (64 - kLengthBits) == 0;
}

}  // namespace

BlobOnFlash::BlobOnFlash(std::unique_ptr<rocksdb::FSRandomAccessFile> file,
                         const BlobIdentity& identity, std::shared_ptr<lss::PageStore> tier,
                         bool serves_background)
    : file_(std::move(file)),
      identity_(identity),
      tier_(std::move(tier)),
      serves_background_(serves_background) {}

bool BlobOnFlash::Serves(const IOOptions& options) const {
  return !WantsTheDisk(options, 0) && (serves_background_ || !IsBackgroundThread());
}

bool BlobOnFlash::Find(uint64_t offset, size_t length, char* scratch) const {
  const lss::PageKey key = {identity_.id, offset << kLengthBits | length};
  lss::PageCopy copy;
  if (!HasKey(offset, length) || !tier_->Lookup(key, &copy) || copy.length != length) {
    return false;
  }
  memcpy(scratch, copy.bytes, length);
  if (copy.goes_soon) {
    tier_->Insert(key, {scratch, length}, 0, 0);
  }
  return true;
}

void BlobOnFlash::Offer(uint64_t offset, const Slice& bytes) const {
  if (HasKey(offset, bytes.size()) && IsIntactBlobRecord(bytes.data(), bytes.size())) {
    const lss::PageKey key = {identity_.id, offset << kLengthBits | bytes.size()};
    tier_->Insert(key, {bytes.data(), bytes.size()}, 0, 0);
  }
}

IOStatus BlobOnFlash::Read(uint64_t offset, size_t length, const IOOptions& options, Slice* result,
                           char* scratch, IODebugContext* dbg) const {
  const bool serves = Serves(options);
  if (serves && Find(offset, length, scratch)) {
    *result = Slice(scratch, length);
    return IOStatus::OK();
  }
  Sectors sectors;
  if (!sectors.Cover(offset, length, file_->GetRequiredBufferAlignment())) {
    return NoMemory();
  }
  Slice read;
  IOStatus status =
      file_->Read(sectors.begin(), sectors.length(), options, &read, sectors.memory(), dbg);
  *result = status.ok() ? sectors.Take(read, scratch) : Slice(scratch, 0);
  if (status.ok() && serves && result->size() == length) {
    Offer(offset, *result);
  }
  return status;
}

IOStatus BlobOnFlash::MultiRead(FSReadRequest* requests, size_t count, const IOOptions& options,
                                IODebugContext* dbg) {
  const bool serves = Serves(options);
  std::vector<FSReadRequest*> missing;
  for (FSReadRequest* request = requests; request != requests + count; ++request) {
    if (serves && Find(request->offset, request->len, request->scratch)) {
      request->result = Slice(request->scratch, request->len);
      request->status = IOStatus::OK();
    } else {
      missing.push_back(request);
    }
  }
  std::vector<Sectors> sectors(missing.size());
  std::vector<FSReadRequest> direct(missing.size());
  for (size_t i = 0; i < missing.size(); ++i) {
    if (!sectors[i].Cover(missing[i]->offset, missing[i]->len,
                          file_->GetRequiredBufferAlignment())) {
      return NoMemory();
    }
    direct[i].offset = sectors[i].begin();
    direct[i].len = sectors[i].length();
    direct[i].scratch = sectors[i].memory();
  }
  IOStatus status = missing.empty() ? IOStatus::OK()
                                    : file_->MultiRead(direct.data(), direct.size(), options, dbg);
  for (size_t i = 0; i < missing.size(); ++i) {
    FSReadRequest* const request = missing[i];
    const bool read = status.ok() && direct[i].status.ok();
    request->result =
        read ? sectors[i].Take(direct[i].result, request->scratch) : Slice(request->scratch, 0);
    request->status = std::move(direct[i].status);
    if (read && serves && request->result.size() == request->len) {
      Offer(request->offset, request->result);
    }
  }
  return status;
}

}  // namespace bloom_lfs

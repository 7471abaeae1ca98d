#include "plugin/blob_tail.h"

#include <algorithm>
#include <vector>

#include "lss/base/crc32c.h"
#include "plugin/blob_format.h"

namespace bloom_lfs {
namespace {

using blob_format::kFooterBytes;
using blob_format::kHeaderBytes;
using blob_format::kRecordHeaderBytes;
using blob_format::Load;
using blob_format::Mask;

constexpr size_t kStepBytes = 256 << 10;

class Scanner {
 public:
  Scanner(const TailReadFunction& read, uint64_t file_size)
      : read_(read), file_size_(file_size), buffer_(kStepBytes) {}

  BlobTail Run() {
    tail_.stop = Header();
    while (tail_.stop == BlobTailStop::kEndOfFile && tail_.end < file_size_) {
      const BlobTailStop stop = RecordOrFooter();
      if (stop != BlobTailStop::kEndOfFile) {
        tail_.stop = stop;
        break;
      }
    }
    tail_.stop_end = tail_.end < file_size_ ? tail_.end + record_bytes_ : tail_.end;
    return tail_;
  }

 private:
  // Puts bytes [at, at + n) into buffer_, n at most kStepBytes. False at the end of the file, or on
  // an error, which it notes.
  bool Fetch(uint64_t at, size_t n) {
    const TailPart part = ReadTailPart(read_, at, n, buffer_.data());
    tail_.error = part.error;
    return part.size == n;
  }

  BlobTailStop Short() const {
    return tail_.error != 0 ? BlobTailStop::kReadError : BlobTailStop::kTornRecord;
  }

  BlobTailStop Header() {
    if (file_size_ < kHeaderBytes || !Fetch(0, kHeaderBytes)) {
      return Short();
    }
    const char* header = buffer_.data();
    if (std::all_of(header, header + kHeaderBytes, [](char c) { return c == 0; })) {
      return BlobTailStop::kBadChecksum;  // its first page never reached the disk
    }
    if (!blob_format::IsKnownHeader(header)) {
      return BlobTailStop::kUnknown;
    }
    tail_.end = kHeaderBytes;
    return BlobTailStop::kEndOfFile;
  }

  BlobTailStop RecordOrFooter() {
    static_assert(kRecordHeaderBytes == kFooterBytes, "one read serves both");
    record_bytes_ = kRecordHeaderBytes;
    if (file_size_ - tail_.end < kRecordHeaderBytes || !Fetch(tail_.end, kRecordHeaderBytes)) {
      return Short();
    }
    const char* header = buffer_.data();
    if (blob_format::IsFooter(header)) {
      tail_.end += kFooterBytes;
      return BlobTailStop::kFooter;
    }
    if (!blob_format::IsRecordHeader(header)) {
      return BlobTailStop::kBadChecksum;
    }
    const auto key = blob_format::KeyBytes(header);
    const auto value = blob_format::ValueBytes(header);
    const auto blob_crc = Load<uint32_t>(header + 28);
    const uint64_t begin = tail_.end + kRecordHeaderBytes;
    const uint64_t left = file_size_ - begin;
    if (key > left || value > left - key) {
      record_bytes_ += left;
      return BlobTailStop::kTornRecord;
    }
    record_bytes_ += key + value;
    return Blob(begin, key + value, blob_crc);
  }

  BlobTailStop Blob(uint64_t begin, uint64_t length, uint32_t stored_crc) {
    uint32_t crc = 0;
    for (uint64_t done = 0; done < length;) {
      const auto part = static_cast<size_t>(std::min<uint64_t>(kStepBytes, length - done));
      if (!Fetch(begin + done, part)) {
        return Short();
      }
      crc = lss::Crc32c(crc, buffer_.data(), part);
      done += part;
    }
    if (Mask(crc) != stored_crc) {
      return BlobTailStop::kBadChecksum;
    }
    tail_.end = begin + length;
    ++tail_.records;
    return BlobTailStop::kEndOfFile;
  }

  const TailReadFunction& read_;
  const uint64_t file_size_;
  std::vector<char> buffer_;
  uint64_t record_bytes_ = kHeaderBytes;  // of what is read last, as its header says
  BlobTail tail_;
};

}  // namespace

const char* ToString(BlobTailStop stop) {
  switch (stop) {
    case BlobTailStop::kFooter:
      return "complete";
    case BlobTailStop::kEndOfFile:
      return "end of file";
    case BlobTailStop::kTornRecord:
      return "torn record";
    case BlobTailStop::kBadChecksum:
      return "bad checksum";
    case BlobTailStop::kUnknown:
      return "unknown format";
    case BlobTailStop::kReadError:
      return "read error";
  }
  return "?";
}

std::string BlobTail::ToString() const {
  return std::to_string(records) + " whole blobs end at offset " + std::to_string(end) + " (" +
         bloom_lfs::ToString(stop) + ")";
}

BlobTail FindBlobTail(const TailReadFunction& read, uint64_t file_size) {
  return Scanner(read, file_size).Run();
}

}  // namespace bloom_lfs

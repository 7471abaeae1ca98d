#include "plugin/wal_tail.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "plugin/wal_piece.h"
#include "plugin/wal_stale_piece.h"

namespace bloom_lfs {
namespace {

using wal_piece::ChecksumMatches;
using wal_piece::LengthIn;
using wal_piece::LoadFixed32;
using wal_piece::Piece;

constexpr size_t kBlockSize = kWalBlockBytes;
constexpr size_t kLegacyHeaderSize = kWalHeaderBytes;
constexpr size_t kRecyclableHeaderSize = wal_piece::kRecyclableHeaderBytes;

// Blocks are fetched several at a time: a read of the scan may well go to the disk.
constexpr size_t kChunkBlocks = 8;

bool AllZero(const char* p, size_t n) {
  return std::all_of(p, p + n, [](char c) { return c == 0; });
}

// Serves the file block by block out of a buffer of kChunkBlocks.
class BlockSource {
 public:
  BlockSource(const TailReadFunction& read, uint64_t file_size)
      : read_(read),
        file_size_(file_size),
        chunk_(static_cast<size_t>(std::min<uint64_t>(kChunkBlocks * kBlockSize, file_size))) {}

  // Points *data at the block that starts at `offset` (a multiple of kBlockSize) and sets *size,
  // which is less than kBlockSize only at the end of the file. Returns 0 or an errno.
  int Load(uint64_t offset, const char** data, size_t* size) {
    const bool buffered = offset >= chunk_offset_ && offset < chunk_offset_ + chunk_size_;
    if (!buffered) {
      const int error = Fill(offset);
      if (error != 0) return error;
    }
    const size_t skip = static_cast<size_t>(offset - chunk_offset_);
    *data = chunk_.data() + skip;
    *size = std::min(kBlockSize, chunk_size_ - skip);
    return 0;
  }

 private:
  int Fill(uint64_t offset) {
    chunk_offset_ = offset;
    chunk_size_ = 0;
    if (offset >= file_size_) return 0;
    const size_t want = static_cast<size_t>(std::min<uint64_t>(chunk_.size(), file_size_ - offset));
    const TailPart part = ReadTailPart(read_, offset, want, chunk_.data());
    chunk_size_ = part.size;
    return part.error;
  }

  const TailReadFunction& read_;
  const uint64_t file_size_;
  std::vector<char> chunk_;
  uint64_t chunk_offset_ = 0;
  size_t chunk_size_ = 0;
};

class Scanner {
 public:
  Scanner(const TailReadFunction& read, std::optional<uint32_t> log_number,
          const WalSequenceRule& rule)
      : read_(read), rule_(rule), log_number_(log_number), sequence_(rule) {}

  // Takes the block at `offset`. Returns false when the scan is over.
  bool TakeBlock(uint64_t offset, const char* data, size_t size) {
    if (offset == 0) tail_.begins_like_a_log = BeginsLikeALog(data, size);
    size_t position = 0;
    while (kBlockSize - position >= HeaderSize()) {
      if (position == size && padding_ == 0) {
        return Stop(in_fragments_ ? WalTailStop::kTornRecord : WalTailStop::kEndOfFile,
                    offset + position, 0);
      }
      Piece record{};
      const std::optional<WalTailStop> fault =
          Parse(data + position, size - position, kBlockSize - position, &record);
      if (fault == WalTailStop::kZeros && StartPadding(data + position, size - position,
                                                       kBlockSize - position, offset + position)) {
        return true;
      }
      if (padding_ != 0 && !EndPadding(fault, record)) {
        return Stop(WalTailStop::kZeros, padding_offset_, padding_);
      }
      if (fault) return Stop(*fault, offset + position, piece_size_);
      out_of_order_ = IsOfEarlierLap(record, offset + position, data + position);
      if (out_of_order_ || !Accept(record, offset + position)) {
        return Stop(out_of_order_ ? WalTailStop::kOutOfOrder : WalTailStop::kOutOfSequence,
                    offset + position, record.size);
      }
      position += record.size;
    }
    if (size < kBlockSize) {  // the file ends in the trailer
      return Stop(in_fragments_ ? WalTailStop::kTornRecord : WalTailStop::kEndOfFile, offset + size,
                  0);
    }
    return true;
  }

  const WalTail& Finish() const { return tail_; }

  WalTail Fail(int error, uint64_t offset) {
    tail_.error = error;
    Stop(WalTailStop::kReadError, offset, 0);
    return Finish();
  }

 private:
  // What is left of a block and is shorter than this is its trailer.
  size_t HeaderSize() const { return seen_recyclable_ ? kRecyclableHeaderSize : kLegacyHeaderSize; }

  bool Stop(WalTailStop why, uint64_t offset, size_t size) {
    if (unwitnessed_ && why != WalTailStop::kEndOfFile) {
      tail_ = *unwitnessed_;
    }
    tail_.stop = why;
    tail_.stop_offset = offset;
    tail_.stop_end = offset + size;
    return false;
  }

  // Whether the file begins as a writer begins it: with a batch, in a record of its own or in a
  // fragment that fills the block.
  bool BeginsLikeALog(const char* p, size_t available) const {
    if (available < kRecyclableHeaderSize + WalSequence::kPrefixBytes) return false;
    const RecordType type = Decode(static_cast<uint8_t>(p[6]));
    const size_t header_size = type.recyclable ? kRecyclableHeaderSize : kLegacyHeaderSize;
    const size_t length = LengthIn(p);
    if (type.recyclable && log_number_.value_or(LoadFixed32(p + kLegacyHeaderSize)) !=
                               LoadFixed32(p + kLegacyHeaderSize)) {
      return false;
    }
    const char* batch = p + header_size;
    if (type.kind == RecordKind::kFirst) {
      return header_size + length == kBlockSize &&
             WalSequence::IsPlausible(batch, WalSequence::kManyEntries);
    }
    return type.kind == RecordKind::kFull && length >= WalSequence::kPrefixBytes &&
           header_size + length <= kBlockSize && WalSequence::IsPlausible(batch, length);
  }

  // Reads the record at p, where `available` bytes of the file and `room` bytes of the block are
  // left. Returns what is wrong with it, or nothing.
  std::optional<WalTailStop> Parse(const char* p, size_t available, size_t room, Piece* record) {
    piece_size_ = kLegacyHeaderSize;
    if (AllZero(p, std::min(available, kLegacyHeaderSize))) return WalTailStop::kZeros;
    if (available < kLegacyHeaderSize) return WalTailStop::kTornRecord;
    const size_t length = LengthIn(p);
    const RecordType type = Decode(static_cast<uint8_t>(p[6]));
    const size_t header_size = type.recyclable ? kRecyclableHeaderSize : kLegacyHeaderSize;
    piece_size_ = std::min(header_size + length, room);
    if (type.kind == RecordKind::kUnknown) return JudgeUnknown(p, available, length);

    if (header_size + length > room) return WalTailStop::kBadLength;
    if (header_size + length > available) return WalTailStop::kTornRecord;
    if (!ChecksumMatches(p, header_size + length)) return WalTailStop::kBadChecksum;
    if (type.recyclable) {
      const uint32_t number = LoadFixed32(p + kLegacyHeaderSize);
      if (log_number_.value_or(number) != number) return WalTailStop::kForeignLogNumber;
      log_number_ = number;
      seen_recyclable_ = true;
    }
    *record = {type.kind, p + header_size, length, header_size + length};
    return std::nullopt;
  }

  // A later RocksDB may have written it, with either header; the checksum tells that from garbage.
  static WalTailStop JudgeUnknown(const char* p, size_t available, size_t length) {
    for (const size_t header_size : {kLegacyHeaderSize, kRecyclableHeaderSize}) {
      const size_t size = header_size + length;
      if (size <= available && ChecksumMatches(p, size)) return WalTailStop::kUnknownType;
    }
    return WalTailStop::kBadChecksum;
  }

  // Later RocksDB versions never fragment their metadata records: if one does not fit, the rest of
  // the block becomes zeros. So zeros up to a block's end are no hole if the next block starts
  // with a metadata record that would not have fitted. Zeros inside a fragmented record always are.
  bool StartPadding(const char* p, size_t available, size_t room, uint64_t offset) {
    const bool whole = available == room && AllZero(p, available);
    if (!whole || in_fragments_ || padding_ != 0) return false;
    padding_ = room;
    padding_offset_ = offset;
    return true;
  }

  bool EndPadding(std::optional<WalTailStop> fault, const Piece& record) {
    if (fault || record.kind != RecordKind::kPaddedMetadata || record.size <= padding_) {
      return false;
    }
    padding_ = 0;
    return true;
  }

  // Only where a number would not tell.
  bool IsOfEarlierLap(const Piece& record, uint64_t offset, const char* header) const {
    const bool numbered = !seen_compression_ && record.kind != RecordKind::kMiddle &&
                          record.kind != RecordKind::kLast;
    return rule_.lap > 0 && offset >= rule_.judged_above && !numbered &&
           IsStalePiece(read_, rule_.lap, offset, header);
  }

  // Takes a valid record into the sequence; returns false if it has no place there.
  bool Accept(const Piece& record, uint64_t offset) {
    const uint64_t end = offset + record.size;
    switch (record.kind) {
      case RecordKind::kFirst:
        if (HasPartialPayload()) return false;
        in_fragments_ = true;
        fragment_bytes_ = record.payload_size;
        BeginPayload(record);
        return true;
      case RecordKind::kMiddle:
        fragment_bytes_ += record.payload_size;
        sequence_.AddPayload(record.payload, record.payload_size);
        return in_fragments_;
      case RecordKind::kLast:
        sequence_.AddPayload(record.payload, record.payload_size);
        return in_fragments_ && CompletePieces(end);
      case RecordKind::kFull:
        BeginPayload(record);
        return !HasPartialPayload() && Complete(end, true);
      case RecordKind::kCompression:
        // Everything behind it is compressed, so it stands in front of all data and only once.
        if (seen_data_ || seen_compression_) return false;
        seen_compression_ = true;
        return !in_fragments_ && Complete(end, false);
      case RecordKind::kPaddedMetadata:
        return !in_fragments_ && Complete(end, false);
      case RecordKind::kUnknown:
        break;
    }
    return false;
  }

  // Very old writers left an empty FIRST at a block's end and began again in the next block.
  bool HasPartialPayload() const { return in_fragments_ && fragment_bytes_ > 0; }

  void BeginPayload(const Piece& record) {
    sequence_.BeginRecord();
    sequence_.AddPayload(record.payload, record.payload_size);
    if (sequence_.BeginsNext()) {
      unwitnessed_.reset();
    }
  }

  // Does not count before something shows that its pieces belong together.
  bool CompletePieces(uint64_t end) {
    const WalTail before = tail_;
    if (!Complete(end, true)) return false;
    if (rule_.NeedsWitness(end) && !seen_compression_) unwitnessed_ = before;
    return true;
  }

  bool Complete(uint64_t end, bool is_data) {
    in_fragments_ = false;
    out_of_order_ = false;
    if (is_data) {
      const bool denies = unwitnessed_ && !sequence_.BeginsNext();
      out_of_order_ = denies || !sequence_.EndRecord(end, !seen_compression_);
      if (out_of_order_) return false;
      unwitnessed_.reset();
      tail_.first_sequence = sequence_.first();
      tail_.last_sequence = sequence_.last();
      tail_.next_sequence = sequence_.next();
      tail_.leaves_out = sequence_.left_out();
    }
    seen_data_ = seen_data_ || is_data;
    tail_.end = end;
    ++tail_.records;
    tail_.data_records += is_data ? 1 : 0;
    return true;
  }

  const TailReadFunction& read_;
  const WalSequenceRule rule_;
  WalTail tail_;
  std::optional<WalTail> unwitnessed_;  // what counts if the last record does not
  std::optional<uint32_t> log_number_;
  WalSequence sequence_;
  size_t piece_size_ = 0;  // of the record that was parsed last, as its header says
  bool out_of_order_ = false;
  bool seen_recyclable_ = false;
  bool seen_data_ = false;
  bool seen_compression_ = false;
  bool in_fragments_ = false;
  uint64_t fragment_bytes_ = 0;
  uint64_t padding_ = 0;  // length of the zeros that ended the block before, if they may be padding
  uint64_t padding_offset_ = 0;
};

}  // namespace

const char* ToString(WalTailStop stop) {
  switch (stop) {
    case WalTailStop::kEndOfFile:
      return "end of file";
    case WalTailStop::kTornRecord:
      return "record cut off by the end of the file";
    case WalTailStop::kZeros:
      return "zeros";
    case WalTailStop::kBadChecksum:
      return "checksum mismatch";
    case WalTailStop::kBadLength:
      return "record longer than its block";
    case WalTailStop::kOutOfSequence:
      return "record out of sequence";
    case WalTailStop::kForeignLogNumber:
      return "record of another log";
    case WalTailStop::kUnknownType:
      return "valid record of an unknown type";
    case WalTailStop::kOutOfOrder:
      return "record whose sequence number does not follow";
    case WalTailStop::kReadError:
      return "read error";
  }
  return "unknown";
}

std::string WalTail::ToString() const {
  std::string line = std::to_string(records) + " whole records end at byte " + std::to_string(end) +
                     "; at byte " + std::to_string(stop_offset) + ": " + bloom_lfs::ToString(stop);
  if (error != 0) line += std::string(" (") + std::strerror(error) + ")";
  return line;
}

WalTail FindWalTail(const TailReadFunction& read, uint64_t file_size,
                    std::optional<uint32_t> log_number, const WalSequenceRule& rule) {
  BlockSource source(read, file_size);
  Scanner scanner(read, log_number, rule);
  for (uint64_t offset = 0;; offset += kBlockSize) {
    const char* data = nullptr;
    size_t size = 0;
    const int error = source.Load(offset, &data, &size);
    if (error != 0) return scanner.Fail(error, offset);
    if (!scanner.TakeBlock(offset, data, size)) return scanner.Finish();
  }
}

}  // namespace bloom_lfs

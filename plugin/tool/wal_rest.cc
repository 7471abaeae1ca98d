#include "plugin/tool/wal_rest.h"

#include <cstring>
#include <vector>

#include "plugin/wal_piece.h"
#include "plugin/wal_sequence.h"

namespace bloom_lfs::tool {
namespace {

using wal_piece::Piece;

class RestScanner {
 public:
  RestScanner(const TailReadFunction& read, const WalRestRule& rule)
      : read_(read), rule_(rule), block_(kWalBlockBytes) {}

  WalRest Scan(uint64_t from, uint64_t size) {
    uint64_t block = from / kWalBlockBytes * kWalBlockBytes;
    if (Load(block)) {
      LookAtEveryByte(block, static_cast<size_t>(from - block));
    }
    for (block += kWalBlockBytes; block < size && !rest_.record && Load(block);
         block += kWalBlockBytes) {
      WalkBlock(block);
    }
    return rest_;
  }

 private:
  // False where nothing can be read.
  bool Load(uint64_t offset) {
    loaded_ = ReadTailPart(read_, offset, block_.size(), block_.data()).size;
    return loaded_ > 0;
  }

  // One that belongs to the log.
  std::optional<Piece> PieceAt(size_t position) const {
    const char* const p = block_.data() + position;
    const size_t left = loaded_ - position;
    if (left < kWalHeaderBytes) {
      return std::nullopt;
    }
    const RecordType type = Decode(static_cast<uint8_t>(p[6]));
    const size_t header = type.recyclable ? wal_piece::kRecyclableHeaderBytes : kWalHeaderBytes;
    const size_t length = wal_piece::LengthIn(p);
    if (type.kind == RecordKind::kUnknown || header + length > left ||
        !wal_piece::ChecksumMatches(p, header + length)) {
      return std::nullopt;
    }
    if (type.recyclable && rule_.log_number &&
        wal_piece::LoadFixed32(p + kWalHeaderBytes) != *rule_.log_number) {
      return std::nullopt;
    }
    return Piece{type.kind, p + header, length, header + length};
  }

  // The length in the header at `from` may be what is damaged.
  void LookAtEveryByte(uint64_t block, size_t from) {
    for (size_t position = from; position < loaded_ && !rest_.record; ++position) {
      const std::optional<Piece> piece = PieceAt(position);
      if (piece) {
        rest_.any_piece = true;
        Judge(*piece, block + position);
        position += piece->size - 1;
      }
    }
  }

  void WalkBlock(uint64_t block) {
    for (size_t position = 0; !rest_.record;) {
      const std::optional<Piece> piece = PieceAt(position);
      if (!piece) {
        return;
      }
      rest_.any_piece = true;
      Judge(*piece, block + position);
      position += piece->size;
    }
  }

  // Only the first piece of a record has a number.
  void Judge(const Piece& piece, uint64_t offset) {
    const bool begins = piece.kind == RecordKind::kFull || piece.kind == RecordKind::kFirst;
    if (!begins || (!rule_.compressed && piece.payload_size < WalSequence::kPrefixBytes)) {
      return;
    }
    if (rule_.compressed) {
      rest_.record = offset;
      return;
    }
    const uint64_t entries =
        piece.kind == RecordKind::kFull ? piece.payload_size : WalSequence::kManyEntries;
    uint64_t sequence = 0;
    std::memcpy(&sequence, piece.payload, sizeof(sequence));
    if (WalSequence::IsPlausible(piece.payload, entries) && sequence > rule_.above) {
      rest_.record = offset;
      rest_.sequence = sequence;
    }
  }

  const TailReadFunction& read_;
  const WalRestRule& rule_;
  std::vector<char> block_;
  size_t loaded_ = 0;  // bytes of the block that are there
  WalRest rest_;
};

}  // namespace

WalRest FindWalRest(const TailReadFunction& read, uint64_t from, uint64_t size,
                    const WalRestRule& rule) {
  return RestScanner(read, rule).Scan(from, size);
}

}  // namespace bloom_lfs::tool

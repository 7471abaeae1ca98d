#include "plugin/tool/blob_check.h"

#include <algorithm>
#include <cstring>

#include "plugin/blob_format.h"
#include "plugin/blob_tail.h"

namespace bloom_lfs::tool {
namespace {

using blob_format::IsFooter;
using blob_format::IsRecordHeader;
using blob_format::kFooterBytes;
using blob_format::kHeaderBytes;
using blob_format::kRecordHeaderBytes;
using blob_format::Load;

bool ReadBlobPart(const TailReadFunction& read, uint64_t at, char* bytes, size_t n) {
  return ReadTailPart(read, at, n, bytes).size == n;
}

// Where something that reads lies behind the record at [at, end), which does not: the next record,
// or the footer; `size` if neither can be found.
uint64_t WholeAgain(const TailReadFunction& read, uint64_t at, uint64_t end, uint64_t size) {
  static_assert(kRecordHeaderBytes == kFooterBytes, "one buffer serves both");
  char bytes[kRecordHeaderBytes];
  if (end > at && size >= kRecordHeaderBytes && end <= size - kRecordHeaderBytes &&
      ReadBlobPart(read, end, bytes, sizeof(bytes)) && (IsRecordHeader(bytes) || IsFooter(bytes))) {
    return end;
  }
  const uint64_t footer = size - std::min<uint64_t>(size, kFooterBytes);
  const bool is_finished =
      footer > at && ReadBlobPart(read, footer, bytes, sizeof(bytes)) && IsFooter(bytes);
  return is_finished ? footer : size;
}

void JudgeFooter(const TailReadFunction& read, uint64_t size, const BlobTail& tail,
                 LogCheck* check) {
  char footer[kFooterBytes];
  const uint64_t at = tail.end - kFooterBytes;
  if (!ReadBlobPart(read, at, footer, sizeof(footer)) ||
      Load<uint64_t>(footer + 4) != tail.records) {
    check->verdict = LogVerdict::kDamaged;
    check->lost_acknowledged = true;
    check->offset = at;
    check->what = "its footer counts " + std::to_string(Load<uint64_t>(footer + 4)) + " blobs";
  } else if (tail.end < size) {
    check->verdict = LogVerdict::kDamaged;
    check->offset = tail.end;
    check->what = std::to_string(size - tail.end) + " bytes behind the footer";
  }
}

void JudgeBadBlob(const TailReadFunction& read, uint64_t size, const BlobTail& tail,
                  LogCheck* check) {
  const uint64_t again = WholeAgain(read, tail.end, tail.stop_end, size);
  check->what = "checksum mismatch";
  if (again < size) {
    check->verdict = LogVerdict::kDamaged;
    check->lost_acknowledged = true;
    check->whole_again = again;
    check->what += "; whole blobs, or the footer, follow at byte " + std::to_string(again);
  } else if (LooksTorn(read, tail.end, std::min(tail.stop_end, size))) {
    check->verdict = LogVerdict::kTornTail;
  } else {
    check->verdict = LogVerdict::kDamaged;
    check->what += "; nothing that reads follows";
  }
}

// The header has no checksum: a file of blobs may follow one that is damaged.
void JudgeUnknown(const TailReadFunction& read, LogCheck* check) {
  char bytes[kRecordHeaderBytes];
  const bool has_blobs =
      ReadBlobPart(read, kHeaderBytes, bytes, sizeof(bytes)) && IsRecordHeader(bytes);
  check->verdict = has_blobs ? LogVerdict::kDamaged : LogVerdict::kNotJudged;
  check->lost_acknowledged = has_blobs;
  check->what = has_blobs ? "its header is damaged; whole blobs follow"
                          : "not the header of a blob file: encrypted, or of a later RocksDB";
}

}  // namespace

LogCheck CheckBlob(const TailReadFunction& read, uint64_t size) {
  const BlobTail tail = FindBlobTail(read, size);
  LogCheck check;
  check.records = tail.records;
  check.end = tail.end;
  check.offset = tail.end;
  check.offset_end = tail.stop_end;
  switch (tail.stop) {
    case BlobTailStop::kFooter:
      JudgeFooter(read, size, tail, &check);
      break;
    case BlobTailStop::kEndOfFile:
      check.verdict = LogVerdict::kTornTail;
      check.what = "no footer: it was not finished";
      break;
    case BlobTailStop::kTornRecord:
      check.verdict = LogVerdict::kTornTail;
      check.what = "ends inside a blob";
      break;
    case BlobTailStop::kBadChecksum:
      JudgeBadBlob(read, size, tail, &check);
      break;
    case BlobTailStop::kUnknown:
      JudgeUnknown(read, &check);
      break;
    case BlobTailStop::kReadError:
      check.verdict = LogVerdict::kDamaged;
      check.what = std::string("read error: ") + std::strerror(tail.error);
      break;
  }
  return check;
}

}  // namespace bloom_lfs::tool

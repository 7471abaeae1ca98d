#include "plugin/tool/wal_check.h"

#include <algorithm>
#include <cstring>

#include "plugin/tool/wal_rest.h"
#include "plugin/wal_piece.h"
#include "plugin/wal_record_type.h"
#include "plugin/wal_tail.h"

namespace bloom_lfs::tool {
namespace {

LogCheck Beginning(const WalTail& tail) {
  LogCheck check;
  check.records = tail.records;
  check.batches = tail.data_records;
  check.end = tail.end;
  check.offset = tail.stop_offset;
  check.offset_end = tail.stop_end;
  check.what = ToString(tail.stop);
  check.first_sequence = tail.first_sequence;
  check.last_sequence = tail.last_sequence;
  check.next_sequence = tail.next_sequence;
  check.leaves_out = tail.leaves_out;
  return check;
}

// In a file that RocksDB uses again, old bytes follow its records.
bool IsRecycled(const TailReadFunction& read) {
  char header[kWalHeaderBytes] = {};
  return ReadTailPart(read, 0, sizeof(header), header).size == sizeof(header) &&
         Decode(static_cast<uint8_t>(header[6])).recyclable;
}

void Set(LogVerdict verdict, const std::string& what, LogCheck* check) {
  check->verdict = verdict;
  check->what += what;
}

void SetLost(const WalRest& rest, LogCheck* check) {
  check->verdict = LogVerdict::kDamaged;
  check->lost_acknowledged = true;
  check->whole_again = rest.record;
  check->what += "; whole records follow at byte " + std::to_string(*rest.record);
  if (rest.sequence && check->last_sequence > 0 && *rest.sequence > check->next_sequence) {
    check->what += ", and sequence numbers " + std::to_string(check->next_sequence) + " to " +
                   std::to_string(*rest.sequence - 1) + " are lost";
  } else {
    check->what += ", and what was between is lost";
  }
}

// Nothing that counts lies behind the bad place.
void JudgeTail(const TailReadFunction& read, uint64_t size, const WalTail& tail,
               const WalRest& rest, LogCheck* check) {
  const bool reads_like_a_log = tail.begins_like_a_log || tail.end > 0 || rest.any_piece;
  switch (tail.stop) {
    case WalTailStop::kZeros:
      return Set(LogVerdict::kTornTail, " up to the end", check);
    case WalTailStop::kTornRecord:
      return reads_like_a_log
                 ? Set(LogVerdict::kTornTail, "", check)
                 : Set(LogVerdict::kNotJudged, "; nothing reads like a log before it", check);
    case WalTailStop::kForeignLogNumber:
      return tail.end > 0 ? Set(LogVerdict::kWhole, ": the file is used again", check)
                          : Set(LogVerdict::kNotJudged,
                                ": a file to be used again, or one that was renamed", check);
    case WalTailStop::kBadChecksum:
    case WalTailStop::kBadLength:
      if (!reads_like_a_log) {
        return Set(LogVerdict::kNotJudged, "; nothing reads like a log: it may be encrypted",
                   check);
      }
      if (IsRecycled(read) || LooksTorn(read, tail.stop_offset, std::min(tail.stop_end, size))) {
        return Set(LogVerdict::kTornTail, "", check);
      }
      return Set(LogVerdict::kDamaged, "; it is the last record", check);
    default:
      return Set(LogVerdict::kDamaged, "", check);
  }
}

}  // namespace

LogCheck CheckWal(const TailReadFunction& read, uint64_t size, std::optional<uint32_t> log_number) {
  WalSequenceRule rule;
  rule.judged_above = 0;  // numbers must not fall
  const WalTail tail = FindWalTail(read, size, log_number, rule);
  LogCheck check = Beginning(tail);
  switch (tail.stop) {
    case WalTailStop::kEndOfFile:
      check.what.clear();
      return check;
    case WalTailStop::kReadError:
      Set(LogVerdict::kDamaged, std::string(": ") + std::strerror(tail.error), &check);
      return check;
    case WalTailStop::kUnknownType:
      Set(LogVerdict::kNotJudged, ": a later RocksDB has written it", &check);
      return check;
    default:
      break;
  }
  WalRestRule rest_rule;
  rest_rule.log_number = log_number;
  rest_rule.above = tail.last_sequence;
  rest_rule.compressed = tail.records > 0 && tail.last_sequence == 0;
  const WalRest rest = FindWalRest(read, tail.stop_offset, size, rest_rule);
  if (rest.record) {
    SetLost(rest, &check);
  } else {
    JudgeTail(read, size, tail, rest, &check);
  }
  return check;
}

}  // namespace bloom_lfs::tool

// Records with a checksum and a number that rises, as a log has them: what recovery can judge.
#pragma once

#include <cstdint>
#include <string>

#include "lss/recovery/evidence.h"

namespace bloom_lfs::bench {

// A header of 16 bytes and 100 of payload.
inline constexpr uint64_t kNumberedRecordBytes = 116;

// The record with this number, from 1 on.
std::string NumberedRecord(uint64_t number);

// An lss::TailScanner for streams of such records.
lss::Status ScanNumbered(const lss::StreamReader& read, const std::string& name, lss::Address size,
                         const lss::ScanRule& rule, lss::ScannedTail* tail);

}  // namespace bloom_lfs::bench

// Options as text: sizes with units, switches, lists of both. One set of messages for all of the
// plugin's options.
//
// Thread safety: functions without state.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "rocksdb/status.h"

namespace bloom_lfs {

struct Range {
  uint64_t min;
  uint64_t max;
  uint64_t multiple;
  const char* unit;
};

bool InRange(uint64_t value, const Range& range);
// "bloom_lfs option <name> = <value> is not allowed; allowed: <what>".
rocksdb::Status NotAllowed(const std::string& name, const std::string& value,
                           const std::string& what);
rocksdb::Status OutOfRange(const std::string& name, const std::string& value, const Range& range);

// Digits with an optional K, M, G or T behind.
rocksdb::Status ParseRanged(const Range& range, const std::string& name, const std::string& text,
                            uint64_t* value);
// true, false, 1, 0.
rocksdb::Status ParseBoolean(const std::string& name, const std::string& text, bool* value);

// OK if the value is one of the words, or there are none.
rocksdb::Status CheckWord(const std::string& name, const std::string& value,
                          const std::vector<std::string>& words);

// "{value}" and "value" are the same; some versions of RocksDB hand over the one, some the other.
std::string WithoutBraces(const std::string& value);

// "name=value;name=value": calls `set` for each, without the blanks around both; empty items are
// passed over. A value with semicolons in it stands in braces, which are taken off. Ends with the
// first error.
rocksdb::Status ForEachOption(
    const std::string& text,
    const std::function<rocksdb::Status(const std::string& name, const std::string& value)>& set);

}  // namespace bloom_lfs

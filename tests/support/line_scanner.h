// A format of records for tests of the store, which knows none itself: lines, which may begin with
// a number.
//
//   12 some text\n     the record with the number 12; 13 follows it
//   some text\n        a record without a number
//
// What does not begin like text cannot be read.
#pragma once

#include "lss/recovery/evidence.h"

namespace lss::test {

Status ScanLines(const StreamReader& read, const std::string& name, Address size,
                 const ScanRule& rule, ScannedTail* tail);

}  // namespace lss::test

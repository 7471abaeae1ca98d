// The marker beside a database whose syncs rest on a second place: .bloom_lfs/second. While it is
// there, the files alone may lack what was acknowledged.
//
// Thread safety: functions without state; of one directory by one thread at a time.
#pragma once

#include <string>

#include "lss/base/status.h"
#include "lss/second_place/side_place.h"

namespace bloom_lfs {

struct SecondMarker {
  std::string place;        // as the option names it
  lss::Uuid log = {};       // the side log there
  lss::Uuid database = {};  // how that log calls the database
  bool required = true;     // false: a mirror, which the files do not need
};

// NotFound: there is none. Corruption: there is one that cannot be read; its cause and remedy.
lss::Status ReadSecondMarker(const std::string& directory, SecondMarker* marker);
// Durable when it returns.
lss::Status WriteSecondMarker(const std::string& directory, const SecondMarker& marker);
// If it is there. Not durable: one that comes back names records that its files have.
lss::Status RemoveSecondMarker(const std::string& directory);

}  // namespace bloom_lfs

// Logs as dead owners leave them: a file and its ring, made by hand, and ways to damage the ring.
//
//   DeadLog log;
//   log.stream = Stream(6000);   // what was appended
//   log.hi_stable = 3000;        // what of it is in the file
//   const std::string ring = log.MakeAt(dir / "000007.log");
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lss/recovery/recovery.h"
#include "lss/ring/ring_format.h"

namespace lss::test {

// n bytes without a zero among them, so that a hole always shows. Equal seeds give equal bytes, and
// a shorter stream is the beginning of a longer one.
std::string Stream(size_t n, uint32_t seed = 1);

struct DeadLog {
  static constexpr Address kUnset = UINT64_MAX;

  uint32_t buffer_bytes = 4096;
  uint32_t buffer_count = 4;
  // Every byte that was copied into the ring; the ring holds the last laps of it.
  std::string stream;
  Address committed = kUnset;  // unset: all of the stream
  Address hi_stable = 0;
  Address durable = 0;
  RingState state = RingState::kLive;
  // What lies in the file behind hi_stable.
  std::string behind;
  // Whether the ring knows itself to be no copy.
  bool original = false;
  // The highest number of a file that the owner has made beside it.
  uint64_t sibling_max = 1000;

  Address Committed() const { return committed == kUnset ? stream.size() : committed; }
  // What the file holds: the stream up to hi_stable, and `behind`.
  std::string File() const { return stream.substr(0, hi_stable) + behind; }
  // What a process that lives on would read.
  std::string Promised() const { return stream.substr(0, Committed()); }

  // Writes the file at `path` and its ring into `.bloom_lfs` beside it, with nobody holding the
  // ring's lock. Returns the ring's path.
  std::string MakeAt(const std::string& path) const;
};

// Changes the header of a ring file that nobody owns.
void EditRing(const std::string& ring_path, const std::function<void(RingHeader*)>& edit);
// The same, and makes the checksum fit again: a header that says something else, not a damaged one.
void RewriteRing(const std::string& ring_path, const std::function<void(RingHeaderFixed*)>& edit);
// As if the machine had been restarted since.
void RestartMachine(const std::string& ring_path);

// What ResolveTail and a reader make of the log: the case, and all bytes as a reader gets them.
struct Reading {
  Status status;
  RingCase ring_case = RingCase::kR9FileGone;
  std::string bytes;
};
Reading ReadLog(const std::string& path, const std::string& ring_path,
                const RecoveryContext& context = {});

// What the judge says of a ring whose file is there and agrees with it.
RingCase CaseOf(const RingView& ring);

bool Exists(const std::string& path);
std::vector<std::string> Names(const std::string& directory);

}  // namespace lss::test

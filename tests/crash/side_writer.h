// The process that gets killed while it writes to a side log, and what its checker knows of it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lss/second_place/side_log.h"
#include "lss/second_place/side_place.h"

namespace lss::test {

// What the writer has tried and what it was promised, by streams. Lives in a shared mapping of a
// file, so that it survives the process without any system call.
struct SideProgress {
  static constexpr uint64_t kStreams = 4;

  struct Stream {
    std::atomic<uint64_t> attempted;     // its length once the append under way is through
    std::atomic<uint64_t> acknowledged;  // Sync has returned for all bytes below
    std::atomic<uint64_t> given_up;      // bytes below are not wanted any more
  };
  std::array<Stream, kStreams> streams;
};

class SideProgressFile {
 public:
  explicit SideProgressFile(const std::string& path);
  ~SideProgressFile();
  SideProgressFile(const SideProgressFile&) = delete;
  SideProgressFile& operator=(const SideProgressFile&) = delete;
  SideProgress* get() const { return progress_; }

 private:
  SideProgress* progress_;
};

// What a scan has found.
struct SideFound {
  uint64_t records = 0;
  std::string wrong;  // one line for each record that nobody has appended
  std::map<uint64_t, std::vector<std::pair<Address, Address>>> ranges;  // of each stream

  // Where the stream's bytes end that are there without a hole from `begin` on.
  Address CoveredFrom(uint64_t stream, Address begin) const;
};

// A side log of a directory, written by the product's own steps. Throws what goes wrong.
//
// Thread safety: each stream by one thread at a time.
class SideWriter {
 public:
  // Opens the place, looks what is there, takes all of that for wanted, and goes on behind it.
  SideWriter(const std::string& directory, SideProgress* progress, uint64_t in_flight = 1);

  const SideFound& found() const { return found_; }
  SideLog* log() { return log_.get(); }

  void Append(uint64_t stream, size_t size) { (void)Append(stream, size, nullptr); }
  // Appends and syncs.
  void Put(uint64_t stream, size_t size);
  // The stream's file has what was acknowledged.
  void FileDurable(uint64_t stream);
  void Forget(uint64_t stream);

 private:
  uint64_t Append(uint64_t stream, size_t size, Address* end);
  void Open(const std::string& directory, uint64_t in_flight);
  void Take(const SideRecord& record);

  SideProgress* const progress_;
  std::array<Address, SideProgress::kStreams> ends_ = {};
  SideFound found_;
  HeldSideSpace held_;
  std::unique_ptr<SideLog> log_;
};

// Everything that was acknowledged and is wanted is there, and nothing else but what was attempted.
// GoogleTest failures if not.
void CheckFound(const SideFound& found, const SideProgress& progress);

}  // namespace lss::test

// What a file on a disk with a volatile write cache may hold after a power cut.
//
// The model: every write and size change since the last sync stays in a list. A power cut keeps
// what a sync has covered, and of the rest a random subset: each 4 KiB page of a write survives
// whole, in part (torn at 512-byte sectors) or not at all, independently of the others and of their
// order. Size changes are journalled, so a prefix of them survives; a write that made the file
// longer survives whole with its size change, as on a file system that orders data before metadata.
// A durable write (RWF_DSYNC) survives whole, with the size changes before it and with no other
// byte: a device with FUA does not flush its cache for it. What a FAILED sync had covered is lost
// for good, whatever later syncs say: the kernel has marked the pages clean.
//
// Thread safety: none; MemoryDevice calls it under its lock.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "lss/base/types.h"

namespace lss::test {

inline constexpr uint64_t kSectorBytes = 512;

// Which of the unsynced bytes a power cut keeps.
enum class Survivors {
  kSyncedOnly,    // none of them
  kRandomSubset,  // a random part, torn at sectors
  kEverything,    // all of them: the moment after the cache has drained by itself
};

class PowerCutModel {
 public:
  // What a write or a sync gets at its beginning and gives back at its end.
  using WriteId = uint64_t;
  using Covered = std::vector<WriteId>;

  // From now on any part of the bytes may be on the disk; readers see them only after EndWrite.
  WriteId BeginWrite(Address offset, std::string bytes);
  // Of a write that failed, the first `landed` bytes are in the file all the same.
  void EndWrite(WriteId id, uint64_t landed, bool durable);
  void SetSize(uint64_t size);
  // Covers exactly the writes that have ended before.
  Covered BeginSync() const;
  void EndSync(const Covered& covered, bool ok);

  // The file as its readers see it while the power is on.
  const std::string& live() const { return live_; }
  // The file after the power cut. The same seed gives the same bytes. The model goes on as if
  // nothing had happened, so one run can be cut many times.
  std::string PowerCut(Survivors survivors, uint64_t seed) const;

 private:
  struct Op {
    WriteId id = 0;
    bool is_write = false;
    Address offset = 0;
    std::string bytes;       // of a write
    bool sets_size = false;  // a SetSize, or a write that made the file longer
    uint64_t new_size = 0;
    bool ended = false;
    bool safe = false;  // a sync or its own durability has put it on the disk
    bool lost = false;  // a failed sync has dropped it
  };

  static void ApplyWhole(const Op& op, std::string* image);
  static void ApplyRandomPart(const Op& op, uint64_t seed, std::string* image);
  size_t KeptSizeChanges(Survivors survivors, uint64_t seed) const;
  void FoldSettledOps();

  std::string live_;
  std::string settled_;  // what every power cut leaves
  std::deque<Op> ops_;
  WriteId next_id_ = 1;
};

}  // namespace lss::test

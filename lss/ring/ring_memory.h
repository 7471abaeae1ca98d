// The ring's memory: a shared mapping of a small file, so that committed bytes outlive the process.
//
// Ownership: a RingMemory holds the ring file's lock (ring_lock.h) for as long as it lives, from
// before the file has its name: nobody ever meets a ring whose owner lives and has no lock.
// Thread safety: Create and the destructor by one thread; header() and buffer() from any thread;
// MakeHeaderDurable and Remove by one thread at a time.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "lss/base/status.h"
#include "lss/base/stream_id.h"
#include "lss/base/unique_fd.h"
#include "lss/ring/locate.h"
#include "lss/ring/owner_words.h"
#include "lss/ring/ring_format.h"
#include "lss/ring/ring_lock.h"
#include "lss/ring/ring_options.h"
#include "lss/ring/shared_mapping.h"
#include "lss/ring/thaw_gate.h"

namespace lss {

// The stream that a ring is made for.
struct RingTarget {
  RingTarget(const StreamId& stream)  // NOLINT(google-explicit-constructor): with nothing in it
      : id(stream) {}
  RingTarget(const FileIdentity& file)  // NOLINT(google-explicit-constructor): one kind of it
      : id(file) {}
  StreamId id;
  std::string name;  // of its file, without the directory
  Address size = 0;  // what it holds already; the ring is born with its watermarks there
};

class RingMemory {
 public:
  // Creates and locks the ring file of a stream in `directory` (created when missing, for the use
  // of whoever may use the stream's file). A ring of the same name whose owner is gone must have
  // been recovered before; it is replaced. Of a named stream, one that is in use or holds unwritten
  // bytes is refused instead: a name, unlike an inode number, is not given out again by accident.
  static Status Create(const std::string& directory, const RingTarget& target,
                       const RingOptions& options, std::unique_ptr<RingMemory>* result);
  // Unmaps and unlocks; the file stays, as after a crash, unless Remove() was called.
  ~RingMemory();
  RingMemory(const RingMemory&) = delete;
  RingMemory& operator=(const RingMemory&) = delete;

  // What the owner goes by, and what others see of it.
  OwnerWords* words() const { return words_.get(); }
  RingHeader* header() const { return words_->published; }
  char* buffer(uint32_t index) const {
    return mapping_->data() + kPageBytes + static_cast<uint64_t>(index) * buffer_bytes_;
  }
  MappedRing mapped() const { return {words_->base, buffer_count_, buffer_bytes_, buffer(0)}; }
  const std::string& path() const { return path_; }
  // Of the ring file itself.
  const FileIdentity& identity() const { return identity_; }
  // To be called, without a lock that anybody beyond this stream needs, before anything is stored
  // into the ring: waits as long as its file system is frozen (thaw_gate.h). Costs nothing that
  // counts.
  void AwaitThaw() const { thaw_gate_.Pass(fd_.get()); }
  // Notes that this process has made a file with this number beside the stream's.
  void NoteSibling(uint64_t number) const {
    AwaitThaw();
    header()->sibling_max.RaiseTo(number);
  }
  // Whether the ring's file has stopped to take what is stored into the ring: its file system is
  // full or gone, or somebody has cut it short. What was stored before still can be read, but for
  // what is Lost(); what is stored later does not outlive the process. Relaxed, see SharedMapping.
  bool failed() const { return mapping_->failed(); }
  bool Lost(const char* begin, uint64_t length) const { return mapping_->Lost(begin, length); }
  bool AnyLost() const { return mapping_->AnyLost(); }
  // What is wrong with it, and what to do.
  Status Failure() const;

  // After OK the header and the ring's directory entry survive a power cut. Needed before the file
  // gets zeros behind its tail: without a ring nobody would know to trim them.
  Status MakeHeaderDurable();
  // Makes the pages of a buffer writable ahead of use, so that appends do not fault on them.
  void Prefault(uint32_t index) const { PrefaultRange(index, 0, buffer_bytes_); }
  // The same for `length` bytes from `from` on, both within the buffer.
  void PrefaultRange(uint32_t index, uint64_t from, uint64_t length) const;
  // The same for a buffer that holds nothing, and nothing is being put in: faster, and leaves
  // zeros.
  void PrefaultUnused(uint32_t index) const;
  // Gives the file system the blocks that the ring's file keeps in reserve; to be called when it is
  // full. The stream cannot go on with so few, but what tells of it can be written: RocksDB's info
  // log, for one, which is not written to again after its first error. From any thread. Idempotent.
  void GiveReserveBack() const;
  // Unlinks the ring file, and its directory if that was the last one. Idempotent.
  void Remove();

 private:
  RingMemory() = default;
  // The ring's directory, wherever it has been renamed to; where there is no /proc, by the name it
  // had. Not kept open: descriptors are scarce in a process with thousands of files.
  UniqueFd OpenDirectory() const;
  // In the open directory of rings at `directory`.
  Status CreateIn(int directory, const RingTarget& target, const RingOptions& options);
  Status MakeFile(int directory, const std::string& name, const FileAccess& log);
  Status MapAndPublish(const RingTarget& target, const RingOptions& options);
  void RemoveFrom(int directory);

  std::string path_;
  FileIdentity identity_;
  UniqueFd fd_;
  RingLock lock_;
  mutable ThawGate thaw_gate_;
  std::unique_ptr<SharedMapping> mapping_;
  std::unique_ptr<OwnerWords> words_;
  uint32_t buffer_bytes_ = 0;
  uint32_t buffer_count_ = 0;
  bool removed_ = false;
};

}  // namespace lss

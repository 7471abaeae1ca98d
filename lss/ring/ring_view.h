// A ring file as somebody sees it who does not own it: another process that reads a live log, or
// recovery after the owner's death. Never modifies anything.
//
// Thread safety: Open by one thread; the rest from any thread. The owner may write meanwhile: what
// a view returns is checked against the owner's watermark after it was copied.
#pragma once

#include <memory>
#include <string>

#include "lss/base/status.h"
#include "lss/base/stream_id.h"
#include "lss/base/unique_fd.h"
#include "lss/ring/locate.h"
#include "lss/ring/ring_format.h"
#include "lss/ring/ring_lock.h"
#include "lss/ring/shared_mapping.h"

namespace lss {

// How much of a ring file's header can be believed.
enum class HeaderState {
  kUnpublished,    // empty, all zero, or without its checksum: nothing was accepted
  kFutureVersion,  // written by a later version of this library
  kDamaged,        // not a header of ours, or its checksum is wrong, or the file is too short
  kWhole,          // the fixed part is what the owner wrote
};

class RingView {
 public:
  // Maps the ring file. NotFound if there is none: no regular file, or behind a symbolic link. Any
  // content is accepted: see header_state().
  static Status Open(const std::string& path, std::unique_ptr<RingView>* result);
  ~RingView();
  RingView(const RingView&) = delete;
  RingView& operator=(const RingView&) = delete;

  const std::string& path() const { return path_; }
  // Of the ring file.
  const FileIdentity& identity() const { return identity_; }
  // Whether the file could not be read where it was looked at: its device fails, or somebody has
  // cut it short. From then on the header is damaged, and nothing is copied out. What was asked
  // before counts only if this is false afterwards.
  bool failed() const { return mapping_ != nullptr && mapping_->failed(); }
  // These look anew at every call.
  HeaderState header_state() const;
  bool OwnedHere() const { return IsOwnedHere(identity_); }
  bool OwnedElsewhere() const { return IsOwnedElsewhere(fd_.get(), identity_); }
  // Of a process elsewhere that owns it, as OwnerElsewhere.
  pid_t LockHolder() const { return OwnerElsewhere(fd_.get(), identity_); }
  bool OwnerAlive() const { return OwnedHere() || OwnedElsewhere(); }
  // Whether it can only be the work of somebody who may write to `log`.
  bool TrustedFor(const FileAccess& log) const;

  // --- only with a whole header ---

  StreamId target() const { return LoadStreamId(header_->fixed); }
  uint32_t owner_pid() const { return header_->fixed.owner_pid; }
  // The name of its stream's file; empty if it is not known.
  std::string stream_name() const { return LoadStreamName(header_->name); }
  // Whether this is certainly the file that the owner has made, and no copy of it.
  bool IsOriginal() const;
  // The same, on a file system that has not been mounted anew: no snapshot of a volume either.
  bool IsOriginalInPlace() const;
  // Whether the ring was made since this machine was started, as far as that can be known.
  bool SameBoot() const;
  // How many bytes apart the addresses are that a byte of the ring may hold, one after the other.
  uint64_t lap() const {
    return uint64_t{header_->fixed.buffer_count} * header_->fixed.buffer_bytes;
  }
  // Whether the words of the live part are whole and do not contradict each other. Says nothing
  // while the owner lives: its words change one by one.
  bool LiveWordsAgree() const;
  Address committed() const { return header_->committed.load(std::memory_order_acquire); }  // P7
  Address hi_stable() const { return header_->hi_stable.load(std::memory_order_acquire); }  // P5
  Address durable() const { return header_->durable.load(std::memory_order_acquire); }      // P10
  // Relaxed: hangs on no other word.
  uint64_t sibling_max() const { return header_->sibling_max.load(std::memory_order_relaxed); }
  bool closed() const {
    return header_->state.load(std::memory_order_acquire) ==  // P11
           static_cast<uint32_t>(RingState::kClosed);
  }
  // Whether bytes of the stream are in the ring only, as the words say.
  bool HoldsUnwritten() const { return !closed() && committed() > hi_stable(); }
  // Copies up to `length` bytes from `from`, below `limit`, as far as the ring holds them. Under a
  // live owner the bytes count only if hi_stable() is at most `from` afterwards. 0 if failed().
  size_t CopyOut(Address from, size_t length, Address limit, char* destination) const {
    const size_t copied = mapped().CopyOut(from, length, limit, destination);
    return failed() ? 0 : copied;
  }
  // The lowest address that a buffer holds; kNoBase if none was ever opened.
  Address Oldest() const;
  // No buffer holds this address or a higher one.
  Address End() const;

 private:
  RingView() = default;
  HeaderState ReadHeaderState() const;
  // Whether every committed byte that is not in the file is in the ring.
  bool HoldsWhatItMust() const;
  MappedRing mapped() const {
    return {header_->base, header_->fixed.buffer_count, header_->fixed.buffer_bytes,
            mapping_->data() + kPageBytes};
  }

  std::string path_;
  UniqueFd fd_;
  FileIdentity identity_;
  FileAccess ring_directory_;
  FileAccess directory_;  // that the ring's directory is in
  uint64_t file_bytes_ = 0;
  std::unique_ptr<SharedMapping> mapping_;  // null if the file is shorter than a header
  const RingHeader* header_ = nullptr;      // in it
};

// Reads [from, from + length) of a file and its ring as one, below `limit`. `fd` is open for
// reading without O_DIRECT. Bytes that leave the ring while we look are found in the file.
Status ReadMerged(int fd, const RingView& ring, Address from, size_t length, Address limit,
                  char* destination, size_t* read);

// The part of a dead owner's ring that counts: from `from` up to `end`; below it the file does.
struct RingPart {
  Address from = 0;
  Address end = 0;
};
Status ReadMerged(int fd, const RingView& ring, const RingPart& part, Address from, size_t length,
                  char* destination, size_t* read);

}  // namespace lss

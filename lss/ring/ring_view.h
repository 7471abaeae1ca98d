// A ring file as somebody sees it who does not own it: another process that reads a live log, or
// recovery after the owner's death. Never modifies anything.
//
// Thread safety: Open by one thread; the rest from any thread. The owner may write meanwhile: what
// a view returns is checked against the owner's watermark after it was copied.
#pragma once

#include <memory>
#include <string>

#include "lss/base/file_identity.h"
#include "lss/base/status.h"
#include "lss/ring/ring_format.h"

namespace lss {

// The labelled cases of recovery; lss/README.md has the table with the reasons.
enum class RingCase {
  kR1Unfinished,      // header never published: nothing was accepted
  kR2OwnerAlive,      // its lock is held
  kR3ProcessKilled,   // same boot, live: file plus ring
  kR4Closed,          // same boot, closed: the file is complete
  kR5MachineDown,     // another boot: the file up to its last whole record
  kR6Damaged,         // not a header of ours, or its checksum is wrong, or the file is too short
  kR7Foreign,         // belongs to another inode: a copied directory, a reused inode number
  kR8FutureVersion,   // written by a later version of this library
  kR9FileGone,        // no file with this inode is there any more
  kR10Contradiction,  // the file was changed by somebody else after the owner's death
};
const char* NameOf(RingCase ring_case);

class RingView {
 public:
  // Maps the ring file. NotFound if there is none. Any content is accepted: header_case() judges.
  static Status Open(const std::string& path, std::unique_ptr<RingView>* result);
  ~RingView();
  RingView(const RingView&) = delete;
  RingView& operator=(const RingView&) = delete;

  // What the ring file alone says: R1..R6 or R8. Looks at the lock again at every call.
  RingCase header_case() const;
  bool OwnerAlive() const;

  const std::string& path() const { return path_; }
  bool has_header() const { return header_ != nullptr; }
  // The rest only if the case is R2..R5.
  FileIdentity target() const;
  uint32_t owner_pid() const { return header_->fixed.owner_pid; }
  uint64_t committed() const { return header_->committed.load(std::memory_order_acquire); }
  uint64_t hi_stable() const { return header_->hi_stable.load(std::memory_order_acquire); }
  uint64_t durable() const { return header_->durable.load(std::memory_order_acquire); }
  int64_t heartbeat_ns() const {
    return static_cast<int64_t>(header_->heartbeat_ms.load(std::memory_order_acquire)) * 1000000;
  }
  bool closed() const {
    return header_->state.load(std::memory_order_acquire) ==
           static_cast<uint32_t>(RingState::kClosed);
  }
  // Copies up to `length` bytes from `from`, below `limit`, as far as the ring holds them. Under a
  // live owner the bytes count only if hi_stable() is at most `from` afterwards.
  size_t CopyOut(Address from, size_t length, Address limit, char* destination) const;
  // The lowest address that a buffer holds; kNoBase if none was ever opened.
  Address Oldest() const;
  // No buffer holds this address or a higher one.
  Address End() const;

 private:
  RingView() = default;
  RingCase JudgeHeader() const;
  // Whether the words of the live part are whole and do not contradict each other.
  bool LiveWordsAgree() const;
  // Whether every committed byte that is not in the file is in the ring.
  bool HoldsUnwritten() const;
  struct Piece {
    const char* data;
    uint64_t length;  // 0: no buffer holds the address
  };
  Piece Locate(Address address) const;

  std::string path_;
  UniqueFd fd_;
  uint64_t file_bytes_ = 0;
  const RingHeader* header_ = nullptr;  // null if the file is shorter than a header
  const char* mapping_ = nullptr;
};

// Reads [from, from + length) of a file and its ring as one, below `limit`. `fd` is open for
// reading without O_DIRECT. Bytes that leave the ring while we look are found in the file.
Status ReadMerged(int fd, const RingView& ring, Address from, size_t length, Address limit,
                  char* destination, size_t* read);

// Whether the file still is what the dead owner left: around the watermark, file and ring agree,
// and behind it the file has nothing but zeros, its end, or the ring's own bytes.
Status CheckAgreement(int fd, const std::string& name, const RingView& ring, bool* agrees);

}  // namespace lss

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
  // Maps the ring file. NotFound if there is none. Any content is accepted: see header_state().
  static Status Open(const std::string& path, std::unique_ptr<RingView>* result);
  RingView(const RingView&) = delete;
  RingView& operator=(const RingView&) = delete;

  const std::string& path() const { return path_; }
  // Whether the file could not be read where it was looked at: its device fails, or somebody has
  // cut it short. From then on the header is damaged, and nothing is copied out. What was asked
  // before counts only if this is false afterwards.
  bool failed() const { return mapping_ != nullptr && mapping_->failed(); }
  // Both look anew at every call.
  HeaderState header_state() const;
  bool OwnerAlive() const;

  // --- only with a whole header ---

  StreamId target() const { return LoadStreamId(header_->fixed); }
  uint32_t owner_pid() const { return header_->fixed.owner_pid; }
  // Whether the ring was made since this machine was started.
  bool SameBoot() const;
  // Whether the words of the live part are whole and do not contradict each other. Says nothing
  // while the owner lives: its words change one by one.
  bool LiveWordsAgree() const;
  Address committed() const { return header_->committed.load(std::memory_order_acquire); }  // P7
  Address hi_stable() const { return header_->hi_stable.load(std::memory_order_acquire); }  // P5
  Address durable() const { return header_->durable.load(std::memory_order_acquire); }      // P10
  int64_t heartbeat_ns() const {
    // Relaxed: a time, which vouches for nothing.
    return static_cast<int64_t>(header_->heartbeat_ms.load(std::memory_order_relaxed)) * 1000000;
  }
  bool closed() const {
    return header_->state.load(std::memory_order_acquire) ==  // P11
           static_cast<uint32_t>(RingState::kClosed);
  }
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
  bool HoldsUnwritten() const;
  MappedRing mapped() const {
    return {header_->base, header_->fixed.buffer_count, header_->fixed.buffer_bytes,
            mapping_->data() + kPageBytes};
  }

  std::string path_;
  UniqueFd fd_;
  uint64_t file_bytes_ = 0;
  std::unique_ptr<SharedMapping> mapping_;  // null if the file is shorter than a header
  const RingHeader* header_ = nullptr;      // in it
};

// Reads [from, from + length) of a file and its ring as one, below `limit`. `fd` is open for
// reading without O_DIRECT. Bytes that leave the ring while we look are found in the file.
Status ReadMerged(int fd, const RingView& ring, Address from, size_t length, Address limit,
                  char* destination, size_t* read);

}  // namespace lss

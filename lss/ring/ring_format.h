// Format of a ring file. lss/RING_FORMAT.md has a worked example.
//
//   page 0                 RingHeader, zero padded
//   page 1 ...             buffer 0, buffer 1, ... each buffer_bytes long
//
// The fixed part is written once, before anything is accepted, and covered by the checksum. The
// live part changes under the owner's running threads and is read by other processes; each field is
// one lock-free atomic in shared memory. Byte order is the machine's: a ring never leaves it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "lss/base/boot_id.h"
#include "lss/base/stream_id.h"
#include "lss/base/types.h"
#include "lss/ring/ring_options.h"

namespace lss {

inline constexpr char kRingMagic[8] = {'b', 'l', 'o', 'o', 'm', 'l', 'f', 's'};
// Of a file's ring. Versions that know no other streams take every ring for a file's, and may
// remove one that names none; so a ring of another stream has a version that they leave alone.
inline constexpr uint32_t kRingFormatVersion = 1;
inline constexpr uint32_t kNamedRingFormatVersion = 2;
// Suffixes inside the ring directory. The name before them is the stream's, see RingFileName.
inline constexpr char kRingSuffix[] = ".ring";
inline constexpr char kAsideSuffix[] = ".aside";
// Behind the ring's own name, until its owner has locked it and written its header.
inline constexpr char kUnfinishedSuffix[] = ".new";
inline constexpr char kRingDirectoryName[] = ".bloom_lfs";

// The life of the stream that a ring belongs to.
// Values far apart: anything else is damage.
enum class RingState : uint32_t {
  kLive = 0x6576696c,  // "live": bytes up to `committed` may be in the ring only
  // "clos": the file holds exactly its bytes, or is being deleted; the ring has nothing to add.
  kClosed = 0x736f6c63,
};

// A word of the live part: a value below 2^48 and 16 bits that vouch for it, stored as one. The
// checksum of the header cannot cover what changes all the time; this can.
class GuardedWord {
 public:
  static constexpr uint64_t kValueMax = (1ULL << 48) - 1;

  uint64_t load(std::memory_order order) const { return word_.load(order) & kValueMax; }
  void store(uint64_t value, std::memory_order order) {
    value &= kValueMax;
    word_.store(value | GuardOf(value), order);
  }
  // The largest of all values that were ever passed. Relaxed: what it says hangs on no other word.
  void RaiseTo(uint64_t value) {
    uint64_t word = word_.load(std::memory_order_relaxed);
    while ((word & kValueMax) < value &&
           !word_.compare_exchange_weak(word, value | GuardOf(value), std::memory_order_relaxed)) {
    }
  }
  // Relaxed: asked of a ring whose owner is dead.
  bool intact() const {
    const uint64_t word = word_.load(std::memory_order_relaxed);  // value and guard are one word
    return (word & ~kValueMax) == GuardOf(word & kValueMax);
  }

 private:
  static constexpr uint64_t GuardOf(uint64_t value) {
    return ((value + 1) * 0x9e3779b97f4a7c15ULL) & ~kValueMax;
  }
  std::atomic<uint64_t> word_;
};

struct RingHeaderFixed {
  char magic[8];
  uint32_t format_version;
  uint32_t buffer_bytes;
  uint32_t buffer_count;
  uint32_t write_mode;
  uint64_t device;        // of a named stream: the high half of its name
  uint64_t inode;         // of a named stream: the low half
  int64_t birth_time_ns;  // of the inode; 0 where the file system has none, and of a named stream
  uint8_t boot_id[kBootIdBytes];
  uint32_t owner_pid;    // for messages only
  uint32_t stream_kind;  // a StreamId::Kind
};

// The name of the stream's file, without its directory: a copied database has other inodes, and the
// same names. Of a stream that is no file, or has a longer name: empty.
struct RingStreamName {
  char text[116];     // zero padded
  uint32_t length;    // without the zeros
  uint32_t checksum;  // CRC-32C of what is above
};

// The ring file's own identity: a copied ring has another one. Without a checksum that fits it is
// not known.
struct RingSelf {
  uint64_t device;
  uint64_t inode;
  int64_t birth_time_ns;  // 0 where the file system has none
  uint32_t checksum;      // CRC-32C of what is above
  uint32_t reserved;
};

struct RingHeader {
  RingHeaderFixed fixed;
  std::atomic<uint32_t> fixed_checksum;  // CRC-32C of `fixed`; stored last, by release

  // Appended and promised to survive the process: addresses below it.
  alignas(64) GuardedWord committed;
  // Written to the file, contiguous, addresses below it.
  alignas(64) GuardedWord hi_stable;
  // On the device, addresses below it.
  GuardedWord durable;
  std::atomic<uint32_t> state;  // a RingState
  // The highest number of a file beside the stream's that the owner's process has made, as it says
  // itself; what has a higher number was made by somebody else.
  GuardedWord sibling_max;
  // Address of the first byte of each buffer in its current lap; kNoBase if never opened.
  alignas(64) GuardedWord base[kMaxBufferCount];
  // As the fixed part: written once, before `fixed_checksum`.
  RingStreamName name;
  RingSelf self;  // the same
};

inline constexpr uint64_t kNoBase = GuardedWord::kValueMax;

static_assert(sizeof(RingHeader) <= kPageBytes, "the header is one page");
static_assert(std::atomic<uint64_t>::is_always_lock_free &&
                  std::atomic<uint32_t>::is_always_lock_free,
              "shared memory needs address-free atomics");
static_assert(sizeof(RingHeaderFixed) == 72, "the format has no implicit padding");

// The stream's identity as the header has it, and back.
void StoreStreamId(const StreamId& id, RingHeaderFixed* fixed);  // and its format version
StreamId LoadStreamId(const RingHeaderFixed& fixed);

void StoreStreamName(const std::string& name, RingStreamName* stored);
// Empty also if it is damaged.
std::string LoadStreamName(const RingStreamName& stored);

void StoreRingSelf(const FileIdentity& ring, RingSelf* stored);
// What is not known, also because it is damaged, is all zero.
FileIdentity LoadRingSelf(const RingSelf& stored);

// Name of the ring file of a stream in its ring directory: the inode number, or the stream's name,
// in hex.
std::string RingFileName(const StreamId& id);

constexpr uint64_t RingFileBytes(uint32_t buffer_bytes, uint32_t buffer_count) {
  return kPageBytes + static_cast<uint64_t>(buffer_bytes) * buffer_count;
}

// What a ring's file has behind that, until the stream meets a full file system
// (RingMemory::GiveReserveBack), if there was room. It holds nothing, and nobody reads it.
constexpr uint64_t RingReserveBytes(uint32_t buffer_bytes, uint32_t buffer_count) {
  const uint64_t half = PageFloor(static_cast<uint64_t>(buffer_bytes) * buffer_count / 2);
  return half < (64 << 10) ? half : 64 << 10;
}

}  // namespace lss

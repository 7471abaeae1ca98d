#include "lss/recovery/evidence.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "lss/base/file_identity.h"
#include "lss/base/posix_file.h"

namespace lss {
namespace {

// File and ring read as one, and everything that is asked of them.
class Stream {
 public:
  Stream(int fd, const std::string& path, const RingView& ring, const TailScanner& scan)
      : fd_(fd), path_(path), ring_(ring), scan_(scan) {}

  // The file's bytes below `from`, the ring's from there on, up to `limit`.
  Status Scan(Address from, Address limit, const ScanRule& rule, ScannedTail* tail) const {
    const StreamReader read = [&](Address offset, size_t length, char* destination, size_t* got) {
      return Read(from, offset, length, limit, destination, got);
    };
    Status status = scan_(read, path_, limit, rule, tail);
    // What ends before the limit does not go on to it.
    tail->whole = tail->whole && status.ok() && Reaches(from, limit);
    return status;
  }

 private:
  // Whether there are bytes up to `limit`.
  bool Reaches(Address from, Address limit) const {
    FileIdentity identity;
    uint64_t size = 0;
    if (!IdentifyFd(fd_, path_, &identity, &size).ok() || size < std::min(from, limit)) {
      return false;
    }
    std::vector<char> bytes(64 << 10);
    Address at = from;
    size_t got = 1;
    while (at < limit && got > 0) {
      got = ring_.CopyOut(at, bytes.size(), limit, bytes.data());
      at += got;
    }
    return at >= limit;
  }

  Status Read(Address from, Address offset, size_t length, Address limit, char* destination,
              size_t* read) const {
    *read = 0;
    if (offset < from) {
      const size_t in_file = std::min<uint64_t>(length, from - offset);
      if (Status status = ReadFully(fd_, path_, offset, in_file, destination, read);
          !status.ok() || *read < in_file) {
        return status;
      }
    }
    while (*read < length) {
      const size_t got = ring_.CopyOut(offset + *read, length - *read, limit, destination + *read);
      if (got == 0) {
        break;
      }
      *read += got;
    }
    return Status::Ok();
  }

  const int fd_;
  const std::string& path_;
  const RingView& ring_;
  const TailScanner& scan_;
};

// Whether file and ring have the same bytes where the file's records count and the ring has any. If
// not, the ring is of another life of a file with this name.
Status CheckOverlap(int fd, const std::string& path, const RingView& ring, Address end,
                    bool* agrees) {
  std::vector<char> in_file(64 << 10);
  std::vector<char> in_ring(in_file.size());
  *agrees = true;
  for (Address at = std::min(ring.Oldest(), end); *agrees && at < end;) {
    const size_t got = ring.CopyOut(at, in_ring.size(), end, in_ring.data());
    if (got == 0) {
      at = PageFloor(at) + kPageBytes;  // a gap between buffers
      continue;
    }
    size_t read = 0;
    if (Status status = ReadFully(fd, path, at, got, in_file.data(), &read); !status.ok()) {
      return status;
    }
    *agrees = read == got && std::memcmp(in_file.data(), in_ring.data(), got) == 0;
    at += got;
  }
  return Status::Ok();
}

// Takes what is proven with the ring's bytes from `from` on, if it is more than is known.
Status Try(const Stream& stream, const RingView& ring, Address from, bool words_agree,
           Evidence* evidence) {
  ScanRule rule;
  rule.judged_above = from;
  rule.gaps_below = 0;
  rule.lap = ring.lap();
  if (words_agree && ring.committed() >= evidence->file.end) {
    // A stream whose records go on to just where its words say that it ends has left out numbers,
    // if it has, by itself.
    ScannedTail promised;
    ScanRule lenient = rule;
    lenient.gaps_below = ScanRule::kNobody;
    if (Status status = stream.Scan(from, ring.committed(), lenient, &promised); !status.ok()) {
      return status;
    }
    if (!promised.known) {
      evidence->content = Evidence::Content::kOpaque;
    } else if (promised.whole) {
      evidence->content = Evidence::Content::kWhole;
      evidence->whole_from = from;
      // One that is cut off there says little: so would be one of another lap.
      rule.gaps_below = promised.end == ring.committed() ? ring.committed() : 0;
    }
  }
  ScannedTail proven;
  if (Status status = stream.Scan(from, std::max(from, ring.End()), rule, &proven); !status.ok()) {
    return status;
  }
  if (proven.known && evidence->content == Evidence::Content::kOpaque) {
    evidence->content =
        Evidence::Content::kNotWhole;  // it reads, but the words are another moment's
  }
  if (proven.known && proven.end > evidence->part.end) {
    evidence->part = {from, proven.end};
    evidence->last_number = proven.last_number;
  }
  return Status::Ok();
}

// Of the file alone, up to `limit`.
Status ScanFile(int fd, const std::string& path, const TailScanner& scan, Address limit,
                ScannedTail* tail) {
  FileIdentity identity;
  uint64_t size = 0;
  if (Status status = IdentifyFd(fd, path, &identity, &size); !status.ok()) {
    return status;
  }
  size = std::min(size, limit);
  *tail = {};
  tail->end = size;
  if (scan == nullptr) {
    return Status::Ok();
  }
  const StreamReader read = [&](Address offset, size_t length, char* destination, size_t* got) {
    return ReadFully(fd, path, offset, length, destination, got);
  };
  return scan(read, path, size, ScanRule(), tail);
}

// Whether pages that never reached the device explain why the file does not read: a log only grows,
// so what is missing of a page are zeros up to its end.
Status CheckForLostPages(int fd, const std::string& path, const ScannedTail& tail, Address limit,
                         bool* lost) {
  *lost = false;
  std::vector<char> page(kPageBytes);
  for (Address at = PageFloor(tail.stop); !*lost && at < std::min(tail.stop_end, limit);
       at += kPageBytes) {
    size_t read = 0;
    const size_t wanted = std::min<uint64_t>(kPageBytes, limit - at);
    if (Status status = ReadFully(fd, path, at, wanted, page.data(), &read); !status.ok()) {
      return status;
    }
    size_t zeros_from = read;
    while (zeros_from > 0 && page[zeros_from - 1] == 0) {
      --zeros_from;
    }
    *lost = zeros_from < read && at + zeros_from < tail.stop_end;
  }
  return Status::Ok();
}

// Whether the file has a bad place below the watermark. `damaged`: one that a lost page cache does
// not explain; what was synced is in no page cache only.
Status CheckBelow(int fd, const std::string& path, const TailScanner& scan, const RingView& ring,
                  bool* bad, bool* damaged) {
  const Address stable = ring.hi_stable();
  ScannedTail below;
  Status status = ScanFile(fd, path, scan, stable, &below);
  *bad = !below.whole;
  bool lost = false;
  if (status.ok() && *bad && below.stop_end > ring.durable()) {
    status = CheckForLostPages(fd, path, below, stable, &lost);
  }
  *damaged = *bad && !lost;
  return status;
}

}  // namespace

Status FindEvidence(int fd, const std::string& path, const RingView& ring, const TailScanner& scan,
                    Evidence* evidence) {
  *evidence = {};
  Status status = ScanFile(fd, path, scan, UINT64_MAX, &evidence->file);
  if (!status.ok() || !evidence->file.known) {
    return status;
  }
  evidence->content = Evidence::Content::kNotWhole;
  evidence->part = {evidence->file.end, evidence->file.end};
  evidence->last_number = evidence->file.last_number;
  bool agrees = true;
  status = CheckOverlap(fd, path, ring, evidence->file.end, &agrees);
  if (!status.ok() || !agrees) {
    return status;
  }
  const bool words_agree = ring.LiveWordsAgree();
  const Address stable = ring.hi_stable();
  bool bad = false;
  bool damaged = false;
  if (words_agree && evidence->file.end < stable) {
    status = CheckBelow(fd, path, scan, ring, &bad, &damaged);
  }
  const Stream stream(fd, path, ring, scan);
  // A record may be in both, in part: then the watermark tells where one goes over into the other.
  // It may be behind the file, or before it; then the file's last whole record does.
  if (status.ok() && words_agree && !bad) {
    status = Try(stream, ring, stable, words_agree, evidence);
  }
  if (status.ok() && evidence->content != Evidence::Content::kWhole) {
    status = Try(stream, ring, evidence->file.end, words_agree, evidence);
  }
  if (damaged && evidence->content != Evidence::Content::kWhole) {
    evidence->content = Evidence::Content::kDamaged;
  }
  return status;
}

}  // namespace lss

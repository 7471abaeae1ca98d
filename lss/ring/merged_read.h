// Reads a stream whose bytes are partly on its device and partly still in its ring: the one place
// that knows how to go from one to the other while both change.
#pragma once

#include <cstddef>
#include <string>

#include "lss/base/status.h"
#include "lss/base/types.h"

namespace lss {

// The two halves of a stream. Thread safety: every method from any thread.
class MergedSource {
 public:
  virtual ~MergedSource() = default;
  // Everything below is on the device. Only grows.
  virtual Address hi_stable() const = 0;
  // As Device::Read.
  virtual Status ReadDevice(Address from, size_t length, char* destination, size_t* read) const = 0;
  // Copies up to `length` bytes below `limit`, as far as the ring holds them. The owner may write
  // over them meanwhile, unless CopiesAreWhole.
  virtual size_t CopyOut(Address from, size_t length, Address limit, char* destination) const = 0;
  virtual bool CopiesAreWhole() const = 0;
  // For messages.
  virtual std::string name() const = 0;
};

// Reads [from, from + length) below `limit`, which has been committed. Bytes that leave the ring
// while we look are found on the device. Corruption if neither has what one of them should.
Status ReadMerged(const MergedSource& source, Address from, size_t length, Address limit,
                  char* destination, size_t* read);

}  // namespace lss

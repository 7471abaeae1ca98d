// A stream read from its device and its ring while bytes move from one to the other.
#include "lss/ring/merged_read.h"

#include <errno.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>

#include "tests/support/stream_bytes.h"

namespace lss {
namespace {

using test::StreamBytes;

// The device has [0, stable), the ring [ring_from, size); `on_copy` happens after each copy out of
// the ring, as an owner might go on meanwhile.
class FakeSource final : public MergedSource {
 public:
  Address hi_stable() const override { return stable; }
  Status ReadDevice(Address from, size_t length, char* destination, size_t* read) const override {
    ++device_reads;
    if (device_error != 0) {
      return Status::FromErrno("read", name_, static_cast<int64_t>(from), device_error);
    }
    const Address end = std::min<Address>(from + length, std::max(from, device_end));
    *read = end - from;
    std::memcpy(destination, StreamBytes(from, *read).data(), *read);
    return Status::Ok();
  }
  size_t CopyOut(Address from, size_t length, Address limit, char* destination) const override {
    const size_t n = from < ring_from ? 0 : std::min<Address>({length, limit - from, piece});
    std::memcpy(destination, StreamBytes(from, n).data(), n);
    if (on_copy) {
      on_copy(destination, n);
    }
    return n;
  }
  bool CopiesAreWhole() const override { return copies_are_whole; }
  std::string name() const override { return name_; }

  mutable Address stable = 0;
  mutable Address ring_from = 0;
  Address device_end = UINT64_MAX;
  size_t piece = SIZE_MAX;
  int device_error = 0;
  bool copies_are_whole = false;
  mutable int device_reads = 0;
  std::function<void(char* copied, size_t length)> on_copy;

 private:
  std::string name_ = "the stream";
};

std::string Read(const FakeSource& source, Address from, size_t length, Address limit,
                 Status* status) {
  std::string bytes(length, '?');
  size_t read = 0;
  *status = ReadMerged(source, from, length, limit, bytes.data(), &read);
  bytes.resize(read);
  return bytes;
}

TEST(ReadMerged, CrossesFromDeviceToRingAtAnyByte) {
  for (Address stable = 0; stable <= 300; stable += 7) {
    FakeSource source;
    source.stable = stable;
    source.ring_from = stable;
    source.piece = 13;
    Status status;
    EXPECT_EQ(Read(source, 10, 250, 300, &status), StreamBytes(10, 250)) << stable;
    EXPECT_TRUE(status.ok());
    EXPECT_EQ(Read(source, 290, 250, 300, &status), StreamBytes(290, 10)) << "to the limit only";
    EXPECT_EQ(Read(source, 300, 250, 300, &status), "");
  }
}

// The owner raises the watermark, reopens the buffer and writes over it, while we copy.
TEST(ReadMerged, BytesThatLeftTheRingWhileTheyWereCopiedAreReadFromTheDevice) {
  FakeSource source;
  source.on_copy = [&](char* copied, size_t length) {
    std::memset(copied, 'x', length);
    source.stable = 200;
    source.ring_from = 200;
    source.on_copy = nullptr;
  };
  Status status;
  EXPECT_EQ(Read(source, 0, 300, 300, &status), StreamBytes(0, 300));
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(source.device_reads, 1);
}

TEST(ReadMerged, CopiesThatNobodyCanHaveTornAreKept) {
  FakeSource source;
  source.copies_are_whole = true;
  source.on_copy = [&](char*, size_t) {
    source.stable = 200;
    source.ring_from = 200;
    source.on_copy = nullptr;
  };
  Status status;
  EXPECT_EQ(Read(source, 0, 300, 300, &status), StreamBytes(0, 300));
  EXPECT_EQ(source.device_reads, 0);
  source.ring_from = 500;  // and those that have gone are on the device
  EXPECT_EQ(Read(source, 0, 200, 200, &status), StreamBytes(0, 200));
}

TEST(ReadMerged, BytesThatNeitherHasAreCorruptionAndNoEndlessLoop) {
  FakeSource source;
  source.ring_from = 500;
  Status status;
  Read(source, 0, 10, 300, &status);
  EXPECT_EQ(status.code(), Status::Code::kCorruption);
  EXPECT_NE(status.message().find("the stream does not hold offset 0"), std::string::npos)
      << status.message();
  source.stable = 300;
  source.device_end = 100;
  EXPECT_EQ(Read(source, 90, 20, 300, &status), StreamBytes(90, 10));
  EXPECT_EQ(status.code(), Status::Code::kCorruption);
  EXPECT_NE(status.message().find("the stream ends before offset 100"), std::string::npos)
      << status.message();
}

TEST(ReadMerged, AnErrorOfTheDeviceIsPassedOn) {
  FakeSource source;
  source.stable = 300;
  source.device_error = EIO;
  Status status;
  Read(source, 0, 10, 300, &status);
  EXPECT_EQ(status.error_number(), EIO);
}

}  // namespace
}  // namespace lss

// Write-ahead logs made by hand: RocksDB's format, including what only later versions write and
// what no version writes. A second, independent implementation of the format, on purpose.

#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace bloom_lfs::test {

class WalBuilder {
 public:
  static constexpr size_t kBlockSize = 32768;

  // A log number makes the log a recyclable one, with 11-byte headers.
  WalBuilder() = default;
  explicit WalBuilder(uint32_t log_number) : recyclable_(true), log_number_(log_number) {}

  // A logical record, fragmented as needed, behind a trailer where one is due.
  WalBuilder& Add(const std::string& payload);

  // A logical record that holds a WriteBatch of `count` entries, the first with number `sequence`.
  WalBuilder& AddBatch(uint64_t sequence, uint32_t count, const std::string& entries) {
    std::string payload(sizeof(sequence) + sizeof(count), '\0');
    std::memcpy(&payload[0], &sequence, sizeof(sequence));
    std::memcpy(&payload[sizeof(sequence)], &count, sizeof(count));
    return Add(payload + entries);
  }

  // A metadata record as later versions write it: never fragmented, behind as many zeros as it
  // takes to get to a block where it fits. `type` is the legacy one; the recyclable follows it.
  WalBuilder& AddMetadata(uint8_t type, const std::string& payload);

  // The record that announces compression: always with the legacy header.
  WalBuilder& AddCompressionType() { return AddPhysical(9, std::string("\7\0\0\0", 4), false); }

  // One physical record at the current position, whatever that means for the sequence.
  WalBuilder& AddPhysical(uint8_t type, const std::string& payload, bool recyclable_header);

  // Raw bytes, for damage.
  WalBuilder& AddRaw(const std::string& bytes);

  const std::string& bytes() const { return bytes_; }
  uint64_t size() const { return bytes_.size(); }
  // Where each logical record added by Add or AddMetadata ends.
  const std::vector<uint64_t>& ends() const { return ends_; }

 private:
  size_t HeaderSize() const { return recyclable_ ? 11 : 7; }
  size_t RoomInBlock() const { return kBlockSize - bytes_.size() % kBlockSize; }
  void FillBlock() { bytes_.append(RoomInBlock(), '\0'); }

  bool recyclable_ = false;
  uint32_t log_number_ = 0;
  std::string bytes_;
  std::vector<uint64_t> ends_;
};

// A payload of n bytes that differs for different seeds.
std::string Payload(size_t n, uint32_t seed = 1);

}  // namespace bloom_lfs::test

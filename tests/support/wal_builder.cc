#include "tests/support/wal_builder.h"

#include <algorithm>
#include <random>

#include "lss/base/crc32c.h"

namespace bloom_lfs::test {
namespace {

void AppendFixed32(std::string* out, uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) out->push_back(static_cast<char>(value >> shift));
}

}  // namespace

WalBuilder& WalBuilder::Add(const std::string& payload) {
  const uint8_t base = recyclable_ ? 5 : 1;  // FULL; FIRST, MIDDLE and LAST follow it
  size_t done = 0;
  bool first = true;
  do {
    if (RoomInBlock() < HeaderSize()) FillBlock();
    const size_t n = std::min(payload.size() - done, RoomInBlock() - HeaderSize());
    const bool last = done + n == payload.size();
    const int place = first && last ? 0 : first ? 1 : last ? 3 : 2;
    AddPhysical(static_cast<uint8_t>(base + place), payload.substr(done, n), recyclable_);
    done += n;
    first = false;
  } while (done < payload.size());
  ends_.push_back(size());
  return *this;
}

WalBuilder& WalBuilder::AddMetadata(uint8_t type, const std::string& payload) {
  if (RoomInBlock() < HeaderSize() + payload.size()) FillBlock();
  AddPhysical(static_cast<uint8_t>(type + (recyclable_ ? 1 : 0)), payload, recyclable_);
  ends_.push_back(size());
  return *this;
}

WalBuilder& WalBuilder::AddPhysical(uint8_t type, const std::string& payload,
                                    bool recyclable_header) {
  std::string covered(1, static_cast<char>(type));
  if (recyclable_header) AppendFixed32(&covered, log_number_);
  covered += payload;
  const uint32_t crc = lss::Crc32c(0, covered.data(), covered.size());
  AppendFixed32(&bytes_, ((crc >> 15) | (crc << 17)) + 0xa282ead8u);
  bytes_.push_back(static_cast<char>(payload.size() & 0xff));
  bytes_.push_back(static_cast<char>(payload.size() >> 8));
  bytes_ += covered;
  return *this;
}

WalBuilder& WalBuilder::AddRaw(const std::string& bytes) {
  bytes_ += bytes;
  return *this;
}

std::string Payload(size_t n, uint32_t seed) {
  std::mt19937 random(seed);
  std::string payload(n, '\0');
  for (char& c : payload) c = static_cast<char>(random());
  return payload;
}

}  // namespace bloom_lfs::test

// A device that takes every write at once and keeps nothing of it: what is measured above it is the
// store alone, whatever the disk does. Ring, flusher and pipeline are those of any other device.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "lss/device/device.h"

namespace bloom_lfs::bench {

// What has come down. Outlives the device, which the store owns.
struct Discarded {
  // Relaxed everywhere: read when the store is closed.
  std::atomic<lss::Address> end{0};  // of the last byte
  std::atomic<uint64_t> bytes{0};    // each time that a byte was written
  std::array<char, lss::kPageBytes> first_page = {};
};

class DiscardDevice final : public lss::Device {
 public:
  explicit DiscardDevice(std::shared_ptr<Discarded> discarded) : discarded_(std::move(discarded)) {}

  const std::string& name() const override { return name_; }
  lss::Status Identify(lss::StreamId* id, uint64_t* size) override;
  lss::Status Write(const std::vector<iovec>& pieces, lss::Address offset,
                    lss::WriteKind kind) override;
  lss::Status Sync() override { return lss::Status::Ok(); }
  lss::Status Allocate(lss::Address /*offset*/, uint64_t /*length*/) override {
    return lss::Status::Ok();
  }
  lss::Status SetSize(uint64_t /*size*/) override { return lss::Status::Ok(); }
  lss::Status OpenAside(std::unique_ptr<lss::Device>* aside) override;
  // Nothing is there any more.
  lss::Status Read(lss::Address /*offset*/, size_t /*length*/, char* /*destination*/,
                   size_t* read) override {
    *read = 0;
    return lss::Status::Ok();
  }

 private:
  const std::string name_ = "discard";
  const std::shared_ptr<Discarded> discarded_;
};

}  // namespace bloom_lfs::bench

// A device that is looked at around every call: what is on the disk if the power fails there?
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lss/device/device.h"
#include "tests/support/memory_device.h"

namespace lss::test {

// A MemoryDevice that lets somebody look at the disk around every call, and in the middle of a
// durable write, which is where its pages may be torn.
class WatchedDevice final : public Device {
 public:
  explicit WatchedDevice(std::function<void()> look) : look_(std::move(look)) {}

  Status Write(const std::vector<iovec>& pieces, Address offset, WriteKind kind) override {
    look_();
    if (kind == WriteKind::kDurable) {
      if (Status status = disk_.Write(pieces, offset, WriteKind::kPlain); !status.ok()) {
        return status;
      }
      look_();
    }
    return Looked(disk_.Write(pieces, offset, kind));
  }
  Status Sync() override {
    look_();
    return Looked(disk_.Sync());
  }
  Status Allocate(Address offset, uint64_t length) override {
    return disk_.Allocate(offset, length);
  }
  Status SetSize(uint64_t size) override {
    look_();
    return Looked(disk_.SetSize(size));
  }
  Status Read(Address offset, size_t length, char* destination, size_t* read) override {
    return disk_.Read(offset, length, destination, read);
  }
  void BypassCache(bool bypass) override { disk_.BypassCache(bypass); }
  Status OpenAside(std::unique_ptr<Device>* aside) override {
    *aside = std::make_unique<Aside>(this);
    return Status::Ok();
  }
  Status Identify(StreamId* id, uint64_t* size) override { return disk_.Identify(id, size); }
  const std::string& name() const override { return disk_.name(); }

  MemoryDevice& disk() { return disk_; }

 private:
  // The same disk, looked at in the same way.
  class Aside final : public Device {
   public:
    explicit Aside(WatchedDevice* device) : device_(device) {
      EXPECT_TRUE(device->disk_.OpenAside(&disk_).ok());
    }
    Status Write(const std::vector<iovec>& pieces, Address offset, WriteKind kind) override {
      return device_->Write(pieces, offset, kind);
    }
    // Its own errors, and not those of the disk's other syncs.
    Status Sync() override {
      device_->look_();
      return device_->Looked(disk_->Sync());
    }
    Status Allocate(Address offset, uint64_t length) override {
      return device_->Allocate(offset, length);
    }
    Status SetSize(uint64_t size) override { return device_->SetSize(size); }
    Status Read(Address offset, size_t length, char* destination, size_t* read) override {
      return device_->Read(offset, length, destination, read);
    }
    Status OpenAside(std::unique_ptr<Device>* aside) override { return device_->OpenAside(aside); }
    Status Identify(StreamId* id, uint64_t* size) override { return device_->Identify(id, size); }
    const std::string& name() const override { return device_->name(); }

   private:
    WatchedDevice* const device_;
    std::unique_ptr<Device> disk_;
  };

  Status Looked(Status status) {
    look_();
    return status;
  }
  const std::function<void()> look_;
  MemoryDevice disk_;
};

}  // namespace lss::test

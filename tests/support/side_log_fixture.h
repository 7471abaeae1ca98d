// A side log on a device in memory, and what a reader finds on it.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lss/second_place/side_log.h"
#include "lss/second_place/side_scan.h"
#include "tests/support/memory_device.h"

namespace lss::test {

// Shows somebody else's device under another name, so that it outlives a log.
class BorrowedDevice final : public Device {
 public:
  explicit BorrowedDevice(Device* device) : device_(device) {}
  const std::string& name() const override { return device_->name(); }
  Status Identify(StreamId* id, uint64_t* size) override { return device_->Identify(id, size); }
  Status Write(const std::vector<iovec>& pieces, Address offset, WriteKind kind) override {
    return device_->Write(pieces, offset, kind);
  }
  Status Sync() override { return device_->Sync(); }
  Status Allocate(Address offset, uint64_t length) override {
    return device_->Allocate(offset, length);
  }
  Status SetSize(uint64_t size) override { return device_->SetSize(size); }
  Status OpenAside(std::unique_ptr<Device>* aside) override { return device_->OpenAside(aside); }
  Status Read(Address offset, size_t length, char* destination, size_t* read) override {
    return device_->Read(offset, length, destination, read);
  }

 private:
  Device* const device_;
};

inline StreamName StreamNumber(uint64_t number) {
  StreamName name;
  name.database.fill(7);
  name.number = number;
  return name;
}

class SideLogFixture : public testing::Test {
 protected:
  static constexpr uint64_t kGroupBytes = 16384;
  static constexpr uint64_t kGroupCount = 128;

  void Format() {
    std::unique_ptr<SideSpace> space;
    const Status status =
        SideSpace::Format(std::make_unique<BorrowedDevice>(&device_), Uuid{1, 2, 3},
                          kSuperblocksBytes + kGroupCount * kGroupBytes, kGroupBytes, &space);
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  static std::unique_ptr<SideSpace> OpenSpace(Device* device) {
    std::unique_ptr<SideSpace> space;
    const Status status = SideSpace::Open(std::make_unique<BorrowedDevice>(device), &space);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return space;
  }
  struct Found {
    StreamName stream;
    Address offset;
    std::string bytes;
    uint64_t lsn;
  };
  static std::vector<Found> Scan(MemoryDevice* device, SideScan* scan) {
    std::vector<Found> found;
    const std::unique_ptr<SideSpace> space = OpenSpace(device);
    if (space == nullptr) {
      return found;
    }
    const Status status = ScanSideLog(
        *space,
        [&](const SideRecord& record, uint64_t lsn) {
          found.push_back(
              {record.stream, record.offset, {record.bytes.data, record.bytes.size}, lsn});
        },
        scan);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return found;
  }
  std::vector<Found> Scan() {
    SideScan scan;
    return Scan(&device_, &scan);
  }
  // As a process does that uses the place again: takes it over, reads it, goes on behind its end.
  // Everything that it finds is wanted.
  void OpenLog(uint64_t in_flight = 1) {
    log_.reset();
    ASSERT_NO_FATAL_FAILURE(TakeOverLog(in_flight, &log_));
  }
  // The same while another log may be there, of a process that takes itself for the owner.
  void TakeOverLog(uint64_t in_flight, std::unique_ptr<SideLog>* log) {
    TakeOverLogOn(&device_, in_flight, log);
  }
  static void TakeOverLogOn(Device* device, uint64_t in_flight, std::unique_ptr<SideLog>* log) {
    std::unique_ptr<SideSpace> space = OpenSpace(device);
    ASSERT_NE(space, nullptr);
    Status status = space->TakeOver();
    ASSERT_TRUE(status.ok()) << status.ToString();
    SideScan scan;
    LiveRecords wanted;
    status = ScanSideLog(
        *space,
        [&](const SideRecord& record, uint64_t lsn) {
          wanted.Add(record.stream, record.offset + record.bytes.size, lsn);
        },
        &scan);
    ASSERT_TRUE(status.ok()) << status.ToString();
    status = SideLog::Open(std::move(space), scan.end, std::move(wanted), in_flight, log);
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  Status Append(uint64_t stream, Address offset, const std::string& bytes, uint64_t* group) {
    return log_->Append({StreamNumber(stream), offset, {bytes.data(), bytes.size()}}, group);
  }
  // Appended and synced.
  Status Put(uint64_t stream, Address offset, const std::string& bytes) {
    uint64_t group = 0;
    Status status = Append(stream, offset, bytes, &group);
    return status.ok() ? log_->Sync(group) : status;
  }

  MemoryDevice device_;
  std::unique_ptr<SideLog> log_;
};

}  // namespace lss::test

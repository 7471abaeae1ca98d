// A side log after power cuts, on damaged devices and on those of something else.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "lss/second_place/side_log.h"
#include "tests/support/side_log_fixture.h"

namespace lss {
namespace {

using test::MemoryDevice;
using test::StreamNumber;
using test::Survivors;

class SideLogDamageTest : public test::SideLogFixture {
 protected:
  SideLogDamageTest() {
    Format();
    OpenLog();
  }
};

// What survives a power cut at any moment holds everything that was acknowledged before and is
// still wanted.
TEST_F(SideLogDamageTest, APowerCutLosesNothingThatWasAcknowledged) {
  std::mt19937 random(5);
  std::vector<uint64_t> pending;
  std::vector<uint64_t> acknowledged;
  uint64_t wanted_from = 0;
  for (uint64_t i = 0; i < 240; ++i) {
    const std::string bytes(random() % 15000 + 1, static_cast<char>('a' + i % 26));
    uint64_t group = 0;
    ASSERT_TRUE(Append(1, i * 20000, bytes, &group).ok());
    pending.push_back(i);
    if (random() % 2 == 0) {
      ASSERT_TRUE(log_->Sync(group).ok());
      acknowledged.insert(acknowledged.end(), pending.begin(), pending.end());
      pending.clear();
      if (i > 10) {
        wanted_from = i - 10;
        log_->FileDurable(StreamNumber(1), wanted_from * 20000 - 1);
      }
    }
    if (random() % 50 == 0) {
      pending.clear();
      OpenLog(1 + i % SideLog::kMaxInFlight);
    }
    if (i % 4 != 0) {
      continue;
    }
    for (const Survivors survivors : {Survivors::kSyncedOnly, Survivors::kRandomSubset}) {
      MemoryDevice after;
      const std::string content = device_.PowerCut(survivors, i);
      ASSERT_TRUE(
          after.Write({{const_cast<char*>(content.data()), content.size()}}, 0, WriteKind::kPlain)
              .ok());
      SideScan scan;
      std::map<uint64_t, std::string> found;
      for (const Found& record : Scan(&after, &scan)) {
        found[record.offset / 20000] = record.bytes;
      }
      for (const uint64_t wanted : acknowledged) {
        if (wanted >= wanted_from) {
          ASSERT_TRUE(found.count(wanted) > 0) << wanted << " of " << i;
          ASSERT_EQ(found[wanted][0], static_cast<char>('a' + wanted % 26));
        }
      }
    }
  }
}

TEST_F(SideLogDamageTest, AnythingOnTheDeviceIsReadWithoutHarm) {
  for (uint64_t i = 0; i < 10; ++i) {
    ASSERT_TRUE(Put(1, i * 100, std::string(100, static_cast<char>('a' + i))).ok());
  }
  const std::string content = device_.Content().substr(0, 81920);  // and the page behind the groups
  std::mt19937_64 random(1);
  for (int round = 0; round < 1500; ++round) {
    std::string damaged = content;
    for (int flips = 0; flips <= round % 3; ++flips) {
      char& byte = damaged[random() % std::min<size_t>(damaged.size(), 60000)];
      byte = static_cast<char>(byte ^ (1 << random() % 8));
    }
    MemoryDevice device;
    ASSERT_TRUE(device.Write({{damaged.data(), damaged.size()}}, 0, WriteKind::kPlain).ok());
    std::unique_ptr<SideSpace> space;
    if (!SideSpace::Open(std::make_unique<test::BorrowedDevice>(&device), &space).ok()) {
      continue;
    }
    SideScan scan;
    const Status status = ScanSideLog(
        *space,
        [](const SideRecord& record, uint64_t) {
          ASSERT_EQ(record.bytes.size, 100U);
          ASSERT_EQ(std::string(record.bytes.data, 100),
                    std::string(100, static_cast<char>('a' + record.offset / 100)));
        },
        &scan);
    EXPECT_TRUE(status.ok() || status.code() == Status::Code::kCorruption) << status.ToString();
  }
}

TEST_F(SideLogDamageTest, ADeviceWithoutASideLogIsTold) {
  MemoryDevice empty;
  std::unique_ptr<SideSpace> space;
  const Status status = SideSpace::Open(std::make_unique<test::BorrowedDevice>(&empty), &space);
  EXPECT_EQ(status.code(), Status::Code::kCorruption);
  EXPECT_NE(status.message().find("no side log"), std::string::npos);
  EXPECT_EQ(
      SideSpace::Format(std::make_unique<test::BorrowedDevice>(&empty), Uuid{}, 8192, 4096, &space)
          .code(),
      Status::Code::kInvalidArgument);
}

}  // namespace
}  // namespace lss

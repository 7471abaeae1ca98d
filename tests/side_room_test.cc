// Room in a side log for new records: who says that a file is durable does not wait for the side
// log's device.
#include <gtest/gtest.h>

#include <string>

#include "lss/second_place/side_log.h"
#include "tests/support/side_log_fixture.h"

namespace lss {
namespace {

using test::DeviceCall;
using test::StreamNumber;

class SideRoomTest : public test::SideLogFixture {
 protected:
  SideRoomTest() {
    Format();
    OpenLog();
    log_->WhenRoomIsDue([this] { ++due_; });
    Status status;
    for (uint64_t i = 0; status.ok(); ++i) {
      status = Put(1, i * bytes_.size(), bytes_);
    }
    EXPECT_EQ(status.code(), Status::Code::kNoSpace);
    due_ = 0;
    device_.ForgetEvents();
  }

  const std::string bytes_ = std::string(kGroupBytes - 200, 'f');
  int due_ = 0;
};

TEST_F(SideRoomTest, ItIsMadeByWhoMayWait) {
  log_->FileDurable(StreamNumber(1), UINT64_MAX);
  EXPECT_EQ(due_, 1);
  EXPECT_EQ(device_.Count(DeviceCall::kWrite), 0U);
  log_->MakeRoom();
  EXPECT_EQ(device_.Count(DeviceCall::kWrite), 1U) << "the superblock";
  log_->FileDurable(StreamNumber(1), UINT64_MAX);
  EXPECT_EQ(due_, 1) << "there is enough";
  EXPECT_TRUE(Put(2, 0, bytes_).ok());
}

TEST_F(SideRoomTest, AStreamThatIsForgottenWaitsForNobodyEither) {
  log_->Forget(StreamNumber(1));
  EXPECT_EQ(due_, 1);
  EXPECT_EQ(device_.Count(DeviceCall::kWrite), 0U);
}

TEST_F(SideRoomTest, WhoNeedsItAtOnceMakesItHimself) {
  log_->FileDurable(StreamNumber(1), UINT64_MAX);
  EXPECT_TRUE(Put(2, 0, bytes_).ok());
}

}  // namespace
}  // namespace lss

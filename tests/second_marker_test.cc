// The marker beside logs with a second place, and the lock of whoever writes them.
#include "plugin/second/second_marker.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs {
namespace {

using lss::Status;
using test::TempDir;

class SecondMarkerTest : public testing::Test {
 protected:
  SecondMarkerTest() {
    marker_.log = lss::DrawUuid();
    marker_.database = lss::DrawUuid();
    marker_.boot = lss::DrawUuid();
    marker_.directory = {3, 4711, 1234567890123};
    marker_.queues = "/dev/shm";
    marker_.place = "/a place/with a blank";
  }
  Status Write() { return WriteSecondMarker(dir_.path(), marker_); }
  Status Read(SecondMarker* marker) { return ReadSecondMarker(dir_.path(), marker); }

  TempDir dir_;
  const std::string path_ = dir_ / ".bloom_lfs/second";
  SecondMarker marker_;
};

TEST_F(SecondMarkerTest, ComesBackAsItWasWritten) {
  SecondMarker read;
  EXPECT_EQ(Read(&read).code(), Status::Code::kNotFound);
  ASSERT_TRUE(Write().ok());
  ASSERT_TRUE(Read(&read).ok());
  EXPECT_EQ(read.log, marker_.log);
  EXPECT_EQ(read.database, marker_.database);
  EXPECT_EQ(read.boot, marker_.boot);
  EXPECT_TRUE(read.directory.SameFile(marker_.directory));
  EXPECT_EQ(read.queues, marker_.queues);
  EXPECT_EQ(read.place, marker_.place);
}

TEST_F(SecondMarkerTest, ADamagedOneIsToldAndNotTakenForNone) {
  ASSERT_TRUE(Write().ok());
  const std::string text = test::ReadFile(path_);
  for (size_t at = 0; at < text.size(); at += 7) {
    std::string changed = text;
    changed[at] = changed[at] == 'x' ? 'y' : 'x';
    test::WriteFile(path_, changed);
    SecondMarker read;
    const Status status = Read(&read);
    EXPECT_EQ(status.code(), Status::Code::kCorruption) << at;
    EXPECT_NE(status.message().find(path_), std::string::npos);
  }
  test::WriteFile(path_, text.substr(0, text.size() / 2));
  SecondMarker read;
  EXPECT_EQ(Read(&read).code(), Status::Code::kCorruption);
}

TEST_F(SecondMarkerTest, APlaceThatCannotBeWrittenDownIsRefused) {
  marker_.place = "/two\nlines";
  EXPECT_EQ(Write().code(), Status::Code::kInvalidArgument);
  EXPECT_NE(access(path_.c_str(), F_OK), 0);
}

TEST_F(SecondMarkerTest, OneThatOthersMayWriteToIsNotBelieved) {
  ASSERT_EQ(chmod(dir_.path().c_str(), 0755), 0);
  ASSERT_TRUE(Write().ok());
  ASSERT_EQ(chmod(path_.c_str(), 0666), 0);
  SecondMarker read;
  EXPECT_EQ(Read(&read).code(), Status::Code::kPermissionDenied);
}

TEST_F(SecondMarkerTest, OnlyThatOfTheSameLifeIsRemoved) {
  ASSERT_TRUE(Write().ok());
  ASSERT_TRUE(RemoveSecondMarker(dir_.path(), lss::DrawUuid()).ok());
  EXPECT_EQ(access(path_.c_str(), F_OK), 0);
  ASSERT_TRUE(RemoveSecondMarker(dir_.path(), marker_.database).ok());
  EXPECT_NE(access(path_.c_str(), F_OK), 0);
}

TEST_F(SecondMarkerTest, OneHasTheLockAndItGoesWithIt) {
  ASSERT_TRUE(MakeRingDirectory(dir_.path()).ok());
  bool busy = false;
  {
    SecondLock one;
    ASSERT_TRUE(one.Take(dir_.path(), &busy).ok());
    EXPECT_TRUE(one.held());
    SecondLock other;
    EXPECT_FALSE(other.Take(dir_.path(), &busy).ok());
    EXPECT_TRUE(busy);
  }
  EXPECT_NE(access((dir_ / ".bloom_lfs").c_str(), F_OK), 0) << "it was the last in it";
  ASSERT_TRUE(MakeRingDirectory(dir_.path()).ok());
  SecondLock later;
  EXPECT_TRUE(later.Take(dir_.path(), &busy).ok());
  EXPECT_FALSE(busy);
}

}  // namespace
}  // namespace bloom_lfs

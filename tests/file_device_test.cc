#include "lss/device/file_device.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/aligned_memory.h"
#include "tests/support/files.h"
#include "tests/support/scripted_system_calls.h"
#include "tests/support/stream_bytes.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using bloom_lfs::test::ReadFile;
using test::AlignedMemory;
using test::FirstDifference;
using test::StreamBytes;
using test::WriteAnswer;

class FileDeviceTest : public testing::Test {
 protected:
  FileDeviceTest() : path_(directory_ / "file") {
    UniqueFd fd(open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    EXPECT_TRUE(fd.valid());
    device_ = std::make_unique<FileDevice>(
        std::move(fd), path_, [this](const std::string& line) { warnings_.push_back(line); },
        &calls_);
  }

  // Writes the stream's bytes of [offset, offset + length) in pieces of `piece` bytes.
  Status Write(Address offset, size_t length, WriteKind kind = WriteKind::kPlain,
               size_t piece = 1 << 20) {
    const AlignedMemory memory(StreamBytes(offset, length));
    std::vector<iovec> pieces;
    for (size_t at = 0; at < length; at += piece) {
      pieces.push_back({memory.data() + at, std::min(piece, length - at)});
    }
    return device_->Write(pieces, offset, kind);
  }
  bool OnlyTheDirectBitIsSet(bool expected) const {
    return ((fcntl(device_->fd(), F_GETFL) & O_DIRECT) != 0) == expected;
  }

  bloom_lfs::test::TempDir directory_;
  const std::string path_;
  test::ScriptedSystemCalls calls_;
  std::vector<std::string> warnings_;
  std::unique_ptr<FileDevice> device_;
};

TEST_F(FileDeviceTest, WritesPiecesOneBehindTheOther) {
  ASSERT_TRUE(Write(0, 10000, WriteKind::kPlain, 3000).ok());
  ASSERT_TRUE(Write(10000, 5).ok());
  EXPECT_EQ(FirstDifference(ReadFile(path_), StreamBytes(0, 10005)), "");
  EXPECT_EQ(calls_.write_calls.size(), 2U) << "one call for all pieces";
}

TEST_F(FileDeviceTest, ADurableWriteCarriesTheFlagAndNeedsNoSync) {
  ASSERT_TRUE(Write(0, 4096, WriteKind::kDurable).ok());
  ASSERT_EQ(calls_.write_calls.size(), 1U);
  EXPECT_TRUE(calls_.write_calls[0].dsync);
  EXPECT_EQ(calls_.sync_calls, 0);
  ASSERT_TRUE(Write(0, 4096, WriteKind::kPlain).ok());
  EXPECT_FALSE(calls_.write_calls[1].dsync);
}

TEST_F(FileDeviceTest, WritebackBeginsForBufferedWritesOnly) {
  ASSERT_TRUE(Write(0, 8192).ok());
  device_->StartWriteback(0, 8192);
  device_->BypassCache(true);
  device_->StartWriteback(0, 4096);
  using Range = std::pair<int64_t, int64_t>;
  EXPECT_EQ(calls_.writebacks, std::vector<Range>({{0, 8192}}));
}

TEST_F(FileDeviceTest, Trap12_AShortWriteGoesOnWhereItEnded) {
  // Inside a piece, at the end of a piece, a single byte.
  calls_.writes = {WriteAnswer::Short(100), WriteAnswer::Short(2900), WriteAnswer::Short(1)};
  ASSERT_TRUE(Write(0, 10000, WriteKind::kPlain, 3000).ok());
  EXPECT_EQ(FirstDifference(ReadFile(path_), StreamBytes(0, 10000)), "");
  ASSERT_EQ(calls_.write_calls.size(), 4U);
  EXPECT_EQ(calls_.write_calls[1].offset, 100);
  EXPECT_EQ(calls_.write_calls[3].offset, 3001);
  EXPECT_EQ(calls_.write_calls[3].length, 6999U);
}

TEST_F(FileDeviceTest, Trap12_AShortDirectWriteGoesOnAtAPage) {
  device_->BypassCache(true);
  ASSERT_TRUE(device_->bypasses_cache()) << "this test needs a file system with O_DIRECT";
  calls_.writes = {WriteAnswer::Short(4096 + 512), WriteAnswer::Short(700)};
  ASSERT_TRUE(Write(0, 16384).ok());
  EXPECT_EQ(FirstDifference(ReadFile(path_), StreamBytes(0, 16384)), "");
  for (const auto& call : calls_.write_calls) {
    EXPECT_EQ(call.offset % 4096, 0);
    EXPECT_EQ(call.length % 4096, 0U);
  }
}

TEST_F(FileDeviceTest, Trap12_InterruptedAndRefusedForTheMomentIsTriedAgain) {
  calls_.writes = {WriteAnswer::Error(EINTR), WriteAnswer::Error(EAGAIN), WriteAnswer::Short(0),
                   WriteAnswer::Short(50), WriteAnswer::Error(EINTR)};
  ASSERT_TRUE(Write(0, 5000).ok());
  EXPECT_EQ(FirstDifference(ReadFile(path_), StreamBytes(0, 5000)), "");
  EXPECT_EQ(calls_.write_calls.size(), 6U);
}

TEST_F(FileDeviceTest, Trap12_NoProgressForTooLongIsAnError) {
  for (int i = 0; i < 1000; ++i) {
    calls_.writes.push_back(WriteAnswer::Short(0));
  }
  const Status status = Write(0, 100);
  EXPECT_EQ(status.code(), Status::Code::kIoError);
  EXPECT_LT(calls_.write_calls.size(), 1000U) << "it spins";
}

TEST_F(FileDeviceTest, Trap11_HardErrorsComeBackAtOnceWithTheirErrno) {
  const std::vector<std::pair<int, Status::Code>> errors = {
      {EIO, Status::Code::kIoError},
      {ENOSPC, Status::Code::kNoSpace},
      {EFBIG, Status::Code::kNoSpace},
      {EINVAL, Status::Code::kInvalidArgument}};
  for (const auto& [error, code] : errors) {
    calls_.write_calls.clear();
    calls_.writes = {WriteAnswer::Short(10), WriteAnswer::Error(error)};
    const Status status = Write(0, 100);
    EXPECT_EQ(status.code(), code);
    EXPECT_EQ(status.error_number(), error);
    EXPECT_NE(status.message().find(path_ + " at offset 10"), std::string::npos)
        << status.message();
    EXPECT_EQ(calls_.write_calls.size(), 2U) << "a failed write is not tried again";
  }
}

TEST_F(FileDeviceTest, WithoutRwfDsyncADurableWriteSyncs) {
  calls_.refuses_dsync = true;
  ASSERT_TRUE(Write(0, 4096, WriteKind::kDurable).ok());
  EXPECT_EQ(calls_.sync_calls, 1) << "the bytes must be on the device when it returns";
  EXPECT_EQ(FirstDifference(ReadFile(path_), StreamBytes(0, 4096)), "");
  calls_.write_calls.clear();
  ASSERT_TRUE(Write(4096, 4096, WriteKind::kDurable).ok());
  ASSERT_EQ(calls_.write_calls.size(), 1U) << "the flag is not tried again";
  EXPECT_FALSE(calls_.write_calls[0].dsync);
  EXPECT_EQ(calls_.sync_calls, 2);
}

TEST_F(FileDeviceTest, ADurableWriteWhoseSecondHalfLostTheFlagSyncs) {
  calls_.writes = {WriteAnswer::Short(4096), WriteAnswer::Error(EOPNOTSUPP)};
  ASSERT_TRUE(Write(0, 8192, WriteKind::kDurable).ok());
  EXPECT_EQ(calls_.sync_calls, 1);
}

TEST_F(FileDeviceTest, TheErrorOfTheSyncBehindADurableWriteIsTheWritesError) {
  calls_.refuses_dsync = true;
  calls_.syncs = {-EIO};
  EXPECT_EQ(Write(0, 4096, WriteKind::kDurable).code(), Status::Code::kIoError);
  EXPECT_EQ(calls_.sync_calls, 1);
}

TEST_F(FileDeviceTest, RefusedDirectIoFallsBackToBufferedForGood) {
  device_->BypassCache(true);
  ASSERT_TRUE(device_->bypasses_cache());
  calls_.refuses_direct = true;
  ASSERT_TRUE(Write(0, 8192).ok());
  EXPECT_FALSE(device_->bypasses_cache());
  EXPECT_TRUE(OnlyTheDirectBitIsSet(false));
  EXPECT_EQ(FirstDifference(ReadFile(path_), StreamBytes(0, 8192)), "");
  calls_.write_calls.clear();
  ASSERT_TRUE(Write(8192, 100).ok()) << "buffered, so alignment does not matter";
  EXPECT_EQ(calls_.write_calls.size(), 1U);
  ASSERT_EQ(warnings_.size(), 1U);
  EXPECT_NE(warnings_[0].find("direct I/O"), std::string::npos) << warnings_[0];
}

// Two threads write at the same time (the tail and the zeros ahead of it), both are refused, and
// the other one has already switched to buffered writes when this one looks.
TEST_F(FileDeviceTest, RefusedDirectIoFallsBackAlsoForTheSecondOfTwoThreads) {
  device_->BypassCache(true);
  ASSERT_TRUE(device_->bypasses_cache());
  calls_.refuses_direct = true;
  calls_.during_write = [this] { device_->BypassCache(false); };
  EXPECT_TRUE(Write(0, 4096).ok());
  EXPECT_EQ(FirstDifference(ReadFile(path_), StreamBytes(0, 4096)), "");
}

TEST_F(FileDeviceTest, BypassCacheSwitchesBothWays) {
  EXPECT_FALSE(device_->bypasses_cache());
  device_->BypassCache(true);
  EXPECT_TRUE(device_->bypasses_cache());
  EXPECT_TRUE(OnlyTheDirectBitIsSet(true));
  device_->BypassCache(false);
  EXPECT_FALSE(device_->bypasses_cache());
  EXPECT_TRUE(OnlyTheDirectBitIsSet(false));
}

TEST_F(FileDeviceTest, Trap11_AFailedSyncIsReportedAndNotRepeated) {
  calls_.syncs = {-EIO};
  const Status status = device_->Sync();
  EXPECT_EQ(status.code(), Status::Code::kIoError);
  EXPECT_EQ(calls_.sync_calls, 1);
}

TEST_F(FileDeviceTest, AnInterruptedSyncIsRepeated) {
  calls_.syncs = {-EINTR};
  EXPECT_TRUE(device_->Sync().ok());
  EXPECT_EQ(calls_.sync_calls, 2);
}

TEST_F(FileDeviceTest, AllocatedBlocksAreRealAndLeaveTheSizeAlone) {
  ASSERT_TRUE(device_->Allocate(0, 1 << 20).ok());
  struct stat st = {};
  ASSERT_EQ(fstat(device_->fd(), &st), 0);
  EXPECT_EQ(st.st_size, 0);
  EXPECT_GE(st.st_blocks * 512, 1 << 20);
  ASSERT_TRUE(device_->SetSize(5000).ok());
  ASSERT_EQ(fstat(device_->fd(), &st), 0);
  EXPECT_EQ(st.st_size, 5000);
}

TEST_F(FileDeviceTest, AllocationErrorsAndTheirFallback) {
  calls_.allocates = {-ENOSPC};
  EXPECT_EQ(device_->Allocate(0, 4096).code(), Status::Code::kNoSpace);
  calls_.allocates = {-EINTR, 0};
  EXPECT_TRUE(device_->Allocate(0, 4096).ok());
  EXPECT_EQ(calls_.allocate_calls, 3);
  calls_.allocates = {-EOPNOTSUPP};
  EXPECT_TRUE(device_->Allocate(0, 4096).ok()) << "writes will tell when the disk is full";
  EXPECT_TRUE(device_->Allocate(4096, 4096).ok());
  EXPECT_EQ(calls_.allocate_calls, 4) << "not asked again";
}

TEST_F(FileDeviceTest, ReadsAreShortOnlyAtTheEndAndNeedNoAlignment) {
  ASSERT_TRUE(Write(0, 8192).ok());
  device_->BypassCache(true);
  std::string bytes(10000, '?');
  size_t read = 0;
  ASSERT_TRUE(device_->Read(3, bytes.size(), bytes.data(), &read).ok());
  EXPECT_EQ(read, 8189U);
  bytes.resize(read);
  EXPECT_EQ(FirstDifference(bytes, StreamBytes(3, 8189)), "");
  ASSERT_TRUE(device_->Read(9000, 1, bytes.data(), &read).ok());
  EXPECT_EQ(read, 0U);
}

TEST_F(FileDeviceTest, TheFileIsFoundByItsDescriptorWhateverHappensToTheName) {
  ASSERT_TRUE(Write(0, 100).ok());
  EXPECT_FALSE(device_->Unreachable());
  ASSERT_EQ(rename(path_.c_str(), (directory_ / "moved").c_str()), 0);
  EXPECT_FALSE(device_->Unreachable());
  bloom_lfs::test::WriteFile(path_, "somebody else's");
  std::string bytes(100, '?');
  size_t read = 0;
  ASSERT_TRUE(device_->Read(0, 100, bytes.data(), &read).ok());
  EXPECT_EQ(bytes, StreamBytes(0, 100));
  ASSERT_EQ(unlink((directory_ / "moved").c_str()), 0);
  EXPECT_TRUE(device_->Unreachable());
}

TEST_F(FileDeviceTest, ADeviceAsideIsAnotherWayToTheSameFileAndSyncsForItself) {
  ASSERT_TRUE(Write(0, 8192).ok());
  std::unique_ptr<Device> aside;
  ASSERT_TRUE(device_->OpenAside(&aside).ok());
  ASSERT_TRUE(aside->SetSize(16384).ok());
  const AlignedMemory zeros(std::string(4096, '\0'));
  ASSERT_TRUE(aside->Write({{zeros.data(), 4096}}, 12288, WriteKind::kPlain).ok());
  EXPECT_EQ(ReadFile(path_), StreamBytes(0, 8192) + std::string(8192, '\0'));
  calls_.syncs = {-EIO};
  EXPECT_EQ(aside->Sync().code(), Status::Code::kIoError);
  EXPECT_TRUE(device_->Sync().ok()) << "the error was the other one's";
}

TEST_F(FileDeviceTest, ADeviceAsideIsFoundWithoutTheFilesName) {
  ASSERT_EQ(unlink(path_.c_str()), 0);
  bloom_lfs::test::WriteFile(path_, "somebody else's");
  std::unique_ptr<Device> aside;
  ASSERT_TRUE(device_->OpenAside(&aside).ok());
  ASSERT_TRUE(aside->SetSize(3 * 4096).ok());
  EXPECT_EQ(ReadFile(path_), "somebody else's");
  struct stat st = {};
  ASSERT_EQ(fstat(device_->fd(), &st), 0);
  EXPECT_EQ(st.st_size, 3 * 4096);
}

TEST_F(FileDeviceTest, WhatIsFreeIsWhatTheFileSystemSays) {
  struct statvfs fs = {};
  ASSERT_EQ(statvfs(path_.c_str(), &fs), 0);
  EXPECT_GT(device_->FreeBytes(), 0U);
  EXPECT_LE(device_->FreeBytes(), fs.f_blocks * fs.f_frsize);
}

}  // namespace
}  // namespace lss

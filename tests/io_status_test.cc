// The store's errors in RocksDB's words: what RocksDB does about an error depends on them.

#include "plugin/io_status.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace bloom_lfs {
namespace {

using lss::Status;
using rocksdb::IOStatus;

IOStatus OfErrno(int error_number) {
  return ToIOStatus(Status::FromErrno("write", "/db/000004.log", 4096, error_number));
}

TEST(ToIOStatus, OkIsOk) { EXPECT_TRUE(ToIOStatus(Status::Ok()).ok()); }

TEST(ToIOStatus, AFullDiskIsNoSpaceAndWorthARetry) {
  for (const int error_number : {ENOSPC, EDQUOT, EFBIG}) {
    const IOStatus status = OfErrno(error_number);
    EXPECT_TRUE(status.IsNoSpace()) << status.ToString();
    EXPECT_TRUE(status.GetRetryable());
  }
}

TEST(ToIOStatus, AMissingFileIsPathNotFound) {
  const IOStatus status = OfErrno(ENOENT);
  EXPECT_TRUE(status.IsPathNotFound()) << status.ToString();
  EXPECT_FALSE(status.GetRetryable());
}

TEST(ToIOStatus, WhateverElseTheKernelRefusesIsAnIOError) {
  for (const int error_number :
       {EIO, EACCES, EROFS, EMFILE, EINVAL, EISDIR, ENOTDIR, ELOOP, EOPNOTSUPP}) {
    const IOStatus status = OfErrno(error_number);
    EXPECT_TRUE(status.IsIOError()) << status.ToString();
    EXPECT_FALSE(status.IsPathNotFound());
    EXPECT_FALSE(status.GetRetryable());
  }
}

// Recovery in the default mode takes a Corruption from Read for the log's clean end.
TEST(ToIOStatus, MissingBytesAreAnIOErrorAndNotACorruption) {
  const IOStatus status = ToIOStatus(Status::Corruption("the file ends before offset 5"));
  EXPECT_TRUE(status.IsIOError()) << status.ToString();
  EXPECT_FALSE(status.IsCorruption());
}

TEST(ToIOStatus, TheRestKeepsItsKind) {
  EXPECT_TRUE(ToIOStatus(Status::NotSupported("later version")).IsNotSupported());
  EXPECT_TRUE(ToIOStatus(Status::InvalidArgument("bad")).IsInvalidArgument());
  EXPECT_TRUE(ToIOStatus(Status::Closed("closed")).IsIOError());
}

TEST(ToIOStatus, MessagesKeepFileOffsetCauseAndRemedy) {
  const std::string text = OfErrno(ENOSPC).ToString();
  for (const char* part : {"/db/000004.log", "4096", "No space left", "free space"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " is missing in: " << text;
  }
}

}  // namespace
}  // namespace bloom_lfs

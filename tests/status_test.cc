#include "lss/base/status.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

namespace lss {
namespace {

using Code = Status::Code;

TEST(StatusTest, ADefaultStatusIsOk) {
  EXPECT_TRUE(Status().ok());
  EXPECT_TRUE(Status::Ok().ok());
  EXPECT_EQ(Status().ToString(), "ok");
  EXPECT_EQ(Status().error_number(), 0);
}

TEST(StatusTest, EveryErrnoHasItsCode) {
  const std::vector<std::pair<int, Code>> table = {
      {ENOENT, Code::kNotFound},
      {ENOTDIR, Code::kNotFound},
      {EACCES, Code::kPermissionDenied},
      {EPERM, Code::kPermissionDenied},
      {EROFS, Code::kPermissionDenied},
      {ENOSPC, Code::kNoSpace},
      {EDQUOT, Code::kNoSpace},
      {EFBIG, Code::kNoSpace},
      {EINVAL, Code::kInvalidArgument},
      {EISDIR, Code::kInvalidArgument},
      {EOPNOTSUPP, Code::kNotSupported},
      {ENOSYS, Code::kNotSupported},
      {EIO, Code::kIoError},
      {EMFILE, Code::kIoError},
      {ESTALE, Code::kIoError},
      {12345, Code::kIoError},
  };
  for (const auto& [error, code] : table) {
    const Status status = Status::FromErrno("write", "file", 0, error);
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(status.code(), code) << error;
    EXPECT_EQ(status.error_number(), error);
  }
}

TEST(StatusTest, TheMessageSaysWhatWhereAndWhy) {
  const Status status = Status::FromErrno("fallocate", "/db/000004.log", 4096, ENOSPC);
  EXPECT_EQ(
      status.ToString(),
      "no space: fallocate /db/000004.log at offset 4096: No space left on device (errno 28); "
      "free space on this file system and retry");
}

TEST(StatusTest, WithoutAnOffsetThereIsNoneInTheMessage) {
  const Status status = Status::FromErrno("open", "/db", -1, EISDIR);
  EXPECT_EQ(status.message().find("offset"), std::string::npos);
  EXPECT_EQ(status.message().find("open /db: Is a directory"), 0U) << status.message();
}

TEST(StatusTest, AnUnknownErrnoStillHasItsNumber) {
  EXPECT_NE(Status::FromErrno("write", "f", -1, 12345).message().find("errno 12345"),
            std::string::npos);
}

TEST(StatusTest, ErrorsOfOurOwnHaveNoErrno) {
  const std::vector<std::pair<Status, std::string>> table = {
      {Status::InvalidArgument("x"), "invalid argument: x"},
      {Status::Corruption("x"), "corruption: x"},
      {Status::NotSupported("x"), "not supported: x"},
      {Status::Closed("x"), "closed: x"},
  };
  for (const auto& [status, text] : table) {
    EXPECT_FALSE(status.ok());
    EXPECT_EQ(status.error_number(), 0);
    EXPECT_EQ(status.ToString(), text);
  }
}

}  // namespace
}  // namespace lss

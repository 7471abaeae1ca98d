#include "lss/base/status.h"

#include <cerrno>
#include <cstring>

namespace lss {
namespace {

Status::Code CodeOf(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return Status::Code::kNotFound;
    case EACCES:
    case EPERM:
    case EROFS:
      return Status::Code::kPermissionDenied;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return Status::Code::kNoSpace;
    case EINVAL:
    case EISDIR:
    case ENAMETOOLONG:
    case ELOOP:
      return Status::Code::kInvalidArgument;
    case EOPNOTSUPP:
    case ENOSYS:
      return Status::Code::kNotSupported;
    default:
      return Status::Code::kIoError;
  }
}

const char* RemedyOf(int error_number) {
  switch (error_number) {
    case ENOSPC:
      return "free space on this file system and retry";
    case EDQUOT:
      return "raise the quota or delete files, then retry";
    case EFBIG:
      return "raise the file size limit (ulimit -f)";
    case EACCES:
    case EPERM:
      return "give this user write permission on the file and its directory";
    case EROFS:
      return "remount the file system read-write";
    case EISDIR:
      return "the path names a directory; remove it or choose another path";
    case EMFILE:
    case ENFILE:
      return "raise the limit of open files (ulimit -n)";
    case EIO:
      return "check the device (dmesg); reopen the database to recover what is durable";
    default:
      return nullptr;
  }
}

const char* NameOf(Status::Code code) {
  switch (code) {
    case Status::Code::kOk:
      return "ok";
    case Status::Code::kInvalidArgument:
      return "invalid argument";
    case Status::Code::kNotFound:
      return "not found";
    case Status::Code::kPermissionDenied:
      return "permission denied";
    case Status::Code::kNoSpace:
      return "no space";
    case Status::Code::kIoError:
      return "io error";
    case Status::Code::kCorruption:
      return "corruption";
    case Status::Code::kNotSupported:
      return "not supported";
    case Status::Code::kClosed:
      return "closed";
  }
  return "unknown";
}

}  // namespace

Status Status::FromErrno(const char* operation, const std::string& file, int64_t offset,
                         int error_number) {
  std::string message = std::string(operation) + " " + file;
  if (offset >= 0) {
    message += " at offset " + std::to_string(offset);
  }
  // strerrordesc_np is the thread-safe strerror.
  const char* description = strerrordesc_np(error_number);
  message += ": ";
  message += description != nullptr ? description : "error";
  message += " (errno " + std::to_string(error_number) + ")";
  if (const char* remedy = RemedyOf(error_number)) {
    message += std::string("; ") + remedy;
  }
  return {CodeOf(error_number), std::move(message), error_number};
}

bool Status::IsPassing() const {
  switch (error_number_) {
    case ENOMEM:
    case ENOBUFS:
    case EAGAIN:
    case EINTR:
    case EMFILE:
    case ENFILE:
      return true;
    default:
      return code_ == Code::kNoSpace;
  }
}

std::string Status::ToString() const {
  return ok() ? "ok" : std::string(NameOf(code_)) + ": " + message_;
}

}  // namespace lss

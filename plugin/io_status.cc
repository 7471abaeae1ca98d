#include "plugin/io_status.h"

#include <cerrno>

namespace bloom_lfs {

using rocksdb::IOStatus;

IOStatus ToIOStatus(const lss::Status& status) {
  const int error_number = status.error_number();
  if (error_number != 0 && error_number != ENOENT && status.code() != lss::Status::Code::kNoSpace) {
    // What the kernel refuses is an I/O error, as with stock, whatever the store makes of it:
    // recovery in the default mode takes a read's InvalidArgument for a clean end of the log.
    return IOStatus::IOError(status.message());
  }
  switch (status.code()) {
    case lss::Status::Code::kOk:
      return IOStatus::OK();
    case lss::Status::Code::kNoSpace: {
      IOStatus result = IOStatus::NoSpace(status.message());
      result.SetRetryable(true);
      return result;
    }
    case lss::Status::Code::kNotFound:
      return IOStatus::PathNotFound(status.message());
    case lss::Status::Code::kNotSupported:
      return IOStatus::NotSupported(status.message());
    case lss::Status::Code::kInvalidArgument:
      return IOStatus::InvalidArgument(status.message());
    case lss::Status::Code::kPermissionDenied:
    case lss::Status::Code::kIoError:
    // Not IOStatus::Corruption: recovery in the default mode takes that for a clean end of the log.
    case lss::Status::Code::kCorruption:
    case lss::Status::Code::kClosed:
      return IOStatus::IOError(status.message());
  }
  return IOStatus::IOError(status.message());
}

}  // namespace bloom_lfs

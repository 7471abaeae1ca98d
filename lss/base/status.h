// Errors as values. The store throws nothing.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace lss {

// The result of an operation: OK, or what failed, where, why and what to do about it.
// Thread safety: a value type; distinct objects are independent.
class [[nodiscard]] Status {
 public:
  enum class Code {
    kOk,
    kInvalidArgument,   // the caller's mistake; nothing was done
    kNotFound,          // the file or directory does not exist
    kPermissionDenied,  // the file system refuses this user
    kNoSpace,           // file system or quota is full; nothing was taken
    kIoError,           // the device or the file system failed
    kCorruption,        // bytes on disk are not what they must be
    kNotSupported,      // this kernel, file system or format version cannot do it
    kClosed,            // the store was closed
  };

  Status() = default;
  static Status Ok() { return {}; }
  static Status InvalidArgument(std::string message) {
    return {Code::kInvalidArgument, std::move(message)};
  }
  static Status PermissionDenied(std::string message) {
    return {Code::kPermissionDenied, std::move(message)};
  }
  static Status NotFound(std::string message) { return {Code::kNotFound, std::move(message)}; }
  static Status NoSpace(std::string message) { return {Code::kNoSpace, std::move(message)}; }
  // Where no errno tells it; otherwise FromErrno.
  static Status IoError(std::string message) { return {Code::kIoError, std::move(message)}; }
  static Status Corruption(std::string message) { return {Code::kCorruption, std::move(message)}; }
  static Status NotSupported(std::string message) {
    return {Code::kNotSupported, std::move(message)};
  }
  static Status Closed(std::string message) { return {Code::kClosed, std::move(message)}; }

  // From an errno value: the code follows from it, the message names operation, file and offset,
  // and the remedy where one is known. `offset` is left out of the message when negative.
  static Status FromErrno(const char* operation, const std::string& file, int64_t offset,
                          int error_number);

  bool ok() const { return code_ == Code::kOk; }
  Code code() const { return code_; }
  // Whether the cause may pass, and nothing has been lost by it: no room, no memory, no descriptor,
  // no thread. Who still has the bytes may write them again later.
  bool IsPassing() const;
  // The errno behind the error, 0 if there was none.
  int error_number() const { return error_number_; }
  const std::string& message() const { return message_; }
  // "no space: fallocate /db/000004.log at offset 4096: ..." for logs.
  std::string ToString() const;

 private:
  Status(Code code, std::string message, int error_number = 0)
      : code_(code), error_number_(error_number), message_(std::move(message)) {}

  Code code_ = Code::kOk;
  int error_number_ = 0;
  std::string message_;
};

}  // namespace lss

#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace bloom_lfs::bench {

// Why something could not be measured: what failed, its cause, and what the user can do.
struct Error {
  std::string message;
};

// The outcome of a step that yields nothing but may fail.
using Failure = std::optional<Error>;

// A value, or the reason why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  // Implicit on purpose: `return value;` and `return Error{...};` both read naturally.
  Result(T value) : outcome_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : outcome_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return std::holds_alternative<T>(outcome_); }

  // REQUIRES: ok()
  T& value() {
    assert(ok());
    return *std::get_if<T>(&outcome_);
  }
  const T& value() const {
    assert(ok());
    return *std::get_if<T>(&outcome_);
  }

  // REQUIRES: !ok()
  const Error& error() const {
    assert(!ok());
    return *std::get_if<Error>(&outcome_);
  }

 private:
  std::variant<T, Error> outcome_;
};

}  // namespace bloom_lfs::bench

// Preconditions that are checked in every build.
//
// LSS_CHECK(condition, "what is wrong") ends the process with a message that names the place. For
// what only a bug of the caller can bring about, and where going on would lose or invent bytes;
// what the world can bring about is a Status.
#pragma once

namespace lss {

[[noreturn]] void CheckFailed(const char* file, int line, const char* condition,
                              const char* explanation);

}  // namespace lss

#define LSS_CHECK(condition, explanation)              \
  (static_cast<bool>(condition) ? static_cast<void>(0) \
                                : ::lss::CheckFailed(__FILE__, __LINE__, #condition, explanation))

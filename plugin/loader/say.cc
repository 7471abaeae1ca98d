#include "plugin/loader/say.h"

#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "plugin/standard_error.h"

namespace bloom_lfs::loader {

void Say(const char* format, ...) {
  char line[2048] = "bloom_lfs: ";
  const size_t prefix = std::strlen(line);
  va_list arguments;
  va_start(arguments, format);
  const int length = std::vsnprintf(line + prefix, sizeof(line) - prefix, format, arguments);
  va_end(arguments);
  if (length < 0) {
    return;
  }
  SayOnStandardError(line, strnlen(line, sizeof(line)));
}

}  // namespace bloom_lfs::loader

#include "plugin/loader/say.h"

#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstring>

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
  const size_t end = strnlen(line, sizeof(line) - 1);
  line[end] = '\n';
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line, end + 1);
}

}  // namespace bloom_lfs::loader

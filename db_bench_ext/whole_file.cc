#include "db_bench_ext/whole_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

namespace bloom_lfs::bench {
namespace {

constexpr size_t kLargestFile = size_t{64} << 20;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using OpenFile = std::unique_ptr<std::FILE, CloseFile>;

std::string NewFileBeside(const std::string& path) {
  return path + "." + std::to_string(getpid()) + ".tmp";
}

// True if all of the text is on the disk; else errno says why not.
bool WriteDurably(const std::string& path, std::string_view text) {
  OpenFile file(std::fopen(path.c_str(), "wb"));
  if (file == nullptr) return false;
  const bool written = std::fwrite(text.data(), 1, text.size(), file.get()) == text.size() &&
                       std::fflush(file.get()) == 0 && fsync(fileno(file.get())) == 0;
  const int error = errno;
  file.reset();
  errno = error;
  return written;
}

// A rename would take the place of a device or a symbolic link, too.
int CheckKind(const std::string& path) {
  std::error_code error;
  const auto type = std::filesystem::symlink_status(path, error).type();
  if (type == std::filesystem::file_type::directory) return EISDIR;
  return type == std::filesystem::file_type::not_found ||
                 type == std::filesystem::file_type::regular
             ? 0
             : EINVAL;
}

}  // namespace

Result<std::string> ReadWholeText(const std::string& path) {
  std::error_code code;
  const auto type = std::filesystem::symlink_status(path, code).type();
  if (type == std::filesystem::file_type::not_found) return std::string();
  if (std::filesystem::status(path, code).type() != std::filesystem::file_type::regular) {
    return Error{path + " is not a regular file"};
  }
  const OpenFile file(std::fopen(path.c_str(), "rb"));
  if (file == nullptr) return Error{"cannot read " + path + ": " + std::strerror(errno)};
  std::string text;
  char piece[4096];
  size_t length = 0;
  while ((length = std::fread(piece, 1, sizeof(piece), file.get())) > 0) {
    text.append(piece, length);
    if (text.size() > kLargestFile) return Error{path + " is larger than 64 MiB"};
  }
  if (std::ferror(file.get()) != 0) {
    return Error{"cannot read " + path + ": " + std::strerror(errno)};
  }
  return text;
}

int ReplaceFile(const std::string& path, std::string_view text) {
  if (const int kind = CheckKind(path); kind != 0) return kind;
  const std::string made = NewFileBeside(path);
  if (WriteDurably(made, text) && std::rename(made.c_str(), path.c_str()) == 0) return 0;
  const int error = errno;
  unlink(made.c_str());
  return error;
}

int CheckReplaceable(const std::string& path) {
  if (const int kind = CheckKind(path); kind != 0) return kind;
  const std::string made = NewFileBeside(path);
  const int error = WriteDurably(made, "") ? 0 : errno;
  unlink(made.c_str());
  return error;
}

}  // namespace bloom_lfs::bench

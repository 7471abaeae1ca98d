#include "plugin/tool/log_directories.h"

#include <gflags/gflags.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>

#include "lss/base/posix_file.h"
#include "lss/recovery/ring_directory.h"
#include "plugin/file_kind.h"
#include "plugin/sibling_files.h"
#include "plugin/tool/log_files.h"

DEFINE_string(wal_dir, "",
              "Where the logs of the database in DIR are, if not where its options say");

namespace bloom_lfs::tool {
namespace {

using lss::Status;

constexpr size_t kMostOptionBytes = 1 << 20;
constexpr char kWalDirKey[] = "wal_dir=";

bool IsOptionsFile(const std::string& name) {
  return name.rfind("OPTIONS-", 0) == 0 && name.find('.') == std::string::npos &&
         SiblingNumber(name) > 0;
}

// Empty: there are none.
std::string NewestOptions(const std::string& directory) {
  std::vector<std::string> names;
  (void)lss::ListDirectory(directory, &names);
  std::string newest;
  for (const std::string& name : names) {
    if (IsOptionsFile(name) && (newest.empty() || SiblingNumber(name) > SiblingNumber(newest))) {
      newest = name;
    }
  }
  return newest.empty() ? newest : directory + "/" + newest;
}

// A value as RocksDB writes it, with a backslash before what means something in its options.
std::string Unescape(const std::string& text) {
  std::string value;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      value += text[i];
      continue;
    }
    ++i;
    value += text[i] == 'n' ? '\n' : text[i] == 'r' ? '\r' : text[i];
  }
  return value;
}

// The wal_dir in the options at `path`; empty: they leave the logs beside the database.
Status ReadWalDir(const std::string& path, std::string* wal_dir) {
  lss::UniqueFd fd;
  struct stat st = {};
  Status status = OpenLogFile(path, &fd, &st);
  if (!status.ok()) {
    return status;
  }
  std::string text(std::min<size_t>(static_cast<size_t>(st.st_size), kMostOptionBytes), '\0');
  size_t read = 0;
  status = lss::ReadFully(fd.get(), path, 0, text.size(), text.data(), &read);
  std::istringstream lines(text.substr(0, read));
  for (std::string line; std::getline(lines, line);) {
    const size_t at = line.find(kWalDirKey);
    if (at != std::string::npos && line.find_first_not_of(" \t") == at) {
      *wal_dir = Unescape(line.substr(at + sizeof(kWalDirKey) - 1));
      break;
    }
  }
  return status;
}

std::string NameIt(const std::string& directory) {
  return ": name their directory by --wal-dir (" + directory + ", if it has its own)";
}

Status CompareDirectories(const std::string& directory, const std::string& other, bool* is_same) {
  struct stat first = {};
  struct stat second = {};
  if (stat(directory.c_str(), &first) != 0) {
    return Status::FromErrno("stat", directory, -1, errno);
  }
  if (stat(other.c_str(), &second) != 0 || !S_ISDIR(second.st_mode)) {
    const int error_number = second.st_mode != 0 ? ENOTDIR : errno;
    return Status::InvalidArgument("the logs of " + directory + " are to be in " + other +
                                   ", which cannot be looked at (" + std::strerror(error_number) +
                                   ")" + NameIt(directory));
  }
  *is_same = first.st_dev == second.st_dev && first.st_ino == second.st_ino;
  return Status::Ok();
}

// Whether its logs are among those of `directory` anyway.
bool IsArchiveOf(const std::string& directory, const std::string& other) {
  bool is_same = false;
  return CompareDirectories(directory + "/" + lss::kArchiveDirectoryName, other, &is_same).ok() &&
         is_same;
}

// Of its own: options go with a copy and with a checkpoint, and say where the original's logs are.
bool HasLogs(const std::string& directory) {
  std::vector<std::string> names;
  (void)lss::ListDirectory(directory, &names);
  return std::any_of(names.begin(), names.end(), IsWal);
}

// Empty: they leave the logs beside the database.
Status FindByOptions(const std::string& directory, std::string* wal_dir) {
  const std::string options = NewestOptions(directory);
  Status status = options.empty() ? Status::Ok() : ReadWalDir(options, wal_dir);
  if (!status.ok() || wal_dir->empty()) {
    return status;
  }
  if (wal_dir->front() != '/') {
    return Status::InvalidArgument("the options in " + directory + " put its logs into " +
                                   *wal_dir + ", relative to where its process ran" +
                                   NameIt(directory));
  }
  return status;
}

}  // namespace

bool LogDirectories::IsElsewhere(const std::string& path) const {
  return !elsewhere.empty() && path.rfind(elsewhere + "/", 0) == 0;
}

std::string LogDirectories::NameOf(const std::string& path) const {
  return IsElsewhere(path) ? path : lss::BaseNameOf(path);
}

Status FindLogDirectories(const std::string& directory, LogDirectories* found) {
  *found = {{directory}, "", !FLAGS_wal_dir.empty()};
  std::string wal_dir = FLAGS_wal_dir;
  Status status = found->is_named ? Status::Ok() : FindByOptions(directory, &wal_dir);
  bool is_same = true;
  if (status.ok() && !wal_dir.empty()) {
    status = CompareDirectories(directory, wal_dir, &is_same);
  }
  if (status.ok() && !is_same && !found->is_named && HasLogs(directory)) {
    status = Status::InvalidArgument(directory + " has logs, and its options put them into " +
                                     wal_dir + NameIt(directory));
  }
  if (status.ok() && !is_same && !IsArchiveOf(directory, wal_dir)) {
    found->elsewhere = wal_dir;
    found->all.push_back(wal_dir);
  }
  return status;
}

}  // namespace bloom_lfs::tool

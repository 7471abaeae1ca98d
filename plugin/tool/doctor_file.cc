#include "plugin/tool/doctor_file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "lss/base/posix_file.h"

namespace bloom_lfs::tool {
namespace {

using lss::Status;

constexpr int kNameTries = 16;

std::string RandomPath(const std::string& directory) {
  uint64_t random = 0;
  (void)getrandom(&random, sizeof(random), 0);
  char name[48];
  std::snprintf(name, sizeof(name), "/.bloom_lfs_doctor.%016llx",
                static_cast<unsigned long long>(random));
  return directory + name;
}

}  // namespace

HeldSignals::HeldSignals() {
  sigemptyset(&held_);
  for (const int each : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    struct sigaction action = {};
    // What is ignored (nohup) would stay pending all the same.
    if (sigaction(each, nullptr, &action) == 0 && action.sa_handler != SIG_IGN) {
      sigaddset(&held_, each);
    }
  }
  pthread_sigmask(SIG_BLOCK, &held_, &before_);
}

HeldSignals::~HeldSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

bool HeldSignals::arrived() const {
  sigset_t pending;
  sigemptyset(&pending);
  sigpending(&pending);
  for (const int each : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    if (sigismember(&held_, each) == 1 && sigismember(&pending, each) == 1) {
      return true;
    }
  }
  return false;
}

Status PrivateFile::Create(const std::string& directory, Name name,
                           std::unique_ptr<PrivateFile>* result) {
  std::unique_ptr<PrivateFile> file(new PrivateFile(directory));
  if (name == Name::kNone) {
    file->fd_ = lss::CreateUnnamed(directory);
    file->was_nameless_ = file->fd_.valid();
  }
  Status status = file->fd_.valid() ? Status::Ok() : file->CreateNamed(name);
  if (status.ok()) {
    *result = std::move(file);
  }
  return status;
}

// A signal between the two calls would leave the file behind.
Status PrivateFile::CreateNamed(Name name) {
  const HeldSignals held;
  for (int tries = 0; tries < kNameTries; ++tries) {
    const std::string path = RandomPath(directory_);
    lss::UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (fd.valid()) {
      fd_ = std::move(fd);
      path_ = path;
      if (name == Name::kNone && unlink(path_.c_str()) == 0) {
        path_.clear();
      }
      return Status::Ok();
    }
    if (errno != EEXIST && errno != EINTR) {
      break;
    }
  }
  return Status::FromErrno("create a file in", directory_, -1, errno);
}

PrivateFile::~PrivateFile() {
  if (!path_.empty()) {
    (void)unlink(path_.c_str());
  }
}

PrivateFile::Name NameForTrueCosts(uint64_t file_system_type) {
  // f_type is a signed word, which some systems extend.
  return (file_system_type & UINT32_MAX) == F2FS_SUPER_MAGIC ? PrivateFile::Name::kKept
                                                             : PrivateFile::Name::kNone;
}

}  // namespace bloom_lfs::tool

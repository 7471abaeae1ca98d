#include "plugin/figures/figures_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <utility>
#include <vector>

#include "lss/base/fork_guard.h"
#include "lss/base/mutex.h"
#include "lss/base/per_process.h"
#include "lss/base/posix_file.h"
#include "lss/base/status.h"
#include "lss/base/unique_fd.h"
#include "lss/runtime/thread.h"
#include "plugin/figures/figures.h"
#include "plugin/warning.h"

namespace bloom_lfs {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kProcessNumber[] = "%p";
// What nobody has written for so long is no live process's, whatever its number means here: others
// may count processes anew, in a container, and have this directory, too.
constexpr time_t kLeftBehindSeconds = 3600;

// A path with the place for the process's number in it, or without.
struct FilePattern {
  explicit FilePattern(const std::string& path) : before(path) {
    if (const size_t at = path.find(kProcessNumber); at != std::string::npos) {
      before = path.substr(0, at);
      after = path.substr(at + 2);
      has_number = true;
    }
  }
  std::string OfProcess(pid_t pid) const {
    return has_number ? before + std::to_string(pid) + after : before;
  }
  std::string before;
  std::string after;
  bool has_number = false;
};

bool IsLeftBehind(const std::string& path, pid_t pid) {
  struct stat found = {};
  return kill(pid, 0) != 0 && errno == ESRCH && lstat(path.c_str(), &found) == 0 &&
         S_ISREG(found.st_mode) && time(nullptr) - found.st_mtime > kLeftBehindSeconds;
}

// Prometheus would show the last figures of killed processes for ever.
void RemoveLeftBehind(const FilePattern& pattern) {
  const std::string directory = lss::DirectoryOf(pattern.before);
  const std::string prefix = pattern.before.substr(pattern.before.rfind('/') + 1);
  std::vector<std::string> names;
  (void)lss::ListDirectory(directory, &names);
  for (const std::string& name : names) {
    if (name.compare(0, prefix.size(), prefix) != 0) {
      continue;
    }
    const auto pid = static_cast<pid_t>(std::atoi(name.c_str() + prefix.size()));
    const std::string path = directory + "/" + name;
    if (pid > 0 && name == prefix + std::to_string(pid) + pattern.after &&
        IsLeftBehind(path, pid)) {
      (void)unlink(path.c_str());
    }
  }
}

lss::Status WriteAnew(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".new";
  (void)unlink(fresh.c_str());  // of a process that died here
  lss::UniqueFd fd(open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!fd.valid()) {
    return lss::Status::FromErrno("make", fresh, -1, errno);
  }
  if (write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return lss::Status::FromErrno("write", fresh, 0, errno);
  }
  return rename(fresh.c_str(), path.c_str()) == 0
             ? lss::Status::Ok()
             : lss::Status::FromErrno("rename", fresh, -1, errno);
}

class FiguresFile {
 public:
  explicit FiguresFile(const FilePattern& pattern)
      : path_(pattern.OfProcess(getpid())), has_number_(pattern.has_number) {
    if (has_number_) {
      RemoveLeftBehind(pattern);
    }
    if (const lss::Status status = lss::Thread::Start(
            "bloom_figures", [this] { Run(); }, &thread_);
        !status.ok()) {
      WarnOnce("figures are not written to " + path_ + ": " + status.message());
    }
  }
  ~FiguresFile() {
    if (fork_guard_.InForkedChild()) {
      thread_.Forget();
      return;
    }
    {
      const lss::MutexLock lock(&mutex_);
      stop_ = true;
      changed_.NotifyAll();
    }
    if (thread_.joinable()) {
      thread_.Join();
    }
  }
  FiguresFile(const FiguresFile&) = delete;
  FiguresFile& operator=(const FiguresFile&) = delete;

  void Within(std::chrono::milliseconds interval) {
    const lss::MutexLock lock(&mutex_);
    if (interval < interval_) {
      interval_ = interval;
      changed_.NotifyAll();
    }
  }

 private:
  void Run() {
    lss::MutexLock lock(&mutex_);
    while (!stop_) {
      lock.Unlock();
      Write();
      lock.Lock();
      const Clock::time_point written = Clock::now();
      while (!stop_ && Clock::now() < written + interval_) {
        changed_.WaitUntil(&mutex_, written + interval_);
      }
    }
    lock.Unlock();
    if (has_number_) {
      (void)unlink(path_.c_str());  // the next one's has another name
    } else {
      Write();
    }
    lock.Lock();
  }
  // Series of several processes differ in the process's number.
  std::vector<Figure> Collect() const {
    std::vector<Figure> figures = CollectFigures();
    if (has_number_) {
      for (Figure& figure : figures) {
        figure.labels.emplace_back("pid", std::to_string(getpid()));
      }
    }
    return figures;
  }
  void Write() const {
    if (const lss::Status status = WriteAnew(path_, PrometheusText(Collect())); !status.ok()) {
      WarnOnce("figures are not in " + path_ + ": " + status.message());
    }
  }

  const std::string path_;
  const bool has_number_;
  const lss::ForkGuard fork_guard_;
  lss::Mutex mutex_;
  lss::CondVar changed_;
  std::chrono::milliseconds interval_ LSS_GUARDED_BY(mutex_) = std::chrono::hours(1);
  bool stop_ LSS_GUARDED_BY(mutex_) = false;
  lss::Thread thread_;
};

struct Files {
  lss::Mutex mutex;
  std::map<std::string, std::weak_ptr<FiguresFile>> by_path LSS_GUARDED_BY(mutex);
};

lss::PerProcess<Files> g_files;

}  // namespace

std::shared_ptr<void> KeepFiguresFile(const std::string& path, std::chrono::milliseconds interval) {
  const FilePattern pattern(path);
  const std::string name = pattern.OfProcess(getpid());
  Files* const files = g_files.Get();
  const lss::MutexLock lock(&files->mutex);
  std::weak_ptr<FiguresFile>& entry = files->by_path[name];
  std::shared_ptr<FiguresFile> file = entry.lock();
  if (file == nullptr) {
    file = std::make_shared<FiguresFile>(pattern);
    entry = file;
  }
  file->Within(interval);
  return file;
}

}  // namespace bloom_lfs

#include "plugin/figures/figures_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <memory>
#include <utility>
#include <vector>

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
// What nobody has written for so long, and for two intervals, is no live process's, whatever its
// number means here: others may count processes anew, in a container, and have this directory, too.
constexpr std::chrono::seconds kLeftBehind(3600);

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

bool IsLeftBehind(const std::string& path, pid_t pid, std::chrono::seconds least) {
  struct stat found = {};
  return kill(pid, 0) != 0 && errno == ESRCH && lstat(path.c_str(), &found) == 0 &&
         S_ISREG(found.st_mode) && time(nullptr) - found.st_mtime > least.count();
}

constexpr char kUnfinished[] = ".new";

// Prometheus would show the last figures of killed processes for ever.
void RemoveLeftBehind(const FilePattern& pattern, std::chrono::milliseconds interval) {
  const auto least =
      std::max(kLeftBehind, std::chrono::duration_cast<std::chrono::seconds>(2 * interval));
  const std::string directory = lss::DirectoryOf(pattern.before);
  const std::string prefix = pattern.before.substr(pattern.before.rfind('/') + 1);
  std::vector<std::string> names;
  (void)lss::ListDirectory(directory, &names);
  for (const std::string& name : names) {
    if (name.compare(0, prefix.size(), prefix) != 0) {
      continue;
    }
    const auto pid = static_cast<pid_t>(std::atoi(name.c_str() + prefix.size()));
    const std::string whole = prefix + std::to_string(pid) + pattern.after;
    const std::string path = directory + "/" + name;
    if (pid > 0 && (name == whole || name == whole + kUnfinished) &&
        IsLeftBehind(path, pid, least)) {
      (void)unlink(path.c_str());
    }
  }
}

lss::Status WriteAnew(const std::string& path, const std::string& text) {
  struct stat found = {};
  if (lstat(path.c_str(), &found) == 0 && !S_ISREG(found.st_mode)) {
    return lss::Status::InvalidArgument(path + " is no regular file, and is left as it is");
  }
  const std::string fresh = path + kUnfinished;
  (void)unlink(fresh.c_str());  // of a process that died here
  lss::UniqueFd fd(open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!fd.valid()) {
    return lss::Status::FromErrno("make", fresh, -1, errno);
  }
  lss::Status status = lss::WriteFully(fd.get(), fresh, 0, text);
  if (close(fd.Release()) != 0 && status.ok()) {  // some file systems tell only here
    status = lss::Status::FromErrno("close", fresh, -1, errno);
  }
  if (status.ok() && rename(fresh.c_str(), path.c_str()) != 0) {
    status = lss::Status::FromErrno("rename", fresh, -1, errno);
  }
  if (!status.ok()) {
    (void)unlink(fresh.c_str());
  }
  return status;
}

class FiguresFile {
 public:
  explicit FiguresFile(const FilePattern& pattern)
      : pattern_(pattern), path_(pattern.OfProcess(getpid())) {}
  // REQUIRES: Finish() has returned true, or no thread runs.
  ~FiguresFile() {
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
    if (thread_.joinable()) {
      return;
    }
    ended_ = false;
    if (const lss::Status status = lss::Thread::Start(
            "bloom_figures", [this] { Run(); }, &thread_);
        !status.ok()) {
      ended_ = true;
      WarnOnce("figures are not written to " + path_ + ": " + status.message());
    }
  }
  void BeginFinish() {
    const lss::MutexLock lock(&mutex_);
    stop_ = true;
    changed_.NotifyAll();
  }
  // False: its disk takes longer than that; the thread goes on.
  bool Finish(Clock::time_point deadline) {
    const lss::MutexLock lock(&mutex_);
    while (!ended_ && Clock::now() < deadline) {
      changed_.WaitUntil(&mutex_, deadline);
    }
    return ended_;
  }

 private:
  // Alone waits for the file's disk, which may stand still.
  void Run() {
    lss::MutexLock lock(&mutex_);
    const std::chrono::milliseconds interval = interval_;
    lock.Unlock();
    if (pattern_.has_number) {
      RemoveLeftBehind(pattern_, interval);
    }
    lock.Lock();
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
    if (pattern_.has_number) {
      (void)unlink(path_.c_str());  // the next one's has another name
    } else {
      Write();
    }
    lock.Lock();
    ended_ = true;
    changed_.NotifyAll();
  }
  // Series of several processes differ in the process's number.
  std::vector<Figure> Collect() const {
    std::vector<Figure> figures = CollectFigures();
    if (pattern_.has_number) {
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

  const FilePattern pattern_;
  const std::string path_;
  lss::Mutex mutex_;
  lss::CondVar changed_;
  std::chrono::milliseconds interval_ LSS_GUARDED_BY(mutex_) = std::chrono::hours(1);
  bool stop_ LSS_GUARDED_BY(mutex_) = false;
  bool ended_ LSS_GUARDED_BY(mutex_) = true;  // nothing runs
  lss::Thread thread_;
};

// How long the end of the process waits for a disk that takes no figures.
constexpr std::chrono::seconds kFinishAtExit(1);

struct Files {
  lss::Mutex mutex;
  std::map<std::string, std::unique_ptr<FiguresFile>> by_path LSS_GUARDED_BY(mutex);
};

lss::PerProcess<Files> g_files;

}  // namespace

void KeepFiguresFile(const std::string& path, std::chrono::milliseconds interval) {
  // A forked child inherits the registration as well as the flag.
  static std::atomic<bool> at_exit{false};
  if (!at_exit.exchange(true, std::memory_order_relaxed)) {  // Relaxed: who comes first registers
    (void)std::atexit([] { FinishFiguresFiles(kFinishAtExit); });
  }
  const FilePattern pattern(path);
  Files* const files = g_files.Get();
  const lss::MutexLock lock(&files->mutex);
  std::unique_ptr<FiguresFile>& file = files->by_path[pattern.OfProcess(getpid())];
  if (file == nullptr) {
    file = std::make_unique<FiguresFile>(pattern);
  }
  file->Within(interval);
}

void FinishFiguresFiles(std::chrono::milliseconds patience) {
  Files* const files = g_files.Peek();
  if (files == nullptr) {
    return;
  }
  const Clock::time_point deadline = Clock::now() + patience;
  const lss::MutexLock lock(&files->mutex);
  for (const auto& [path, file] : files->by_path) {
    file->BeginFinish();
  }
  for (auto& [path, file] : files->by_path) {
    if (!file->Finish(deadline)) {
      (void)file.release();  // its thread has it
    }
  }
  files->by_path.clear();
}

}  // namespace bloom_lfs

#include "plugin/tool/process_boards.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <fstream>

#include "lss/base/clock.h"
#include "lss/base/posix_file.h"
#include "lss/base/unique_fd.h"
#include "lss/figures/figures_board.h"
#include "plugin/tool/process.h"

namespace bloom_lfs::tool {
namespace {

using lss::Status;

// Of one look at whichever number of processes: for streams that come or go just then.
constexpr int64_t kPatienceNs = 500'000'000;

std::string ProcOf(pid_t pid) { return "/proc/" + std::to_string(pid); }

// Its number as it sees it itself: the last one of a line like "NSpid: 4711 12".
uint64_t PidInItsNamespace(pid_t pid) {
  std::ifstream file(ProcOf(pid) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("NSpid:", 0) == 0) {
      return strtoull(line.c_str() + line.find_last_of(" \t") + 1, nullptr, 10);
    }
  }
  return static_cast<uint64_t>(pid);
}

bool IsBoard(const std::string& path) {
  char target[PATH_MAX];
  const ssize_t length = readlink(path.c_str(), target, sizeof(target));
  const std::string wanted = std::string("/memfd:") + lss::FiguresBoard::kName;
  return length > 0 &&
         std::string(target, static_cast<size_t>(length)).compare(0, wanted.size(), wanted) == 0;
}

Status CannotLookAt(pid_t pid, int error) {
  const std::string process = "process " + std::to_string(pid);
  if (error == ENOENT || error == ESRCH) {
    return Status::NotFound("there is no " + process);
  }
  return Status::PermissionDenied(process +
                                  " belongs to somebody else: look at it as its user, or as root");
}

// A forked child has its parent's board open, too; the process's own one carries its number.
Status ReadOwn(pid_t pid, const std::vector<std::string>& boards, int64_t until_ns,
               lss::BoardCopy* board) {
  Status status = Status::NotFound("process " + std::to_string(pid) +
                                   " has written no log or blob file with bloom_lfs");
  const uint64_t own = PidInItsNamespace(pid);
  for (const std::string& path : boards) {
    // A name proves nothing: of a pipe, or a file with a lease, an open would wait.
    const lss::UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!fd.valid()) {
      return CannotLookAt(pid, errno);
    }
    Status read = lss::BoardCopy::ReadHeader(fd.get(), path, board);
    if (read.ok() && board->header().pid == own) {
      return lss::BoardCopy::Read(fd.get(), path, until_ns, board);
    }
    status = read.ok() ? status : read;
  }
  return status;
}

Status ReadProcessUntil(pid_t pid, int64_t until_ns, WatchedProcess* process) {
  const std::string directory = ProcOf(pid) + "/fd";
  const lss::UniqueFd fd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) {
    return CannotLookAt(pid, errno);
  }
  std::vector<std::string> names;
  if (!lss::ListOpenDirectory(fd.get(), directory, &names).ok()) {
    return CannotLookAt(pid, EACCES);
  }
  std::vector<std::string> boards;
  for (const std::string& name : names) {
    if (IsBoard(directory + "/" + name)) {
      boards.push_back(directory + "/" + name);
    }
  }
  process->pid = pid;
  process->command = CommandOf(pid);
  Status status = ReadOwn(pid, boards, until_ns, &process->board);
  process->read_at_ns = lss::SteadyNowNs();
  return status;
}

}  // namespace

Status ReadProcess(pid_t pid, WatchedProcess* process) {
  return ReadProcessUntil(pid, lss::SteadyNowNs() + kPatienceNs, process);
}

WatchedProcesses ReadAllProcesses(const std::function<bool()>& is_stopped) {
  WatchedProcesses all;
  std::vector<std::string> names;
  if (Status status = lss::ListDirectory("/proc", &names); !status.ok()) {
    all.errors.push_back(status.ToString());
    return all;
  }
  const int64_t until_ns = lss::SteadyNowNs() + kPatienceNs;
  for (const std::string& name : names) {
    const auto pid = static_cast<pid_t>(strtol(name.c_str(), nullptr, 10));
    if (pid <= 0) {
      continue;
    }
    if (is_stopped()) {
      break;
    }
    WatchedProcess process;
    const Status status = ReadProcessUntil(pid, until_ns, &process);
    if (status.ok()) {
      all.processes.push_back(std::move(process));
    } else if (status.code() == Status::Code::kPermissionDenied) {
      ++all.hidden;
    } else if (status.code() != Status::Code::kNotFound) {
      all.errors.push_back(status.ToString());
    }
  }
  std::sort(all.processes.begin(), all.processes.end(),
            [](const WatchedProcess& a, const WatchedProcess& b) { return a.pid < b.pid; });
  return all;
}

}  // namespace bloom_lfs::tool

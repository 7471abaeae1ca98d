#include "tests/field/host/surroundings.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csetjmp>
#include <csignal>
#include <cstring>
#include <fstream>
#include <map>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tests/support/refusing_kernel.h"

namespace field {
namespace {

std::vector<int>& TakenDescriptors() {
  static std::vector<int> taken;
  return taken;
}

std::string TakeDescriptors(int64_t leave) {
  std::vector<int>& taken = TakenDescriptors();
  int fd;
  while ((fd = dup(0)) >= 0) taken.push_back(fd);
  for (; leave > 0 && !taken.empty(); --leave) {
    close(taken.back());
    taken.pop_back();
  }
  return "taken";
}

// Their stacks are small: memory is not what runs out here.
std::string TakeThreads() {
  constexpr int kMost = 2000;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, size_t{64} << 10);
  const auto sleep_for_ever = [](void*) -> void* {
    for (;;) pause();
  };
  int count = 0;
  pthread_t thread;
  while (count < kMost && pthread_create(&thread, &attributes, sleep_for_ever, nullptr) == 0) {
    ++count;
  }
  if (count == kMost) throw std::runtime_error("threads have no limit here");
  return "taken";
}

rlim_t PagesInUse() {
  rlim_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages;
}

long NumberOf(const std::string& system_call) {
  static const std::map<std::string, long> kNumbers = {{"io_uring_setup", SYS_io_uring_setup},
                                                       {"io_uring_enter", SYS_io_uring_enter},
                                                       {"io_uring_register", SYS_io_uring_register},
                                                       {"pwritev2", SYS_pwritev2},
                                                       {"pwrite64", SYS_pwrite64},
                                                       {"fallocate", SYS_fallocate},
                                                       {"statx", SYS_statx},
                                                       {"mmap", SYS_mmap},
                                                       {"flock", SYS_flock},
                                                       {"eventfd2", SYS_eventfd2},
                                                       {"sync_file_range", SYS_sync_file_range},
                                                       {"clone3", SYS_clone3}};
  return kNumbers.at(system_call);
}

sigjmp_buf behind_fault;
volatile sig_atomic_t faults_of_our_own = 0;

void OnSigbus(int) {
  faults_of_our_own = faults_of_our_own + 1;
  siglongjmp(behind_fault, 1);
}

}  // namespace

void TakePolicy(const std::string& policy) {
  cpu_set_t processors;
  CPU_ZERO(&processors);
  CPU_SET(0, &processors);
  sched_setaffinity(0, sizeof processors, &processors);
  sched_param parameter = {};
  if (policy == "fifo") {
    parameter.sched_priority = 1;
    if (sched_setscheduler(0, SCHED_FIFO, &parameter) != 0)
      throw std::runtime_error("no SCHED_FIFO");
  } else if (policy == "nice") {
    setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), 19);
  } else {
    sched_setscheduler(0, policy == "idle" ? SCHED_IDLE : SCHED_BATCH, &parameter);
  }
}

namespace {

std::string LimitMemory(int64_t more_mib) {
  rlimit limit = {};
  getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = more_mib < 0 ? limit.rlim_max
                                : PagesInUse() * static_cast<rlim_t>(getpagesize()) +
                                      (static_cast<rlim_t>(more_mib) << 20);
  if (setrlimit(RLIMIT_AS, &limit) != 0) throw std::runtime_error(strerror(errno));
  return "limited";
}

}  // namespace

std::string Limit(const Command& command) {
  if (command.Word(0) == "memory") return LimitMemory(std::stoll(command.Word(1)));
  const auto count = static_cast<rlim_t>(std::stoull(command.Word(1)));
  const rlimit limit = {count, count};
  const auto which = command.Word(0) == "descriptors" ? RLIMIT_NOFILE : RLIMIT_FSIZE;
  if (setrlimit(which, &limit) != 0) throw std::runtime_error(strerror(errno));
  return "limited";
}

std::string Take(const Command& command) {
  return command.Has("threads") ? TakeThreads() : TakeDescriptors(command.Number("leave", 0));
}

std::string GiveBack(const Command&) {
  for (const int fd : TakenDescriptors()) close(fd);
  TakenDescriptors().clear();
  return "given back";
}

std::string Lock(const Command& command) {
  const bool record = command.Word(1) == "record";
  const bool shared = command.Has("shared");
  const int fd = open(command.Word(0).c_str(), record && !shared ? O_RDWR : O_RDONLY);
  if (fd < 0) throw std::runtime_error(std::string("cannot open: ") + strerror(errno));
  const auto lock = [=](bool wait) {
    struct flock whole = {};
    whole.l_type = static_cast<short>(shared ? F_RDLCK : F_WRLCK);
    if (record) return fcntl(fd, wait ? F_SETLKW : F_SETLK, &whole);
    return flock(fd, (shared ? LOCK_SH : LOCK_EX) | (wait ? 0 : LOCK_NB));
  };
  if (command.Has("patient")) {
    std::thread([lock] { (void)lock(true); }).detach();
    return "queued";
  }
  if (lock(false) != 0) throw std::runtime_error(strerror(errno));
  return "locked";
}

std::string Refuse(const Command& command) {
  lss::test::RefuseSystemCall(NumberOf(command.Word(0)),
                              static_cast<int>(command.Number("error", EPERM)));
  return "refused";
}

std::string Burn() {
  std::thread([] {
    cpu_set_t processors;
    CPU_ZERO(&processors);
    CPU_SET(0, &processors);
    sched_setaffinity(0, sizeof processors, &processors);
    for (volatile unsigned turns = 0;;) turns = turns + 1;
  }).detach();
  return "burning";
}

std::string ProcessorMs() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return std::to_string((usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
                        (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000);
}

std::string OwnSigbus() {
  struct sigaction action = {};
  action.sa_handler = OnSigbus;
  action.sa_flags = SA_NODEFER;
  sigaction(SIGBUS, &action, nullptr);
  return "handled";
}

std::string Fault(const Command& command) {
  const int fd = open(command.Word(0).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || ftruncate(fd, 4096) != 0) throw std::runtime_error("no file to fault on");
  auto* page =
      static_cast<volatile char*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  if (ftruncate(fd, 0) != 0) throw std::runtime_error("the file cannot be cut");
  close(fd);
  if (sigsetjmp(behind_fault, 1) == 0) page[0] = 1;
  if (faults_of_our_own != 1) throw std::runtime_error("the host's handler was not asked");
  return "asked";
}

std::string Sleeper() {
  const pid_t child = fork();
  if (child == 0) {
    for (;;) pause();
  }
  return std::to_string(child);
}

}  // namespace field

#include "tests/support/page_faults.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>

namespace lss::test {

void CutShort(const std::string& path, uint64_t bytes) {
  if (truncate(path.c_str(), static_cast<off_t>(bytes)) != 0) {
    throw std::runtime_error("cannot cut " + path + ": " + std::strerror(errno));
  }
}

void RefuseStore(const char* address) {
  siginfo_t info = {};
  info.si_signo = SIGBUS;
  info.si_code = BUS_ADRERR;
  info.si_addr = const_cast<char*>(address);
  if (syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGBUS, &info) != 0) {
    throw std::runtime_error(std::string("cannot queue SIGBUS: ") + std::strerror(errno));
  }
}

}  // namespace lss::test

#include "tests/support/refusing_kernel.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

namespace lss::test {
namespace {

sock_filter Load(size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset));
}

size_t ArgumentOffset(unsigned argument) {
  // The low half comes first: every machine this runs on is little endian.
  return offsetof(seccomp_data, args) + argument * sizeof(uint64_t);
}

sock_filter Refuse(int error_number) {
  return BPF_STMT(BPF_RET | BPF_K,
                  SECCOMP_RET_ERRNO | (static_cast<uint32_t>(error_number) & SECCOMP_RET_DATA));
}

sock_filter Allow() { return BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW); }

void Install(std::vector<sock_filter> filter) {
  const sock_fprog program = {static_cast<unsigned short>(filter.size()), filter.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0) {
    throw std::runtime_error("seccomp refuses to refuse: errno " + std::to_string(errno));
  }
}

}  // namespace

void RefuseSystemCall(long number, int error_number) {
  Install({Load(offsetof(seccomp_data, nr)),
           BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(number), 0, 1),
           Refuse(error_number), Allow()});
}

void DieAtSystemCall(long number) {
  Install({Load(offsetof(seccomp_data, nr)),
           BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(number), 0, 1),
           BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS), Allow()});
}

void RefuseSystemCallWithBits(long number, unsigned argument, uint32_t mask, int error_number) {
  Install({Load(offsetof(seccomp_data, nr)),
           BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(number), 0, 3),
           Load(ArgumentOffset(argument)), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, mask, 0, 1),
           Refuse(error_number), Allow()});
}

void RefuseSystemCallFrom(long number, unsigned argument, uint32_t minimum, int error_number) {
  Install({Load(offsetof(seccomp_data, nr)),
           BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(number), 0, 3),
           Load(ArgumentOffset(argument)), BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, minimum, 0, 1),
           Refuse(error_number), Allow()});
}

void RefuseFcntlDirect(int error_number) {
  Install({Load(offsetof(seccomp_data, nr)), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fcntl, 0, 5),
           Load(ArgumentOffset(1)), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_SETFL, 0, 3),
           Load(ArgumentOffset(2)), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_DIRECT, 0, 1),
           Refuse(error_number), Allow()});
}

}  // namespace lss::test

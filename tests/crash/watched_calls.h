// The system calls that change files, with a test in between: this program's definitions stand in
// front of the C library's. Link watched_calls.cc into the program.
//
// Syncs only are told of and do nothing: no power fails in a test.
//
// Thread safety: DieAfter and Observe before the threads whose calls they concern.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <functional>

namespace lss::test {

// The process dies by SIGKILL at the `steps`-th call from now on, before it is made; `midway`: at
// the `steps`-th write, when half of it is through.
void DieAfter(int steps, bool midway);

// Sees calls on files, around them. Called from any thread.
class CallObserver {
 public:
  virtual ~CallObserver() = default;
  virtual void BeforeWrite(int fd, const iovec* pieces, int count, uint64_t offset) = 0;
  virtual void AfterWrite(int fd, uint64_t offset, int64_t written, bool durable) = 0;
  virtual void OnSize(int fd, uint64_t size) = 0;
  virtual void OnSync(int fd) = 0;
};
// Writes fail with this errno from now on, and nothing of them lands; 0: no more.
void FailWrites(int error_number);
// Files cannot be opened for direct transfers, as on some file systems.
void RefuseDirect(bool refuse);
// That many reads fail with EIO, from now on.
void FailReads(int count);
// Is called before this thread's next read, once: what others do between its thought and its look.
void BeforeNextRead(std::function<void()> others);
// Null: nobody looks.
void Observe(CallObserver* observer);

}  // namespace lss::test

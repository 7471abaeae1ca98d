// The system calls of a FileDevice, made to fall short or to fail, on a real file.
#pragma once

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include "lss/device/file_device.h"

namespace lss::test {

// What one call of pwritev2 answers.
struct WriteAnswer {
  enum class Kind { kReal, kShort, kError };
  Kind kind = Kind::kReal;
  int64_t value = 0;

  static WriteAnswer Real() { return {}; }
  // Writes and reports `bytes` only. A direct write that ends inside a page leaves that page alone
  // and counts part of it all the same: nobody may rely on it.
  static WriteAnswer Short(int64_t bytes) { return {Kind::kShort, bytes}; }
  static WriteAnswer Error(int error_number) { return {Kind::kError, -error_number}; }
};

// Thread safety: none.
class ScriptedSystemCalls final : public SystemCalls {
 public:
  struct WriteCall {
    int64_t offset;
    uint64_t length;
    bool dsync;
    bool direct;
  };

  // Answers of the next calls, in order; the real call when they run out.
  std::deque<WriteAnswer> writes;
  std::deque<int> syncs;        // 0 or -errno
  std::deque<int> allocates;    // 0 or -errno
  bool refuses_dsync = false;   // EOPNOTSUPP for RWF_DSYNC, for good
  bool refuses_direct = false;  // EINVAL for writes with O_DIRECT, for good
  // Runs inside each write before its answer: another thread's doing, at the worst moment.
  std::function<void()> during_write;

  std::vector<WriteCall> write_calls;
  int sync_calls = 0;
  int allocate_calls = 0;

  std::vector<std::pair<int64_t, int64_t>> writebacks;
  int SyncFileRange(int fd, int64_t offset, int64_t length) override {
    writebacks.emplace_back(offset, length);
    return SystemCalls::SyncFileRange(fd, offset, length);
  }

  int64_t Pwritev2(int fd, const iovec* pieces, int count, int64_t offset, int flags) override {
    WriteCall call = {offset, 0, (flags & RWF_DSYNC) != 0, (fcntl(fd, F_GETFL) & O_DIRECT) != 0};
    for (int i = 0; i < count; ++i) {
      call.length += pieces[i].iov_len;
    }
    write_calls.push_back(call);
    if (during_write) {
      during_write();
    }
    WriteAnswer answer;
    if (!writes.empty()) {
      answer = writes.front();
      writes.pop_front();
    } else if ((refuses_dsync && call.dsync) || (refuses_direct && call.direct)) {
      answer = WriteAnswer::Error(call.dsync && refuses_dsync ? EOPNOTSUPP : EINVAL);
    }
    switch (answer.kind) {
      case WriteAnswer::Kind::kError:
        return answer.value;
      case WriteAnswer::Kind::kShort:
        return WriteShort(fd, pieces, count, offset, flags, answer.value, call.direct);
      case WriteAnswer::Kind::kReal:
        break;
    }
    return SystemCalls::Pwritev2(fd, pieces, count, offset, flags);
  }

  int Fdatasync(int fd) override {
    ++sync_calls;
    return Take(&syncs, [&] { return SystemCalls::Fdatasync(fd); });
  }

  int Fallocate(int fd, int mode, int64_t offset, int64_t length) override {
    ++allocate_calls;
    return Take(&allocates, [&] { return SystemCalls::Fallocate(fd, mode, offset, length); });
  }

 private:
  template <typename RealCall>
  static int Take(std::deque<int>* answers, const RealCall& real_call) {
    if (answers->empty()) {
      return real_call();
    }
    const int answer = answers->front();
    answers->pop_front();
    return answer;
  }

  int64_t WriteShort(int fd, const iovec* pieces, int count, int64_t offset, int flags,
                     int64_t bytes, bool direct) {
    uint64_t left = direct ? PageFloor(static_cast<uint64_t>(bytes)) : static_cast<uint64_t>(bytes);
    std::vector<iovec> cut;
    for (int i = 0; i < count && left > 0; ++i) {
      cut.push_back({pieces[i].iov_base, std::min<uint64_t>(left, pieces[i].iov_len)});
      left -= cut.back().iov_len;
    }
    const int64_t written =
        cut.empty()
            ? 0
            : SystemCalls::Pwritev2(fd, cut.data(), static_cast<int>(cut.size()), offset, flags);
    return written < 0 ? written : bytes;
  }
};

}  // namespace lss::test

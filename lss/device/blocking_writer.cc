#include "lss/device/blocking_writer.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

namespace lss {

void BlockingWriter::WriteFile(int /*fd*/, FlushClient* client, const std::vector<WriteOp>& ops) {
  client->device()->Device::Submit(this, client, ops);  // the way that blocks
}

void BlockingWriter::Reap(const Done& done) {
  std::vector<Finished> finished = TakeReported();
  if (finished.empty()) {
    uint64_t count = 0;
    // A failed read is a spurious wake-up, which the flusher allows for; not one after the other.
    if (read(wake_fd(), &count, sizeof(count)) < 0 && errno != EINTR) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    finished = TakeReported();
  }
  for (const Finished& op : finished) {
    done(op.client, op.op, op.status);
  }
}

}  // namespace lss

#include "lss/device/blocking_writer.h"

#include <unistd.h>

namespace lss {

void BlockingWriter::WriteFile(int /*fd*/, FlushClient* client, const std::vector<WriteOp>& ops) {
  client->device()->Device::Submit(this, client, ops);  // the way that blocks
}

void BlockingWriter::Reap(const Done& done) {
  std::vector<Finished> finished = TakeReported();
  if (finished.empty()) {
    uint64_t count = 0;
    // A failed read (EINTR) is a spurious wake-up, which the flusher allows for.
    (void)!read(wake_fd(), &count, sizeof(count));
    finished = TakeReported();
  }
  for (const Finished& op : finished) {
    done(op.client, op.op, op.status);
  }
}

}  // namespace lss

// Writes each op at once, on the flusher's thread; where there is no io_uring.
#pragma once

#include <vector>

#include "lss/device/async_writer.h"

namespace lss {

class BlockingWriter final : public AsyncWriter {
 public:
  explicit BlockingWriter(int wake_fd) : AsyncWriter(wake_fd) {}
  void WriteFile(int fd, FlushClient* client, const std::vector<WriteOp>& ops) override;
  void Reap(const Done& done) override;
  size_t in_flight() const override { return reported_count(); }
};

}  // namespace lss

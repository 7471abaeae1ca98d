// The bytes of a log or a blob file as an open with the plugin would have them: the file, and of
// its ring what counts. Reads ahead; changes nothing.
//
// Thread safety: none.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "lss/base/unique_fd.h"
#include "lss/recovery/recovery.h"
#include "plugin/tail_read.h"

namespace bloom_lfs::tool {

class LogReader {
 public:
  // NotFound: it has gone. `on_read` is told how many bytes further reading has come.
  static lss::Status Open(const std::string& path, const lss::RecoveryContext& context,
                          std::function<void(uint64_t bytes)> on_read,
                          std::unique_ptr<LogReader>* result);

  int64_t Read(uint64_t offset, size_t n, char* destination);
  // What can be read; of a log that is written, what had been accepted when it was opened.
  uint64_t size() const { return size_; }
  uint64_t in_file() const { return in_file_; }
  // Bytes at the end that only the ring has, as far as is known.
  uint64_t in_ring_only() const;
  // Whether its writer is alive.
  bool growing() const { return tail_.growing; }
  std::optional<lss::RingCase> ring_case() const { return ring_case_; }
  // Bytes below it were synced, as its ring says; 0 if that is not known.
  uint64_t durable() const { return durable_; }

 private:
  LogReader(lss::UniqueFd fd, std::string path, std::function<void(uint64_t)> on_read)
      : fd_(std::move(fd)), path_(std::move(path)), on_read_(std::move(on_read)) {}
  lss::Status Resolve(const std::string& ring, const lss::RecoveryContext& context);
  void ReadAhead(uint64_t from);

  const lss::UniqueFd fd_;
  const std::string path_;
  const std::function<void(uint64_t)> on_read_;
  uint64_t in_file_ = 0;
  uint64_t size_ = 0;
  lss::ResolvedTail tail_;
  std::optional<lss::RingCase> ring_case_;
  uint64_t durable_ = 0;
  uint64_t ahead_ = 0;     // the kernel has been asked for what is below
  uint64_t furthest_ = 0;  // read so far
};

}  // namespace bloom_lfs::tool

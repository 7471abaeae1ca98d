// What a log owes to the older logs of its database. They are those of its directory with lower
// numbers that are being written in this process. It takes over from them with its first byte, not
// with its creation: RocksDB may create a log long before it needs it (async_wal_precreate).
//
// Thread safety: a value; const methods from any thread.
#pragma once

#include <cstdint>
#include <string>

#include "lss/dense_stream.h"
#include "plugin/directory_id.h"

namespace bloom_lfs {

class LogSuccession {
 public:
  // Of the log at `path`, which exists or is about to.
  explicit LogSuccession(const std::string& path);

  // Before the first byte: retires the older logs. The pace of the newest of them that has bytes.
  lss::Pace TakeOver() const;
  // Brings the older logs to their files (`durable`: to the device), oldest first. From here on
  // what they still get is on the device at once, so once is enough.
  lss::Status SettleOlder(bool durable) const;
  // Whether there is a newer log by now.
  bool HasSuccessor() const;

  const DirectoryId& directory() const { return directory_; }

 private:
  std::string path_;
  uint64_t number_;
  DirectoryId directory_;
};

}  // namespace bloom_lfs

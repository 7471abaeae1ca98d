// Ways to make bytes durable, one write after the other, for those who time them. All go through
// lss::FileDevice, so that what is timed is what the plugin's logs do.
#pragma once

#include <memory>
#include <string>

#include "lss/base/status.h"
#include "lss/base/types.h"
#include "lss/device/file_device.h"
#include "plugin/tool/doctor_file.h"

namespace bloom_lfs::tool {

enum class SyncWay {
  kAppend,            // what stock RocksDB does: append through the page cache, fdatasync
  kOverwrite,         // over written blocks, through the page cache, fdatasync
  kDurableOverwrite,  // a hot log of the plugin: the tail's page over written blocks, O_DIRECT and
                      // RWF_DSYNC, or what the file device does where these are refused
  kDurableUnwritten,  // the same over blocks that are allocated and were never written
};

// Thread safety: none.
class SyncProbe {
 public:
  struct Shape {
    uint64_t write_bytes = 0;
    uint64_t step_bytes = 0;  // how much further the next write ends
    uint64_t area_bytes = 0;  // of the file that is used
  };
  // In a file of its own in `directory`. `source` has write_bytes, at a page, and outlives this.
  static lss::Status Create(const std::string& directory, PrivateFile::Name name, SyncWay way,
                            bool direct_io, const char* source, const Shape& shape,
                            std::unique_ptr<SyncProbe>* result);

  // Whether Next needs a Renew before it.
  bool used_up() const { return at_ + shape_.step_bytes > end_; }
  // Makes the file what it was at the beginning. Not to be timed.
  lss::Status Renew();
  // One write, durable when it returns. REQUIRES: !used_up()
  lss::Status Next();

 private:
  SyncProbe(std::unique_ptr<PrivateFile> file, SyncWay way, bool direct_io, const char* source,
            const Shape& shape);

  lss::Status Prepare();
  lss::Status WriteZeros();

  const std::unique_ptr<PrivateFile> file_;
  lss::FileDevice device_;
  const SyncWay way_;
  const bool direct_io_;
  const char* const source_;
  const Shape shape_;
  lss::Address at_ = 0;
  lss::Address end_ = 0;  // 0: before the first Renew
};

}  // namespace bloom_lfs::tool

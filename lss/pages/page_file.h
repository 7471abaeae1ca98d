// A page store's file in its directory: opened, locked, told from others, read past the page cache.
//
//   <directory>/pages   the file (page_file_layout.h)
//   <directory>/lock    held by the one process that uses it
//   <directory>/ring    the log's buffers; nothing in it counts after a crash
//
// Thread safety: Open by one thread; everything else from any thread.
#pragma once

#include <memory>
#include <string>

#include "lss/base/status.h"
#include "lss/base/unique_fd.h"
#include "lss/base/warning_sink.h"
#include "lss/device/file_device.h"
#include "lss/pages/page_file_layout.h"
#include "lss/ring/ring_lock.h"

namespace lss {

class PageFile {
 public:
  // Makes the directory and the file when they are missing. A file of another shape, or none of
  // ours, is made anew: a cache may be lost. An error: somebody else uses it (RingLock::IsBusy), or
  // the file system refuses; nothing was changed then, but for an unfinished file.
  static Status Open(const std::string& directory, const PageFileLayout& layout, WarningSink warn,
                     std::unique_ptr<PageFile>* result);

  const std::string& path() const { return device_->name(); }
  std::string ring_directory() const { return directory_ + "/ring"; }
  uint32_t store_id() const { return superblock_.store_id; }
  const PageFileLayout& layout() const { return superblock_.layout; }
  // Whether the file was made by this Open: there is nothing in it.
  bool fresh() const { return fresh_; }
  const std::shared_ptr<FileDevice>& device() const { return device_; }

  // Reads whole pages, past the page cache where that is possible. `destination` is page aligned.
  Status ReadPages(uint64_t offset, size_t length, char* destination) const;
  // For those who submit reads themselves; stays the file's.
  int read_fd() const { return read_fd_.get(); }

 private:
  PageFile() = default;
  Status LockDirectory(const std::string& directory);
  Status OpenFile(WarningSink warn);
  // Whether the file holds a store of this shape.
  Status Recognise(const PageFileLayout& layout, bool* recognised);
  Status Format(const PageFileLayout& layout);
  Status FormatWhole(const PageFileLayout& layout);
  Status CheckRoom(uint64_t bytes) const;

  std::string directory_;
  UniqueFd lock_fd_;
  RingLock lock_;
  Superblock superblock_;
  bool fresh_ = false;
  std::shared_ptr<FileDevice> device_;
  UniqueFd read_fd_;
};

}  // namespace lss

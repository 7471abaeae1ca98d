// Where a page store keeps its pages: a file in a directory of its own, or an export of a server.
// Opened, told from others, read.
//
//   <directory>/pages   the file (page_file_layout.h), read past the page cache
//   <directory>/lock    held by the one process that uses it
//   <directory>/ring    the log's buffers; nothing in it counts after a crash
//
// An export has the layout at its beginning, and nobody can lock it. Two processes that use one run
// over each other's pages; as a page's record says what it is, they miss, and find nothing wrong.
// The log's buffers are in a directory of the process.
//
// Thread safety: Open by one thread; everything else from any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lss/base/status.h"
#include "lss/base/unique_fd.h"
#include "lss/base/warning_sink.h"
#include "lss/device/device.h"
#include "lss/pages/export_device.h"
#include "lss/pages/page_file_layout.h"
#include "lss/pages/private_directory.h"
#include "lss/pages/read_queue.h"
#include "lss/ring/ring_lock.h"

namespace lss {

class PageFile {
 public:
  // `place`: a directory, which is made with the file when they are missing, or an address
  // (lss/device/remote_device.h). A store of another shape is made anew: a cache may be lost.
  // A file that is none of ours too; an export only if its first MiB is zeros. An error: somebody
  // else uses it (RingLock::IsBusy), or file system or server refuse; nothing was changed then, but
  // for an unfinished file.
  static Status Open(const std::string& place, const PageFileLayout& layout, WarningSink warn,
                     std::unique_ptr<PageFile>* result);

  const std::string& path() const { return device_->name(); }
  std::string ring_directory() const {
    return (private_ != nullptr ? private_->path() : directory_) + "/ring";
  }
  // The log has its ring. That of an export needs no name any more: it goes with the process.
  void NoteRingMade() const;
  uint32_t store_id() const { return superblock_.store_id; }
  const PageFileLayout& layout() const { return superblock_.layout; }
  // Whether the file was made by this Open: there is nothing in it.
  bool fresh() const { return fresh_; }
  const std::shared_ptr<Device>& device() const { return device_; }
  // Not OK: the server is gone, and nothing can be read or written any more.
  Status gone() const { return export_ == nullptr ? Status::Ok() : export_->gone(); }

  // Reads whole pages. `destination` is page aligned.
  Status ReadPages(uint64_t offset, size_t length, char* destination) const;
  // Several ranges of whole pages at once; each of `reads` has its result. `queues`: for a file.
  void ReadRanges(ReadQueuePool* queues, std::vector<RangeRead>* reads) const;

 private:
  PageFile() = default;
  Status WriteSuperblocks(const PageFileLayout& layout);

  // --- a file ---
  Status OpenInDirectory(const std::string& directory, const PageFileLayout& layout,
                         WarningSink warn);
  Status LockDirectory(const std::string& directory);
  Status OpenFile(WarningSink warn);
  // Whether the file holds a store of this shape.
  Status Recognise(const PageFileLayout& layout, bool* recognised);
  Status Format(const PageFileLayout& layout);
  Status TakeRoom(uint64_t bytes);
  Status CheckRoom(uint64_t bytes) const;

  // --- an export ---
  Status OpenExport(const std::string& uri, const PageFileLayout& layout);
  Status CheckExportSize(uint64_t bytes) const;
  // Whether it holds a store of this shape; an error if it holds something that is no store.
  Status RecogniseExport(const PageFileLayout& layout, bool* recognised);

  std::string directory_;                      // of a file
  std::unique_ptr<PrivateDirectory> private_;  // of an export
  UniqueFd lock_fd_;
  RingLock lock_;
  Superblock superblock_;
  bool fresh_ = false;
  std::shared_ptr<Device> device_;
  std::shared_ptr<ExportDevice> export_;  // the same, if it is one
  UniqueFd read_fd_;                      // of a file
};

}  // namespace lss

// The bytes of one WAL or blob file for a reader, wherever they are at the moment: in the file, in
// the ring of a store of this process, or in the ring of another process (alive or dead).
//
// Thread safety: Read and Size from any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "lss/base/mutex.h"
#include "lss/recovery/recovery.h"
#include "plugin/live_stores.h"

namespace bloom_lfs {

class FileSource {
 public:
  // Never modifies anything. The source goes on working after the file is renamed or unlinked.
  static lss::Status Open(const std::string& path, std::unique_ptr<FileSource>* result);

  // Up to `length` bytes from `offset`; fewer only at the end of the log as it is now. A log that
  // is still written grows: ask again.
  lss::Status Read(uint64_t offset, size_t length, char* destination, size_t* read);
  // Whether the file alone had every byte when this was opened: there were some, nobody was writing
  // it, no ring beside it counts. A file that nobody reopens for writing stays so.
  bool IsPlainFile();
  // Every byte below is readable now.
  lss::Status Size(uint64_t* size);

 private:
  FileSource(lss::UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  // Looks for whoever holds bytes that the file does not have. A log can be opened before its ring
  // exists, so readers come back here at the end of the file.
  lss::Status Attach();
  // The same, if there was nothing at all when it looked last: what has begun since may have made
  // room for its bytes in the file, and they read as zeros there until they come.
  lss::Status AttachIfNew();
  // At the end of what is known: whether asking again may give more.
  bool HolderChanged(lss::Status* status);
  lss::Status ReadOnce(uint64_t offset, size_t length, char* destination, size_t* read);

  struct Holder {
    StorePtr store;
    std::shared_ptr<lss::RingView> ring;
    bool growing = false;  // the ring's owner lives; otherwise `part` of the ring counts
    lss::RingPart part;
  };
  Holder CurrentHolder();

  const lss::UniqueFd fd_;
  const std::string path_;
  lss::Mutex mutex_;
  Holder holder_ LSS_GUARDED_BY(mutex_);
  bool was_empty_ LSS_GUARDED_BY(mutex_) = false;  // and nobody held anything
  // After a machine crash: what counts of the file.
  std::optional<uint64_t> trimmed_size_ LSS_GUARDED_BY(mutex_);
};

}  // namespace bloom_lfs

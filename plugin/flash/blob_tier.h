// The flash tier that a FileSystem puts under its blob files.
//
// Held from its first use until the last database that was locked through the FileSystem is
// unlocked, and longer if blob files are still open: a tier that came and went with single files
// would be opened and closed all the time, one that stayed for good would never be closed.
//
// Thread safety: every method from any thread.
#pragma once

#include <memory>
#include <string>

#include "lss/base/fork_guard.h"
#include "lss/base/mutex.h"
#include "lss/pages/page_store.h"
#include "rocksdb/file_system.h"

namespace bloom_lfs {

class BlobTier {
 public:
  // `file` on the tier of these options (flash_options.h), or `file` itself: the options are empty
  // or not valid, it is not read directly, or it cannot be told from other files. `may_name`: as
  // IdentifyBlobFile.
  // REQUIRES: nobody writes the file at `path` any more.
  std::unique_ptr<rocksdb::FSRandomAccessFile> Put(
      std::unique_ptr<rocksdb::FSRandomAccessFile> file, const std::string& path,
      const std::string& options, bool may_name);

  void NoteLocked();
  void NoteUnlocked();

 private:
  lss::Mutex mutex_;
  const lss::ForkGuard fork_guard_;
  int locked_ LSS_GUARDED_BY(mutex_) = 0;
  std::shared_ptr<lss::PageStore> held_ LSS_GUARDED_BY(mutex_);
};

}  // namespace bloom_lfs

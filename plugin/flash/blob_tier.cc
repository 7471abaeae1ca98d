#include "plugin/flash/blob_tier.h"

#include <optional>
#include <utility>

#include "plugin/flash/blob_identity.h"
#include "plugin/flash/blob_on_flash.h"
#include "plugin/flash/flash_options.h"
#include "plugin/flash/flash_stores.h"

namespace bloom_lfs {

std::unique_ptr<rocksdb::FSRandomAccessFile> BlobTier::Put(
    std::unique_ptr<rocksdb::FSRandomAccessFile> file, const std::string& path,
    const std::string& options, bool may_name) {
  FlashOptions flash;
  if (options.empty() || !file->use_direct_io() || !flash.ParseAndValidate(options).ok()) {
    return file;
  }
  const std::optional<BlobIdentity> identity = IdentifyBlobFile(path, may_name);
  if (!identity.has_value()) {
    return file;
  }
  std::shared_ptr<lss::PageStore> store = SharedPageStore(flash);
  // The lock may be one that the fork has copied.
  if (!fork_guard_.InForkedChild()) {
    const lss::MutexLock lock(&mutex_);
    if (locked_ > 0) {
      held_ = store;
    }
  }
  return std::make_unique<BlobOnFlash>(std::move(file), *identity, std::move(store),
                                       !flash.background_threads_miss);
}

void BlobTier::NoteLocked() {
  if (!fork_guard_.InForkedChild()) {
    const lss::MutexLock lock(&mutex_);
    ++locked_;
  }
}

void BlobTier::NoteUnlocked() {
  std::shared_ptr<lss::PageStore> ends;  // which may take a while, without the lock
  if (!fork_guard_.InForkedChild()) {
    const lss::MutexLock lock(&mutex_);
    if (--locked_ == 0) {
      ends = std::move(held_);
    }
  }
}

}  // namespace bloom_lfs

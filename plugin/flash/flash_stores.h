// The page stores of this process: one for each path, shared by the caches that name it, open as
// long as one of them lives.
//
// Thread safety: from any thread.
#pragma once

#include <memory>

#include "lss/pages/page_store.h"
#include "plugin/flash/flash_options.h"

namespace bloom_lfs {

// Opens the store at options.path, or gives the one that is open there. Never null, never waits for
// the disk. REQUIRES: options.Validate() is OK.
std::shared_ptr<lss::PageStore> SharedPageStore(const FlashOptions& options);

}  // namespace bloom_lfs

#include "plugin/rocksdb_versions.h"

#if BLOOM_LFS_HAS_FLASH_TIER

#include <cstring>
#include <utility>

#include "plugin/flash/background_thread.h"
#include "plugin/flash/compressed_blocks.h"
#include "plugin/flash/flash_cache.h"
#include "plugin/flash/flash_figures.h"
#include "plugin/flash/flash_stores.h"
#include "rocksdb/convenience.h"

namespace bloom_lfs {
namespace {

using rocksdb::SecondaryCacheResultHandle;
using rocksdb::Slice;

constexpr uint8_t kUncompressed = 0;  // rocksdb::kNoCompression
constexpr uint8_t kBlockTier = 0;     // rocksdb::CacheTier::kVolatileTier

// False: the key names its block in this process only.
bool PageKeyOf(const Slice& key, lss::PageKey* page_key) {
  if (key.size() != sizeof(*page_key)) {
    return false;
  }
  memcpy(page_key, key.data(), sizeof(*page_key));
  return page_key->high != 0;
}

// What a look-up found, or will have found after WaitAll.
class FlashResult final : public SecondaryCacheResultHandle {
 public:
  explicit FlashResult(const CreatedBlock& block) : block_(block) {}
  FlashResult(lss::PageStore* store, const lss::PageKey& key, BlockCreator creator)
      : store_(store), creator_(std::make_unique<BlockCreator>(std::move(creator))) {
    lookup_.key = key;
  }

  bool IsReady() override { return store_ == nullptr; }
  void Wait() override {
    if (store_ != nullptr) {
      lookup_.found = store_->Lookup(lookup_.key, &lookup_.copy);
      Finish();
    }
  }
  void* Value() override { return block_.object; }
  size_t Size() override { return block_.charge; }

  // While it is not ready.
  lss::PageStore* store() const { return store_; }
  lss::PageLookup* lookup() { return &lookup_; }
  void Finish() {
    if (lookup_.found) {
      block_ = creator_->Create(lookup_.copy);
    }
    lookup_.copy = lss::PageCopy();
    store_ = nullptr;
  }

 private:
  CreatedBlock block_;
  lss::PageStore* store_ = nullptr;
  lss::PageLookup lookup_;
  std::unique_ptr<BlockCreator> creator_;
};

}  // namespace

FlashCache::FlashCache() { RegisterOptions(&options_, &FlashOptionTypes()); }

FlashCache::FlashCache(const FlashOptions& options) : options_(options) {
  RegisterOptions(&options_, &FlashOptionTypes());
}

FlashCache::~FlashCache() = default;

rocksdb::Status FlashCache::PrepareOptions(const rocksdb::ConfigOptions& options) {
  rocksdb::Status status = options_.Validate();
  return status.ok() ? SecondaryCache::PrepareOptions(options) : status;
}

rocksdb::Status FlashCache::ValidateOptions(const rocksdb::DBOptions& db_options,
                                            const rocksdb::ColumnFamilyOptions& cf_options) const {
  rocksdb::Status status = options_.Validate();
  return status.ok() ? SecondaryCache::ValidateOptions(db_options, cf_options) : status;
}

lss::PageStore* FlashCache::store() const {
  // Acquire: pairs with the store below; the object behind it is made.
  if (lss::PageStore* const opened = opened_.load(std::memory_order_acquire); opened != nullptr) {
    return opened;
  }
  if (!options_.Validate().ok()) {
    return nullptr;
  }
  const lss::MutexLock lock(&mutex_);
  if (store_ == nullptr) {
    store_ = SharedPageStore(options_);
    opened_.store(store_.get(), std::memory_order_release);
  }
  return store_.get();
}

lss::PageFigures FlashCache::figures() const {
  const lss::PageStore* const opened = opened_.load(std::memory_order_acquire);
  return opened == nullptr ? lss::PageFigures() : opened->figures();
}

bool FlashCache::Serves() const {
  return !(options_.background_threads_miss && IsBackgroundThread());
}

void FlashCache::SaveBlock(const Slice& key, const rocksdb::Cache::CacheItemHelper* helper,
                           void* object) {
  lss::PageKey page_key;
  lss::PageStore* const pages = store();
  if (pages == nullptr || !PageKeyOf(key, &page_key) || helper->size_cb == nullptr) {
    return;
  }
  const size_t size = helper->size_cb(object);
  pages->Insert(page_key, size, kUncompressed, kBlockTier, [&](char* destination) {
    return helper->saveto_cb(object, 0, size, destination).ok();
  });
}

std::unique_ptr<SecondaryCacheResultHandle> FlashCache::LookupBlock(const Slice& key,
                                                                    BlockCreator creator, bool wait,
                                                                    bool* kept) {
  *kept = false;
  lss::PageKey page_key;
  lss::PageStore* const pages = store();
  if (pages == nullptr || !PageKeyOf(key, &page_key) || !Serves()) {
    return nullptr;
  }
  if (!wait) {
    const lss::PageStore::Presence presence = pages->LookFor(page_key);
    if (presence == lss::PageStore::Presence::kNone) {
      return nullptr;
    }
    *kept = presence == lss::PageStore::Presence::kLikely;
    return std::make_unique<FlashResult>(pages, page_key, std::move(creator));
  }
  lss::PageCopy copy;
  if (!pages->Lookup(page_key, &copy)) {
    return nullptr;
  }
  *kept = !copy.goes_soon;
  const CreatedBlock block = creator.Create(copy);
  return block.object == nullptr ? nullptr : std::make_unique<FlashResult>(block);
}

#if BLOOM_LFS_HAS_CREATE_CONTEXT

rocksdb::Status FlashCache::Insert(const Slice& key, rocksdb::Cache::ObjectPtr object,
                                   const rocksdb::Cache::CacheItemHelper* helper, bool /*force*/) {
  if (helper->role != rocksdb::CacheEntryRole::kBlobValue) {  // their keys die with the session
    SaveBlock(key, helper, object);
  }
  return rocksdb::Status::OK();
}

rocksdb::Status FlashCache::InsertSaved(const Slice& key, const Slice& saved,
                                        rocksdb::CompressionType type, rocksdb::CacheTier source) {
  lss::PageKey page_key;
  lss::PageStore* const pages = store();
  if (pages != nullptr && PageKeyOf(key, &page_key)) {
    pages->Insert(page_key, {saved.data(), saved.size()}, static_cast<uint8_t>(type),
                  static_cast<uint8_t>(source));
  }
  return rocksdb::Status::OK();
}

std::unique_ptr<SecondaryCacheResultHandle> FlashCache::Lookup(
    const Slice& key, const rocksdb::Cache::CacheItemHelper* helper,
    rocksdb::Cache::CreateContext* context, bool wait, bool /*advise_erase*/,
    rocksdb::Statistics* /*statistics*/, bool& kept) {
  return LookupBlock(key, BlockCreator(helper, context), wait, &kept);
}

#else

rocksdb::Status FlashCache::Insert(const Slice& key, void* object,
                                   const rocksdb::Cache::CacheItemHelper* helper) {
  if (IsForTheTier(*helper)) {
    SaveBlock(key, helper, object);
  }
  return rocksdb::Status::OK();
}

std::unique_ptr<SecondaryCacheResultHandle> FlashCache::Lookup(
    const Slice& key, const rocksdb::Cache::CreateCallback& create, bool wait,
    bool /*advise_erase*/, bool& kept) {
  kept = false;
  return IsForTheTier(create) ? LookupBlock(key, BlockCreator(create), wait, &kept) : nullptr;
}

#endif

void FlashCache::Erase(const Slice& key) {
  lss::PageKey page_key;
  lss::PageStore* const opened = opened_.load(std::memory_order_acquire);
  if (opened != nullptr && PageKeyOf(key, &page_key)) {
    opened->Erase(page_key);
  }
}

void FlashCache::WaitAll(std::vector<SecondaryCacheResultHandle*> handles) {
  std::vector<FlashResult*> pending;
  std::vector<lss::PageLookup*> lookups;
  for (SecondaryCacheResultHandle* handle : handles) {
    auto* const result = static_cast<FlashResult*>(handle);
    if (!result->IsReady()) {
      pending.push_back(result);
      lookups.push_back(result->lookup());
    }
  }
  if (pending.empty()) {
    return;
  }
  pending.front()->store()->Lookup(&lookups);
  for (FlashResult* result : pending) {
    result->Finish();
  }
}

std::string FlashCache::GetPrintableOptions() const {
  const auto line = [](const char* name, const std::string& value) {
    return std::string("    ") + name + ": " + value + "\n";
  };
  const auto number = [&](const char* name, uint64_t value) {
    return line(name, std::to_string(value));
  };
  return line("path", options_.path) + number("size", options_.size) +
         number("memory", options_.memory) + line("policy", options_.policy) +
         line("admit", options_.admit) + number("write_rate", options_.write_rate) +
         FlashFigureLines(figures());
}

}  // namespace bloom_lfs

#endif  // BLOOM_LFS_HAS_FLASH_TIER

// The process-wide register of stores that are being written, by the inode they write: renames,
// hard links, symbolic links and odd spellings of a path all lead to the same entry.
//
// Thread safety: every method from any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lss/log_structured_store.h"

namespace bloom_lfs {

using StorePtr = std::shared_ptr<lss::LogStructuredStore>;

class LiveStores {
 public:
  static void Add(const StorePtr& store);
  static void Remove(const StorePtr& store);
  // Null if nobody in this process is writing that file.
  static StorePtr Find(const lss::FileIdentity& identity);
  // The same by path; null also if there is no such file.
  static StorePtr FindPath(const std::string& path);
  // Whether a store in the register has its ring at `ring_path`, spelled the way it was opened.
  static bool HasRing(const std::string& ring_path);
  // The stores of WALs that were opened in `directory`.
  static std::vector<StorePtr> WalsIn(const std::string& directory);
  // The store among them with the highest log number below `number`, or null.
  static StorePtr Predecessor(const std::string& directory, uint64_t number);
  // Retires the logs in `directory` with a lower number than `number` and brings them to their
  // files, oldest first.
  static lss::Status SettleOlder(const std::string& directory, uint64_t number, bool durable);
};

}  // namespace bloom_lfs

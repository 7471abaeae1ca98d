// The process-wide register of stores that are being written, by the inode they write and by the
// directory it was made in: renames, hard links, symbolic links and odd spellings of a path all
// lead to the same entry.
//
// Thread safety: every method from any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lss/dense_stream.h"

namespace bloom_lfs {

using StorePtr = std::shared_ptr<lss::DenseStream>;

class LiveStores {
 public:
  static void Add(const StorePtr& store);
  static void Remove(const StorePtr& store);
  // Null if nobody in this process is writing that file.
  static StorePtr Find(const lss::FileIdentity& identity);
  // The same by path; null also if there is no such file.
  static StorePtr FindPath(const std::string& path);
  // Whether the file at `ring_path` is the ring of a store in the register.
  static bool HasRing(const std::string& ring_path);
  // All stores that were opened in `directory`.
  static std::vector<StorePtr> StoresIn(const std::string& directory);
  // The stores of WALs that were opened in `directory`.
  static std::vector<StorePtr> WalsIn(const std::string& directory);
  // The store among them with the highest log number below `number`, or null.
  static StorePtr Predecessor(const std::string& directory, uint64_t number);
  // Retires the logs in `directory` with a lower number than `number` and brings them to their
  // files, oldest first.
  static lss::Status SettleOlder(const std::string& directory, uint64_t number, bool durable);
  // The same, for later: which directory that is, is looked up now.
  static std::function<lss::Status(bool durable)> SettlerOfOlder(const std::string& directory,
                                                                 uint64_t number);
};

}  // namespace bloom_lfs

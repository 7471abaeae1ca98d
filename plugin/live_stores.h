// The process-wide register of stores that are being written, by the inode they write and by the
// directory it was made in: renames, hard links, symbolic links and odd spellings of a path all
// lead to the same entry.
//
// Thread safety: every method from any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lss/dense_stream.h"
#include "plugin/directory_id.h"

namespace bloom_lfs {

using StorePtr = std::shared_ptr<lss::DenseStream>;

class LiveStores {
 public:
  // `directory`: that it was opened in.
  static void Add(const StorePtr& store, const DirectoryId& directory);
  // The same for who has not looked it up.
  static void Add(const StorePtr& store);
  static void Remove(const StorePtr& store);
  // Null if nobody in this process is writing that file.
  static StorePtr Find(const lss::FileIdentity& identity);
  // The same by path; null also if there is no such file.
  static StorePtr FindPath(const std::string& path);
  // Brings the log at `path` to its file for somebody who copies it (shown_file.h), if it is being
  // written in this process.
  static lss::Status ShowLog(const std::string& path);
  // Whether the file at `ring_path` is the ring of a store in the register.
  static bool HasRing(const std::string& ring_path);
  // All stores that were opened in `directory`.
  static std::vector<StorePtr> StoresIn(const DirectoryId& directory);
  // The stores of the WALs of `directory` whose log number is below `number`, oldest first.
  static std::vector<StorePtr> OlderWals(const DirectoryId& directory, uint64_t number);
  // Whether the register has a WAL of `directory` with a higher number.
  static bool HasNewerWal(const DirectoryId& directory, uint64_t number);
};

}  // namespace bloom_lfs

// Which database a side log means by a number: words, in a table behind the log. For those who look
// into a place without the databases; nothing that was acknowledged depends on it.
//
//   label := magic[8] crc:u32 length:u32 database[16] words, zeros to 512 bytes
//
// Thread safety: every method from any thread; one process at a time writes the table.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lss/base/mutex.h"
#include "lss/base/status.h"
#include "lss/device/device.h"
#include "lss/second_place/uuid.h"

namespace lss {

inline constexpr size_t kLabelBytes = 512;
inline constexpr uint64_t kLabelsBytes = 64 * kPageBytes;  // of the table

class SideLabels {
 public:
  static constexpr size_t kMostWords = kLabelBytes - 32;

  // The table at `begin` of `device`, which outlives it.
  SideLabels(Device* device, Address begin) : device_(device), begin_(begin) {}

  // An empty table. Not durable before the device is synced.
  Status Format();
  // What is damaged is left out.
  Status Read();
  // Durable when it returns. NoSpace: all labels are taken.
  Status Set(const Uuid& database, const std::string& words);
  // Durable when it returns; OK if there is none.
  Status Remove(const Uuid& database);
  std::map<Uuid, std::string> All() const;

  // As Set keeps them: of long words the end, which says more of a path.
  static std::string Kept(const std::string& words);

 private:
  static constexpr size_t kLabels = kLabelsBytes / kLabelBytes;
  static constexpr size_t kPerPage = kPageBytes / kLabelBytes;

  struct Label {
    bool used = false;
    Uuid database = {};
    std::string words;
  };

  // kLabels: there is none.
  size_t IndexOf(const Uuid& database) const LSS_REQUIRES(mutex_);
  size_t FreeIndex() const LSS_REQUIRES(mutex_);
  Status Write(size_t index) LSS_REQUIRES(mutex_);

  Device* const device_;
  const Address begin_;
  mutable Mutex mutex_;
  std::vector<Label> labels_ LSS_GUARDED_BY(mutex_) = std::vector<Label>(kLabels);
};

}  // namespace lss

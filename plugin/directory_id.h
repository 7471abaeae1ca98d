// Which directory it is, whatever it is called by now.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

#include "lss/base/file_identity.h"

namespace bloom_lfs {

// Thread safety: a value.
class DirectoryId {
 public:
  // One that equals nothing, not even itself.
  DirectoryId() = default;
  // Looks it up now; unknown if there is none, or it cannot be asked.
  static DirectoryId Of(const std::string& path);
  bool known() const { return identity_.has_value(); }
  bool Same(const DirectoryId& other) const;
  // An order, for registers.
  bool operator<(const DirectoryId& other) const;

 private:
  // Device, inode and birth time.
  std::tuple<uint64_t, uint64_t, int64_t> Key() const;

  std::optional<lss::FileIdentity> identity_;
};

}  // namespace bloom_lfs

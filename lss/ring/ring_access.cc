#include "lss/ring/ring_access.h"

namespace lss {
namespace {

constexpr uint32_t kGroupWrite = 020;
constexpr uint32_t kOtherWrite = 02;

// What the members of `gid` may do with a file, as the bits of its others.
uint32_t RightsOfGroup(const FileAccess& file, uint32_t gid) {
  return (file.gid == gid ? file.mode >> 3 : file.mode) & 07;
}

bool BelongsToOneOf(const FileAccess& made, const FileAccess& log, const FileAccess& directory) {
  return made.uid == 0 || made.uid == log.uid || made.uid == directory.uid;
}

// Whether everybody who may write to `made`, its owner apart, may write to `model`.
bool IsNoWider(const FileAccess& made, const FileAccess& model) {
  const bool group_may = (RightsOfGroup(model, made.gid) & kOtherWrite) != 0;
  const bool others_may = (model.mode & kOtherWrite) != 0;
  return (group_may || (made.mode & kGroupWrite) == 0) &&
         (others_may || (made.mode & kOtherWrite) == 0);
}

}  // namespace

bool IsTrustedRing(const FileAccess& ring, const FileAccess& log, const FileAccess& directory) {
  return BelongsToOneOf(ring, log, directory) && IsNoWider(ring, log);
}

bool IsTrustedRingDirectory(const FileAccess& ring_directory, const FileAccess& log,
                            const FileAccess& directory) {
  return BelongsToOneOf(ring_directory, log, directory) && IsNoWider(ring_directory, directory);
}

uint32_t RingMode(const FileAccess& log, uint32_t ring_gid) {
  return 0600U | (RightsOfGroup(log, ring_gid) & 06) << 3 | (log.mode & 06);
}

uint32_t RingDirectoryMode(const FileAccess& log, const FileAccess& directory,
                           uint32_t ring_directory_gid) {
  // To read a file in it takes the right to search it; to list it does no harm.
  const auto bits = [](uint32_t log_rights, uint32_t directory_rights) {
    return ((log_rights & 04) != 0 ? 05U : 0U) | (log_rights & directory_rights & kOtherWrite);
  };
  return 0700U |
         bits(RightsOfGroup(log, ring_directory_gid), RightsOfGroup(directory, ring_directory_gid))
             << 3 |
         bits(log.mode & 07, directory.mode & 07);
}

}  // namespace lss

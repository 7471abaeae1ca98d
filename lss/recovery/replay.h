// How one file is brought to what its verdict says, and what becomes of its ring.
#pragma once

#include <memory>

#include "lss/base/status.h"
#include "lss/device/file_device.h"
#include "lss/recovery/recovery.h"

namespace lss {

// A ring, the file that it names and the verdict, as recovery acts on them.
struct Examined {
  std::unique_ptr<RingView> ring;
  UniqueFd ring_file;  // open for writing; invalid if this user may only read it
  RingLock lock;
  std::unique_ptr<FileDevice> file;  // null: there is none
  int write_error = 0;               // errno of why the file is open for reading only
  Evidence evidence;
  RingPart part;  // R3, R14
  RecoveredFile done;
  // Behind it the streams that follow do not count.
  bool incomplete = false;
};

// Writes, cuts and syncs the file, and removes the ring or sets it aside. `acted`: false if nothing
// was done because nothing is to be done, or because this user may not.
Status Act(const RecoveryContext& context, Examined* examined, bool* acted);

// NotSupported: what to do about a ring of a later version.
Status FutureVersion(const RingView& ring);

// Which part of the ring counts, by the verdict; none where the verdict needs none.
RingPart PartOf(RingCase ring_case, const RingView& ring, const Evidence& evidence);

}  // namespace lss

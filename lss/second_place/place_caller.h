// Who waits for a second place, which may hang.
//
// Thread safety: that of its functions.
#pragma once

#include <functional>
#include <string>

#include "lss/base/status.h"

namespace lss {

// Both may be null.
struct PlaceCaller {
  std::function<void()> note_step;    // called again and again while the place gets on
  std::function<bool()> still_waits;  // false: no other machine is to lose a log any more

  void NoteStep() const {
    if (note_step) {
      note_step();
    }
  }
  // Closed: it does not wait any more.
  Status CheckWaits(const std::string& place) const {
    return !still_waits || still_waits()
               ? Status::Ok()
               : Status::Closed(place + " has answered too late, and is left as it is");
  }
};

}  // namespace lss

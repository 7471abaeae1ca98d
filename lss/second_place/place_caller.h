// Who waits for a second place, which may hang.
//
// Thread safety: that of its functions.
#pragma once

#include <functional>

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
  bool StillWaits() const { return !still_waits || still_waits(); }
};

}  // namespace lss

// What a board showed at one moment, as far as figures that change have one.
//
// Thread safety: none.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lss/base/status.h"
#include "lss/figures/board_format.h"

namespace lss {

class BoardCopy {
 public:
  // Of a board with so many slots that have been taken. All zeros.
  explicit BoardCopy(size_t slots = 0);

  // From a board's memory file, in whichever process. InvalidArgument: it is not one, or one of
  // another version; `name` is for the error.
  static Status Read(int fd, const std::string& name, BoardCopy* copy);
  // The same of its header alone, which may change meanwhile.
  static Status ReadHeader(int fd, const std::string& name, BoardCopy* copy);

  static constexpr size_t Bytes(size_t slots) {
    return sizeof(BoardHeader) + slots * sizeof(BoardSlot);
  }

  uint64_t* words() { return lines_.data()->words; }
  // REQUIRES: a copy of a board, not of nothing.
  const BoardHeader& header() const;

  struct Stream {
    StreamKind kind;
    const char* path;
    const StreamFigures& figures;
  };
  void VisitStreams(const std::function<void(const Stream&)>& visit) const;
  // Of all streams of the kind, those that are gone too.
  std::unique_ptr<StreamFigures> Total(StreamKind kind) const;

 private:
  // `is_whole`: no stream came or went meanwhile.
  static Status ReadOnce(int fd, const std::string& name, BoardCopy* copy, bool* is_whole);
  static Status CheckHeader(const BoardHeader& header, const std::string& name);

  const BoardSlot* slot(size_t index) const;

  // Read as the board's types, whose members are no larger than a word.
  struct alignas(64) Line {
    uint64_t words[8];
  };
  static_assert(alignof(BoardHeader) == alignof(Line) && alignof(BoardSlot) == alignof(Line));

  size_t slots_;
  std::vector<Line> lines_;
};

}  // namespace lss

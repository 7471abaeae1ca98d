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

  // From a board's memory file, in whichever process. Tries until `until_ns` of SteadyNowNs(), and
  // at least once, for one that is_whole(). InvalidArgument: it is not one, or one of another
  // version; `name` is for the error.
  static Status Read(int fd, const std::string& name, int64_t until_ns, BoardCopy* copy);
  // The same of its header alone, which may change meanwhile.
  static Status ReadHeader(int fd, const std::string& name, BoardCopy* copy);

  static constexpr size_t Bytes(size_t slots) {
    return sizeof(BoardHeader) + slots * sizeof(BoardSlot);
  }

  uint64_t* words() { return lines_.data()->words; }
  // REQUIRES: a copy of a board, not of nothing.
  const BoardHeader& header() const;
  // False: streams came or went meanwhile, or their process was stopped when one did; a total may
  // have one of them twice, or not at all.
  bool is_whole() const { return is_whole_; }

  struct Stream {
    StreamKind kind;
    const char* path;
    const StreamFigures& figures;
  };
  void VisitStreams(const std::function<void(const Stream&)>& visit) const;
  // Of all streams of the kind, those that are gone too.
  std::unique_ptr<StreamFigures> Total(StreamKind kind) const;

 private:
  static Status ReadOnce(int fd, const std::string& name, BoardCopy* copy);
  static Status CheckHeader(const BoardHeader& header, const std::string& name);

  const BoardSlot* slot(size_t index) const;

  // Read as the board's types, whose members are no larger than a word.
  struct alignas(64) Line {
    uint64_t words[8];
  };
  static_assert(alignof(BoardHeader) == alignof(Line) && alignof(BoardSlot) == alignof(Line));

  size_t slots_;
  bool is_whole_ = true;
  std::vector<Line> lines_;
};

}  // namespace lss

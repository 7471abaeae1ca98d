// Which stream is it? The identity that a ring carries, so that recovery can tell whose bytes it
// holds.
#pragma once

#include <cstdint>

#include "lss/base/file_identity.h"

namespace lss {

struct StreamId {
  enum class Kind : uint32_t {
    kFile = 0,  // a file of this machine
    kNamed =
        1,  // a number that whoever made the stream has given it: a networked device, a side log
  };
  struct Name {
    uint64_t high = 0;
    uint64_t low = 0;
  };

  StreamId() = default;
  StreamId(const FileIdentity& identity)  // NOLINT(google-explicit-constructor): one kind of it
      : file(identity) {}
  // `name` must not be given to any other stream, ever: draw it at random.
  static StreamId Named(const Name& name) {
    StreamId id;
    id.kind = Kind::kNamed;
    id.name = name;
    return id;
  }

  bool Same(const StreamId& other) const {
    return kind == other.kind &&
           (kind == Kind::kFile ? file.SameFile(other.file)
                                : name.high == other.name.high && name.low == other.name.low);
  }

  Kind kind = Kind::kFile;
  FileIdentity file;  // kFile
  Name name;          // kNamed
};

}  // namespace lss

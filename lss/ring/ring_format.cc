#include "lss/ring/ring_format.h"

#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "lss/base/crc32c.h"

namespace lss {

void StoreStreamId(const StreamId& id, RingHeaderFixed* fixed) {
  const bool is_file = id.kind == StreamId::Kind::kFile;
  fixed->format_version = is_file ? kRingFormatVersion : kNamedRingFormatVersion;
  fixed->stream_kind = static_cast<uint32_t>(id.kind);
  fixed->device = is_file ? id.file.device : id.name.high;
  fixed->inode = is_file ? id.file.inode : id.name.low;
  fixed->birth_time_ns = is_file ? id.file.birth_time_ns : 0;
}

StreamId LoadStreamId(const RingHeaderFixed& fixed) {
  if (fixed.stream_kind == static_cast<uint32_t>(StreamId::Kind::kFile)) {
    return FileIdentity{fixed.device, fixed.inode, fixed.birth_time_ns};
  }
  return StreamId::Named({fixed.device, fixed.inode});
}

void StoreStreamName(const std::string& name, RingStreamName* stored) {
  *stored = {};
  if (name.size() < sizeof(stored->text)) {
    std::memcpy(stored->text, name.data(), name.size());
    stored->length = static_cast<uint32_t>(name.size());
  }
  stored->checksum = Crc32c(0, stored, offsetof(RingStreamName, checksum));
}

std::string LoadStreamName(const RingStreamName& stored) {
  const bool whole = stored.length < sizeof(stored.text) &&
                     stored.checksum == Crc32c(0, &stored, offsetof(RingStreamName, checksum));
  return whole ? std::string(stored.text, stored.length) : std::string();
}

void StoreRingSelf(const FileIdentity& ring, RingSelf* stored) {
  *stored = {ring.device, ring.inode, ring.birth_time_ns, 0, 0};
  stored->checksum = Crc32c(0, stored, offsetof(RingSelf, checksum));
}

FileIdentity LoadRingSelf(const RingSelf& stored) {
  FileIdentity ring;
  if (stored.checksum == Crc32c(0, &stored, offsetof(RingSelf, checksum))) {
    ring.device = stored.device;
    ring.inode = stored.inode;
    ring.birth_time_ns = stored.birth_time_ns;
  }
  return ring;
}

std::string RingFileName(const StreamId& id) {
  char name[64];
  if (id.kind == StreamId::Kind::kFile) {
    std::snprintf(name, sizeof(name), "%016" PRIx64 "%s", id.file.inode, kRingSuffix);
  } else {
    std::snprintf(name, sizeof(name), "%016" PRIx64 "%016" PRIx64 "%s", id.name.high, id.name.low,
                  kRingSuffix);
  }
  return name;
}

}  // namespace lss

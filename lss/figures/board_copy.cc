#include "lss/figures/board_copy.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <thread>

#include "lss/base/clock.h"
#include "lss/base/posix_file.h"

namespace lss {
namespace {

// Streams come and go rarely, and in no time, unless their thread waits for a processor there.
constexpr int kTriesAtOnce = 10;

}  // namespace

BoardCopy::BoardCopy(size_t slots) : slots_(slots), lines_(Bytes(slots) / sizeof(Line)) {}

Status BoardCopy::CheckHeader(const BoardHeader& header, const std::string& name) {
  if (header.magic != BoardHeader::kMagic) {
    return Status::InvalidArgument(name + " does not hold figures of bloom_lfs");
  }
  if (header.version != BoardHeader::kVersion || header.header_bytes != sizeof(BoardHeader) ||
      header.slot_bytes != sizeof(BoardSlot)) {
    return Status::InvalidArgument(
        name + " holds figures of another version of bloom_lfs: " + std::to_string(header.version) +
        ", read here: " + std::to_string(BoardHeader::kVersion) +
        "; use the tool that was installed with the process's plugin");
  }
  return header.slots <= kBoardSlots
             ? Status::Ok()
             : Status::InvalidArgument(name +
                                       " does not hold figures of bloom_lfs: it is to have " +
                                       std::to_string(header.slots) + " slots");
}

Status BoardCopy::ReadHeader(int fd, const std::string& name, BoardCopy* copy) {
  *copy = BoardCopy();
  size_t read = 0;
  Status status = ReadFully(fd, name, 0, Bytes(0), reinterpret_cast<char*>(copy->words()), &read);
  return status.ok() ? CheckHeader(copy->header(), name) : status;
}

Status BoardCopy::ReadOnce(int fd, const std::string& name, BoardCopy* copy) {
  Status status = ReadHeader(fd, name, copy);
  if (!status.ok()) {
    return status;
  }
  size_t read = 0;
  const uint64_t before = copy->header().changes.load(std::memory_order_relaxed);   // our copy
  const uint64_t used = copy->header().slots_used.load(std::memory_order_relaxed);  // our copy
  const size_t slots = std::min<uint64_t>(used, copy->header().slots);
  *copy = BoardCopy(slots);
  status = ReadFully(fd, name, 0, Bytes(slots), reinterpret_cast<char*>(copy->words()), &read);
  if (status.ok() && read < Bytes(slots)) {
    status = Status::InvalidArgument(name + " ends within its figures");
  }
  uint64_t after = 0;
  if (status.ok()) {
    status = ReadFully(fd, name, offsetof(BoardHeader, changes), sizeof(after),
                       reinterpret_cast<char*>(&after), &read);
  }
  copy->is_whole_ = before % 2 == 0 && before == after;  // P52
  return status;
}

Status BoardCopy::Read(int fd, const std::string& name, int64_t until_ns, BoardCopy* copy) {
  Status status = ReadOnce(fd, name, copy);
  for (int tries = 1; status.ok() && !copy->is_whole_ && SteadyNowNs() < until_ns; ++tries) {
    if (tries >= kTriesAtOnce) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    status = ReadOnce(fd, name, copy);
  }
  return status;
}

const BoardHeader& BoardCopy::header() const {
  return *reinterpret_cast<const BoardHeader*>(lines_.data());
}

const BoardSlot* BoardCopy::slot(size_t index) const {
  const auto* const slots = lines_.data() + sizeof(BoardHeader) / sizeof(Line);
  return reinterpret_cast<const BoardSlot*>(slots) + index;
}

void BoardCopy::VisitStreams(const std::function<void(const Stream&)>& visit) const {
  for (size_t i = 0; i < slots_; ++i) {
    const BoardSlot& each = *slot(i);
    if (each.taken.load(std::memory_order_relaxed) == 1 && each.kind < kStreamKinds &&  // our copy
        each.path[BoardSlot::kPathBytes - 1] == '\0') {
      visit({static_cast<StreamKind>(each.kind), each.path, each.figures});
    }
  }
}

std::unique_ptr<StreamFigures> BoardCopy::Total(StreamKind kind) const {
  auto total = std::make_unique<StreamFigures>();
  AddTo(header().gone[static_cast<size_t>(kind)], total.get());
  VisitStreams([&](const Stream& stream) {
    if (stream.kind == kind) {
      AddTo(stream.figures, total.get());
    }
  });
  return total;
}

}  // namespace lss

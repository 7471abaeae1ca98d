// Bytes on their way to a file that somebody else writes, in shared memory that outlives the
// process: what was pushed is not lost when it is killed.
//
//   header (a page)  data (a ring)
//
// What is in it lies behind `base`, which begins anew whenever the queue is empty: so it touches
// little memory as long as it is emptied.
//
// Thread safety: Push by one thread at a time, Front and Pop by one at a time; the two beside each
// other. Memory ordering: P51 in lss/README.md.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "lss/base/fork_guard.h"
#include "lss/base/status.h"
#include "lss/base/types.h"
#include "lss/base/unique_fd.h"
#include "lss/second_place/group_format.h"

namespace lss {

class HandOffQueue {
 public:
  static constexpr uint64_t kCapacity = 64 << 20;

  // Makes the queue of a stream in `directory`, which should be in memory.
  static Status Create(const std::string& directory, const StreamName& stream,
                       std::unique_ptr<HandOffQueue>* result);
  // Removes it; in a forked child only its own mapping of it.
  ~HandOffQueue();
  HandOffQueue(const HandOffQueue&) = delete;
  HandOffQueue& operator=(const HandOffQueue&) = delete;

  // How many of these bytes have been taken: fewer than all if there is no room for more.
  size_t Push(ByteView bytes);
  // The oldest bytes that lie together, at most `most`.
  ByteView Front(size_t most) const;
  // They are where they were to go. REQUIRES: Front has given as many
  void Pop(size_t bytes);

  // Of all that was ever pushed, or popped.
  uint64_t pushed() const;
  uint64_t popped() const;

  // Gives what dead processes of user `owner` have left of streams of `database`, and where in its
  // stream it begins.
  static Status Recover(
      const std::string& directory, const Uuid& database, uint32_t owner,
      const std::function<Status(const StreamName&, uint64_t offset, ByteView)>& visit);
  // Removes them.
  static void Remove(const std::string& directory, const Uuid& database);

 private:
  struct Header;

  HandOffQueue() = default;
  void BeginAnew(uint64_t position);
  bool EnsureMemory(uint64_t end);

  const ForkGuard fork_guard_;
  std::string path_;
  UniqueFd fd_;
  Header* header_ = nullptr;
  char* data_ = nullptr;
  uint64_t allocated_ = 0;  // of the ring: the rest has no memory yet
};

}  // namespace lss

// Forges a ring for somebody else's log, from what stat(2) and the boot id tell any user.
//
//   forger LOG RING_DIRECTORY append|hold
//
// append: the ring claims to hold bytes behind the log's end. hold: it claims to hold them instead
// of the log's, and this process keeps every lock that it can get on it, as a live owner would. The
// bytes are one record, {"balance": "666"}, with a sequence number that wins. Says "planted", then
// stays.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "lss/base/boot_id.h"
#include "lss/base/crc32c.h"
#include "lss/base/file_identity.h"
#include "lss/ring/ring_format.h"
#include "tests/support/wal_builder.h"

namespace {

constexpr uint32_t kBufferBytes = 1 << 20;
constexpr uint32_t kBufferCount = 2;

std::string Batch() {
  const uint64_t sequence = 1000;
  const uint32_t count = 1;
  std::string batch(12, '\0');
  std::memcpy(batch.data(), &sequence, sizeof sequence);
  std::memcpy(batch.data() + 8, &count, sizeof count);
  return batch + '\1' + '\7' + "balance" + '\3' + "666";
}

// The log with one more record; or that record alone.
std::string Content(const std::string& log, bool append) {
  bloom_lfs::test::WalBuilder builder;
  if (append) builder.AddRaw(log);
  return builder.Add(Batch()).bytes();
}

// One page and the buffers behind it.
std::string Ring(const std::string& log_path, const std::string& log, bool append) {
  const std::string content = Content(log, append);
  std::string ring(lss::RingFileBytes(kBufferBytes, kBufferCount), '\0');
  auto* header = reinterpret_cast<lss::RingHeader*>(ring.data());

  lss::FileIdentity identity;
  uint64_t size = 0;
  if (!lss::IdentifyPath(log_path, &identity, &size).ok()) return "";
  lss::StoreStreamId(lss::StreamId(identity), &header->fixed);
  std::memcpy(header->fixed.magic, lss::kRingMagic, sizeof lss::kRingMagic);
  header->fixed.buffer_bytes = kBufferBytes;
  header->fixed.buffer_count = kBufferCount;
  header->fixed.write_mode = 2;
  std::memcpy(header->fixed.boot_id, lss::BootId(), lss::kBootIdBytes);
  header->fixed.owner_pid = static_cast<uint32_t>(getpid());
  header->fixed_checksum = lss::Crc32c(0, &header->fixed, sizeof header->fixed);

  const auto order = std::memory_order_relaxed;  // Relaxed: nobody looks yet
  header->committed.store(content.size(), order);
  header->hi_stable.store(append ? log.size() : 0, order);
  header->durable.store(0, order);
  header->state = static_cast<uint32_t>(lss::RingState::kLive);
  header->sibling_max.store(lss::GuardedWord::kValueMax, order);  // nobody has been here since
  for (lss::GuardedWord& base : header->base) base.store(lss::kNoBase, order);
  header->base[0].store(0, order);
  header->base[1].store(kBufferBytes, order);
  ring.replace(lss::kPageBytes, content.size(), content);
  return ring;
}

std::string Slurp(const std::string& path) {
  std::stringstream all;
  all << std::ifstream(path, std::ios::binary).rdbuf();
  return all.str();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const std::string log = argv[1];
  const std::string directory = argv[2];
  lss::FileIdentity identity;
  uint64_t size = 0;
  if (!lss::IdentifyPath(log, &identity, &size).ok()) return 2;
  (void)mkdir(directory.c_str(), 0755);
  const std::string path = directory + "/" + lss::RingFileName(lss::StreamId(identity));
  const int fd = open(path.c_str(), O_RDWR | O_CREAT, 0644);
  const std::string ring = Ring(log, Slurp(log), std::strcmp(argv[3], "append") == 0);
  if (fd < 0 || write(fd, ring.data(), ring.size()) != static_cast<ssize_t>(ring.size())) return 2;
  if (std::strcmp(argv[3], "hold") == 0) {
    struct flock whole = {};
    whole.l_type = F_WRLCK;
    if (flock(fd, LOCK_EX) != 0 || fcntl(fd, F_SETLK, &whole) != 0) return 2;
  }
  std::printf("planted\n");
  std::fflush(stdout);
  for (;;) pause();
}

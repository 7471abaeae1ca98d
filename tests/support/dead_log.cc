#include "tests/support/dead_log.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>
#include <stdexcept>

#include "lss/base/crc32c.h"
#include "lss/base/posix_file.h"
#include "lss/options.h"
#include "lss/ring/ring_memory.h"
#include "tests/support/files.h"

namespace lss::test {
namespace {

[[noreturn]] void Throw(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

void Require(const Status& status) {
  if (!status.ok()) {
    throw std::runtime_error(status.ToString());
  }
}

}  // namespace

std::string Stream(size_t n, uint32_t seed) {
  std::mt19937 random(seed);
  std::string bytes((n + 3) / 4 * 4, '\0');
  for (size_t at = 0; at < bytes.size(); at += 4) {
    const auto word = static_cast<uint32_t>(random() | 0x01010101U);
    std::memcpy(&bytes[at], &word, sizeof(word));
  }
  bytes.resize(n);
  return bytes;
}

std::string DeadLog::MakeAt(const std::string& path) const {
  bloom_lfs::test::WriteFile(path, File());
  FileIdentity identity;
  uint64_t size = 0;
  Require(IdentifyPath(path, &identity, &size));
  StoreOptions options;
  options.buffer_bytes = buffer_bytes;
  options.buffer_count = buffer_count;
  RingTarget target(identity);
  target.name = BaseNameOf(path);
  std::unique_ptr<RingMemory> ring;
  Require(RingMemory::Create(DirectoryOf(path) + "/" + kRingDirectoryName, target, options, &ring));
  ring->NoteSibling(sibling_max);
  RingHeader* header = ring->header();
  uint32_t index = 0;
  for (Address base = 0; base == 0 || base < stream.size(); base += buffer_bytes) {
    header->base[index].store(base, std::memory_order_relaxed);
    const std::string part = stream.substr(base, buffer_bytes);
    std::memcpy(ring->buffer(index), part.data(), part.size());
    index = (index + 1) % buffer_count;
  }
  header->committed.store(Committed(), std::memory_order_relaxed);
  header->hi_stable.store(hi_stable, std::memory_order_relaxed);
  header->durable.store(durable, std::memory_order_relaxed);
  header->state.store(static_cast<uint32_t>(state));
  if (!original) {
    header->self = {};
  }
  return ring->path();
}

void EditRing(const std::string& ring_path, const std::function<void(RingHeader*)>& edit) {
  const UniqueFd fd(open(ring_path.c_str(), O_RDWR | O_CLOEXEC));
  void* page = fd.valid()
                   ? mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0)
                   : MAP_FAILED;
  if (page == MAP_FAILED) {
    Throw("map " + ring_path);
  }
  edit(static_cast<RingHeader*>(page));
  munmap(page, kPageBytes);
}

void RewriteRing(const std::string& ring_path, const std::function<void(RingHeaderFixed*)>& edit) {
  EditRing(ring_path, [&](RingHeader* header) {
    edit(&header->fixed);
    header->fixed_checksum = Crc32c(0, &header->fixed, sizeof(header->fixed));
  });
}

void RestartMachine(const std::string& ring_path) {
  RewriteRing(ring_path, [](RingHeaderFixed* fixed) { fixed->boot_id[0] ^= 0xff; });
}

Reading ReadLog(const std::string& path, const std::string& ring_path,
                const RecoveryContext& context) {
  Reading reading;
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) {
    Throw("open " + path);
  }
  ResolvedTail tail;
  reading.status = ResolveTail(fd.get(), path, ring_path, context, &tail);
  reading.ring_case = tail.ring_case;
  if (!reading.status.ok()) {
    return reading;
  }
  if (tail.ring != nullptr) {
    // In pieces, as readers do: a damaged watermark must not make us allocate what it says.
    const RingPart part =
        tail.growing ? RingPart{tail.ring->hi_stable(), tail.ring->committed()} : tail.part;
    const Address end = part.end;
    char piece[32768];
    size_t read = 1;
    while (reading.status.ok() && read > 0 && reading.bytes.size() < end) {
      reading.status =
          ReadMerged(fd.get(), *tail.ring, part, reading.bytes.size(), sizeof(piece), piece, &read);
      reading.bytes.append(piece, read);
    }
  } else {
    reading.bytes = bloom_lfs::test::ReadFile(path).substr(0, tail.size);
  }
  return reading;
}

RingCase CaseOf(const RingView& ring) {
  RingFacts facts = FactsOfRing(ring, ring.identity().access);
  facts.target = TargetFound::kSame;
  return Judge(facts);
}

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

std::vector<std::string> Names(const std::string& directory) {
  std::vector<std::string> names;
  if (!ListDirectory(directory, &names).ok()) {
    Throw("list " + directory);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace lss::test

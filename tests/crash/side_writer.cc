#include "tests/crash/side_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "lss/base/unique_fd.h"
#include "lss/second_place/side_scan.h"

namespace lss::test {
namespace {

constexpr uint64_t kBytes = 10 << 20;
const Uuid kDatabase = {7, 7, 7};

void Require(const Status& status) {
  if (!status.ok()) {
    throw std::runtime_error(status.ToString());
  }
}

Status OpenPlace(const std::string& directory, HeldSideSpace* held) {
  const char* const name = "/the/database";
  Status status = OpenSideSpace(directory, name, kBytes, nullptr, {}, held);
  if (status.ok() && held->space->labels()->All().empty()) {
    status = held->space->labels()->Set(kDatabase, name);
  }
  return status;
}

std::string BytesOf(uint64_t stream, Address begin, size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) {
    const uint64_t mixed = ((stream << 40) + begin + i) * 0x9e3779b97f4a7c15ULL;
    bytes[i] = static_cast<char>(mixed >> 56 | 1);
  }
  return bytes;
}

}  // namespace

SideProgressFile::SideProgressFile(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  void* memory = MAP_FAILED;
  if (fd.valid() && truncate(path.c_str(), sizeof(SideProgress)) == 0) {
    memory = mmap(nullptr, sizeof(SideProgress), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  }
  if (memory == MAP_FAILED) {
    throw std::runtime_error(path + ": " + std::strerror(errno));
  }
  progress_ = static_cast<SideProgress*>(memory);
}

SideProgressFile::~SideProgressFile() { munmap(progress_, sizeof(SideProgress)); }

Address SideFound::CoveredFrom(uint64_t stream, Address begin) const {
  const auto own = ranges.find(stream);
  auto sorted = own == ranges.end() ? std::vector<std::pair<Address, Address>>() : own->second;
  std::sort(sorted.begin(), sorted.end());
  for (const auto& [first, last] : sorted) {
    begin = first <= begin ? std::max(begin, last) : begin;
  }
  return begin;
}

SideWriter::SideWriter(const std::string& directory, SideProgress* progress, uint64_t in_flight)
    : progress_(progress) {
  for (uint64_t i = 0; i < SideProgress::kStreams; ++i) {
    ends_[i] = std::max(progress->streams[i].acknowledged, progress->streams[i].given_up);
  }
  Open(directory, in_flight);
}

void SideWriter::Open(const std::string& directory, uint64_t in_flight) {
  Require(OpenPlace(directory, &held_));
  SideScan scan;
  LiveRecords wanted;
  Require(ScanSideLog(
      *held_.space,
      [&](const SideRecord& record, uint64_t lsn) {
        Take(record);
        wanted.Add(record.stream, record.offset + record.bytes.size, lsn);
      },
      &scan));
  Require(SideLog::Open(std::move(held_.space), scan.end, std::move(wanted), in_flight, &log_));
}

void SideWriter::Take(const SideRecord& record) {
  const uint64_t stream = record.stream.number;
  const Address end = record.offset + record.bytes.size;
  const std::string bytes(record.bytes.data, record.bytes.size);
  if (record.stream.database != kDatabase || stream >= SideProgress::kStreams ||
      end > progress_->streams[stream].attempted ||
      bytes != BytesOf(stream, record.offset, bytes.size())) {
    found_.wrong += "stream " + std::to_string(stream) + " [" + std::to_string(record.offset) +
                    ", " + std::to_string(end) + ")\n";
  }
  found_.ranges[stream].emplace_back(record.offset, end);
  ++found_.records;
}

uint64_t SideWriter::Append(uint64_t stream, size_t size, Address* end) {
  const std::string bytes = BytesOf(stream, ends_[stream], size);
  const SideRecord record = {{kDatabase, stream, 0}, ends_[stream], {bytes.data(), size}};
  ends_[stream] += size;
  std::atomic<uint64_t>& attempted = progress_->streams[stream].attempted;
  attempted = std::max<uint64_t>(attempted, ends_[stream]);
  uint64_t group = 0;
  Require(log_->Append(record, &group));
  if (end != nullptr) {
    *end = ends_[stream];
  }
  return group;
}

void SideWriter::Put(uint64_t stream, size_t size) {
  Address end = 0;
  const uint64_t group = Append(stream, size, &end);
  Require(log_->Sync(group));
  progress_->streams[stream].acknowledged = end;
}

void SideWriter::FileDurable(uint64_t stream) {
  const Address end = progress_->streams[stream].acknowledged;
  progress_->streams[stream].given_up = end;
  log_->FileDurable({kDatabase, stream, 0}, end);
}

void SideWriter::Forget(uint64_t stream) {
  progress_->streams[stream].given_up = ends_[stream];
  log_->Forget({kDatabase, stream, 0});
}

void CheckFound(const SideFound& found, const SideProgress& progress) {
  EXPECT_EQ(found.wrong, "");
  for (uint64_t i = 0; i < SideProgress::kStreams; ++i) {
    const SideProgress::Stream& stream = progress.streams[i];
    EXPECT_GE(found.CoveredFrom(i, stream.given_up), stream.acknowledged) << "stream " << i;
  }
}

}  // namespace lss::test

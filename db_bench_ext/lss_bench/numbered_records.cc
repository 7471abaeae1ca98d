#include "db_bench_ext/lss_bench/numbered_records.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "lss/base/crc32c.h"

namespace bloom_lfs::bench {
namespace {

struct Header {
  uint32_t checksum;  // of what is behind it
  uint32_t length;
  uint64_t number;
};
static_assert(sizeof(Header) == 16, "the record has no implicit padding");

constexpr uint64_t kRecordsPerRead = 8192;

uint32_t ChecksumOf(const char* record) {
  return lss::Crc32c(0, record + sizeof(uint32_t), kNumberedRecordBytes - sizeof(uint32_t));
}

}  // namespace

std::string NumberedRecord(uint64_t number) {
  std::string record(kNumberedRecordBytes, static_cast<char>('a' + number % 26));
  Header header = {0, kNumberedRecordBytes, number};
  std::memcpy(record.data(), &header, sizeof(header));
  header.checksum = ChecksumOf(record.data());
  std::memcpy(record.data(), &header, sizeof(header));
  return record;
}

// A record's place follows from its number, so that every number is the very next one, and bytes of
// another lap never count: more than any rule asks for.
lss::Status ScanNumbered(const lss::StreamReader& read, const std::string& /*name*/,
                         lss::Address size, const lss::ScanRule& /*rule*/, lss::ScannedTail* tail) {
  *tail = {};
  tail->known = true;
  tail->description = "numbered records";
  std::vector<char> bytes(kRecordsPerRead * kNumberedRecordBytes);
  bool reads = true;
  while (reads && tail->end < size) {
    size_t got = 0;
    const size_t wanted = std::min<uint64_t>(bytes.size(), size - tail->end);
    if (lss::Status status = read(tail->end, wanted, bytes.data(), &got); !status.ok()) {
      return status;
    }
    reads = got >= kNumberedRecordBytes;
    for (size_t at = 0; reads && at + kNumberedRecordBytes <= got; at += kNumberedRecordBytes) {
      Header header;
      std::memcpy(&header, bytes.data() + at, sizeof(header));
      reads = header.number == tail->end / kNumberedRecordBytes + 1 &&
              header.checksum == ChecksumOf(bytes.data() + at);
      if (reads) {
        tail->end += kNumberedRecordBytes;
        tail->last_number = header.number;
      }
    }
  }
  tail->whole = tail->end + kNumberedRecordBytes > size;
  if (tail->end < size) {
    tail->stop = tail->end;
    tail->stop_end = tail->end + kNumberedRecordBytes;
  }
  return lss::Status::Ok();
}

}  // namespace bloom_lfs::bench

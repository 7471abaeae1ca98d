// A record log that goes round and round in a part of a device.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "lss/pages/circular_device.h"
#include "lss/record_log.h"

namespace lss::test {

// Writes eleven records of a MiB, "aaa...", "bbb..." and so on, into [1 MiB, 5 MiB) of `device`,
// from the third MiB of that on.
inline void WriteElevenRound(const std::shared_ptr<Device>& device,
                             const std::string& ring_directory, bool use_io_uring) {
  constexpr uint64_t kMiB = 1 << 20;
  Runtime runtime;
  StoreOptions options;
  options.write_mode = WriteMode::kTailLocalizedWrites;
  options.buffer_bytes = kMiB;
  options.buffer_count = 4;
  options.allocate_ahead = false;
  options.use_io_uring = use_io_uring;
  options.ring_directory = ring_directory;
  std::shared_ptr<RecordLog> log;
  const Status status = RecordLog::Open(
      &runtime, std::make_unique<CircularDevice>(device, LogArea{kMiB, 4 * kMiB}, 2 * kMiB),
      options, &log);
  ASSERT_TRUE(status.ok()) << status.ToString();
  for (uint64_t i = 0; i < 11; ++i) {
    Reservation reservation;
    ASSERT_TRUE(log->Reserve(kMiB, &reservation).ok());
    ASSERT_EQ(reservation.address(), i * kMiB);
    ASSERT_TRUE(
        reservation
            .WriteBy([&](char* bytes) { std::fill_n(bytes, kMiB, static_cast<char>('a' + i)); })
            .ok());
  }
  ASSERT_TRUE(log->Close().ok());
  log.reset();
  runtime.Stop();
}

// What `content`, six MiB, is then: the last four records, and nothing around them.
inline void ExpectLastFourOfEleven(const std::string& content) {
  constexpr uint64_t kMiB = 1 << 20;
  ASSERT_EQ(content.size(), 6 * kMiB);
  for (uint64_t i = 7; i < 11; ++i) {
    EXPECT_EQ(content.substr(kMiB + (i + 2) % 4 * kMiB, kMiB),
              std::string(kMiB, static_cast<char>('a' + i)))
        << i;
  }
  EXPECT_EQ(content.substr(0, kMiB), std::string(kMiB, '\0'));
  EXPECT_EQ(content.substr(5 * kMiB), std::string(kMiB, '\0'));
}

}  // namespace lss::test

// A log without an end on a part of a file.
#include "lss/pages/circular_device.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <string>

#include "lss/record_log.h"
#include "tests/support/circular_record_log.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

constexpr uint64_t kMiB = 1 << 20;

class CircularDeviceTest : public testing::Test {
 protected:
  CircularDeviceTest() {
    UniqueFd fd(open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    file_ = std::make_shared<FileDevice>(std::move(fd), path_, nullptr);
    EXPECT_TRUE(file_->Allocate(0, 6 * kMiB).ok());
    EXPECT_TRUE(file_->SetSize(6 * kMiB).ok());
  }
  std::string FileAt(uint64_t offset, size_t length) {
    return bloom_lfs::test::ReadFile(path_).substr(offset, length);
  }

  bloom_lfs::test::TempDir directory_;
  const std::string path_ = directory_ / "file";
  std::shared_ptr<FileDevice> file_;
};

TEST_F(CircularDeviceTest, WritesAndReadsAcrossTheEndOfItsPart) {
  CircularDevice device(file_, {2 * kMiB, 3 * kMiB}, 7 * kMiB);  // address 0 is at 1 MiB of it
  StreamId id;
  uint64_t size = 1;
  ASSERT_TRUE(device.Identify(&id, &size).ok());
  EXPECT_EQ(size, 0U);
  std::string bytes;
  for (const char letter : {'a', 'b', 'c'}) {
    bytes += std::string(kMiB, letter);
  }
  ASSERT_TRUE(device
                  .Write({{bytes.data(), kMiB / 2}, {bytes.data() + kMiB / 2, 5 * kMiB / 2}}, 0,
                         WriteKind::kPlain)
                  .ok());
  EXPECT_EQ(FileAt(3 * kMiB, kMiB), std::string(kMiB, 'a'));
  EXPECT_EQ(FileAt(4 * kMiB, kMiB), std::string(kMiB, 'b'));
  EXPECT_EQ(FileAt(2 * kMiB, kMiB), std::string(kMiB, 'c'));
  EXPECT_EQ(FileAt(0, 2 * kMiB), std::string(2 * kMiB, '\0'));
  EXPECT_EQ(FileAt(5 * kMiB, kMiB), std::string(kMiB, '\0'));
  std::string read(3 * kMiB, '?');
  size_t got = 0;
  ASSERT_TRUE(device.Read(0, read.size(), read.data(), &got).ok());
  EXPECT_EQ(got, read.size());
  EXPECT_EQ(read, bytes);
}

TEST_F(CircularDeviceTest, CarriesARecordLogRoundAndRound) {
  for (const bool use_io_uring : {true, false}) {
    test::WriteElevenRound(file_, directory_ / "ring", use_io_uring);
    test::ExpectLastFourOfEleven(bloom_lfs::test::ReadFile(path_));
  }
}

}  // namespace
}  // namespace lss

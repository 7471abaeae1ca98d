// Logs that somebody has written to, and logs that were merely opened.
#include "plugin/log_beginning.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/files.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wal_builder.h"

namespace bloom_lfs {
namespace {

using test::WalBuilder;

class LogBeginningTest : public testing::Test {
 protected:
  bool MayHold(const std::string& bytes) {
    test::WriteFile(log_, bytes);
    return MayHoldRows(log_);
  }
  test::TempDir dir_;
  const std::string log_ = dir_ / "000010.log";
};

TEST_F(LogBeginningTest, ALogThatWasMerelyOpenedHoldsNone) {
  EXPECT_FALSE(MayHold(""));
  EXPECT_FALSE(MayHold(std::string(70000, '\0'))) << "allocated in advance";
  EXPECT_FALSE(MayHold(WalBuilder().AddCompressionType().bytes()));
  EXPECT_FALSE(MayHold(WalBuilder().AddMetadata(130, std::string(24, 'p')).bytes()));
  EXPECT_FALSE(MayHold(WalBuilder().AddCompressionType().AddRaw(std::string(4096, '\0')).bytes()));
}

TEST_F(LogBeginningTest, OneThatWasWrittenToMay) {
  EXPECT_TRUE(MayHold(WalBuilder().AddBatch(17, 1, "a row").bytes()));
  EXPECT_EQ(ScanLogBeginning(log_).first_sequence, 17U);
  EXPECT_TRUE(MayHold(WalBuilder().AddCompressionType().Add("not to be read").bytes()));
  const std::string large = WalBuilder().AddBatch(18, 1, std::string(3 << 20, 'v')).bytes();
  EXPECT_TRUE(MayHold(large)) << "longer than what is looked at";
  EXPECT_TRUE(MayHold(large.substr(0, 20))) << "torn";
  EXPECT_TRUE(MayHold("encrypted, perhaps"));
}

TEST_F(LogBeginningTest, OneThatCannotBeReadMay) { EXPECT_TRUE(MayHoldRows(dir_ / "000011.log")); }

}  // namespace
}  // namespace bloom_lfs

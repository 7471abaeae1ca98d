#include "plugin/shown_file.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "lss/dense_stream.h"
#include "plugin/default_runtime.h"
#include "tests/support/dead_log.h"
#include "tests/support/deferred_work.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs {
namespace {

using lss::test::Stream;
using test::ReadFile;

class ShownFileTest : public testing::Test {
 protected:
  ShownFileTest() {
    lss::StoreOptions options;
    options.idle_flush_ms = 60000;
    options.frontier_bytes = 0;
    const lss::Status status = lss::DenseStream::Open(DefaultRuntime(log_), log_, options,
                                                      lss::OpenMode::kTruncate, &store_);
    EXPECT_TRUE(status.ok()) << status.ToString();
  }
  ~ShownFileTest() override {
    EXPECT_TRUE(store_->Close().ok());
    test::AwaitDeferredWork();
  }
  void Append(size_t n) {
    const std::string bytes = Stream(n);
    ASSERT_TRUE(store_->Append({bytes.data(), bytes.size()}).ok());
    expected_ += bytes;
  }
  void MakeHot() {
    for (int i = 0; i < 4; ++i) {
      Append(100);
      ASSERT_TRUE(store_->Sync().ok());
      test::AwaitDeferredWork();
    }
    ASSERT_TRUE(store_->pace().hot);
  }
  bool FileBeginsWithAll() const {
    return ReadFile(log_).compare(0, expected_.size(), expected_) == 0;
  }

  test::TempDir dir_;
  const std::string log_ = dir_ / "000007.log";
  std::string expected_;
  std::shared_ptr<lss::DenseStream> store_;
  ShownFile shown_;
};

TEST_F(ShownFileTest, AColdLogIsExactEachTime) {
  for (int i = 0; i < 3; ++i) {
    Append(1000);
    ASSERT_TRUE(shown_.Show(store_.get(), /*now_ms=*/i).ok());
    EXPECT_EQ(ReadFile(log_), expected_);
  }
  EXPECT_EQ(store_->durable(), 0U);
}

TEST_F(ShownFileTest, AHotLogEndsWhereItsBytesEnd) {
  MakeHot();
  Append(1000);
  ASSERT_GT(ReadFile(log_).size(), expected_.size()) << "zeros behind the tail";
  ASSERT_TRUE(shown_.Show(store_.get(), 5000).ok());
  EXPECT_EQ(ReadFile(log_), expected_);
  Append(1000);
  ASSERT_TRUE(shown_.Show(store_.get(), 6000).ok());
  EXPECT_EQ(ReadFile(log_), expected_);
}

// Zeroed space ahead of a stream that syncs is not thrown away as often as somebody asks.
TEST_F(ShownFileTest, WhoAsksAgainAndAgainGetsTheBytesAndPerhapsZerosBehind) {
  MakeHot();
  ASSERT_TRUE(shown_.Show(store_.get(), 5000).ok());
  for (int64_t now_ms = 5010; now_ms < 8000; now_ms += 500) {
    Append(1000);
    ASSERT_TRUE(shown_.Show(store_.get(), now_ms).ok());
    EXPECT_TRUE(FileBeginsWithAll());
    EXPECT_GT(ReadFile(log_).size(), expected_.size()) << "cut at " << now_ms;
  }
  ASSERT_TRUE(shown_.Show(store_.get(), 9000).ok());
  EXPECT_EQ(ReadFile(log_), expected_) << "a second after the last time";
}

TEST_F(ShownFileTest, NothingIsWrittenThatIsThereAlready) {
  MakeHot();
  ASSERT_TRUE(shown_.Show(store_.get(), 5000).ok());
  const lss::Address stable = store_->hi_stable();
  ASSERT_TRUE(shown_.Show(store_.get(), 5001).ok());
  EXPECT_EQ(store_->hi_stable(), stable);
  EXPECT_EQ(ReadFile(log_), expected_);
}

TEST_F(ShownFileTest, AClosedLogIsInItsFileAlready) {
  Append(1000);
  ASSERT_TRUE(store_->Close().ok());
  EXPECT_TRUE(shown_.Show(store_.get(), 5000).ok());
  EXPECT_EQ(ReadFile(log_), expected_);
}

}  // namespace
}  // namespace bloom_lfs

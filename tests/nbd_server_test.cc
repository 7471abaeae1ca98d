#include "db_bench_ext/nbd_server.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>

#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs::bench {
namespace {

constexpr uint64_t kBytes = uint64_t{1} << 20;

class NbdServerTest : public testing::Test {
 protected:
  const test::TempDir directory_;
  const SignalsAsResults signals_;
  const std::string file_ = directory_ / "image";
};

TEST_F(NbdServerTest, ServesAFileOfThatSizeAndKnowsWhetherItWasWritten) {
  if (!RunToEnd({{"nbdkit", "--version"}, "", ""}, std::chrono::seconds(20)).ok()) {
    GTEST_SKIP() << "nbdkit is not installed (Debian: nbdkit)";
  }
  const Result<NbdServer> server = NbdServer::Start("nbdkit", file_, kBytes);
  ASSERT_TRUE(server.ok()) << server.error().message;
  EXPECT_EQ(server.value().uri().rfind("nbd://127.0.0.1:", 0), 0U) << server.value().uri();
  EXPECT_EQ(std::filesystem::file_size(file_), kBytes);
  const Failure failure = server.value().CheckItWasWritten();
  ASSERT_TRUE(failure.has_value());
  EXPECT_NE(failure->message.find(server.value().uri()), std::string::npos) << failure->message;
  test::WriteFile(file_, std::string(8192, 'x'));
  EXPECT_FALSE(server.value().CheckItWasWritten().has_value());
}

TEST_F(NbdServerTest, AServerThatEndsAtOnceIsAnErrorWithItsLastWords) {
  const Result<NbdServer> server = NbdServer::Start("false", file_, kBytes);
  ASSERT_FALSE(server.ok());
  EXPECT_NE(server.error().message.find("nbdkit ended"), std::string::npos)
      << server.error().message;
}

TEST_F(NbdServerTest, AMissingServerIsAnErrorThatNamesIt) {
  const Result<NbdServer> server = NbdServer::Start("there_is_no_nbdkit", file_, kBytes);
  ASSERT_FALSE(server.ok());
  EXPECT_NE(server.error().message.find("there_is_no_nbdkit"), std::string::npos);
}

}  // namespace
}  // namespace bloom_lfs::bench

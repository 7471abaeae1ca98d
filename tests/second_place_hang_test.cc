// A second place that hangs while it is opened: its server is stopped, and goes on later.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "plugin/second/second_place.h"
#include "tests/support/files.h"
#include "tests/support/nbd_server.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs {
namespace {

using lss::Status;
using lss::test::NbdServer;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr milliseconds kPatience(1500);
constexpr auto kEver = std::chrono::hours(1);

class SecondPlaceHangTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = lss::test::WhyNoNbdServer(); !why.empty()) {
      GTEST_SKIP() << why;
    }
    test::WriteFile(file_, "");
    std::filesystem::resize_file(file_, 16 << 20);
    server_ = std::make_unique<NbdServer>(std::vector<std::string>{"file", file_});
  }
  Status Open(uint8_t database, milliseconds patience, SecondPlace::Opened* opened) {
    SecondPlace::Wish wish;
    wish.place = server_->uri();
    wish.database.fill(database);
    wish.directory = "/db" + std::to_string(database);
    wish.bytes = 8 << 20;
    wish.patience = patience;
    return SecondPlace::Open(wish, opened);
  }
  std::vector<std::string> Labels(const SecondPlace& place) {
    std::vector<std::string> words;
    for (const auto& [database, directory] : place.log()->space().labels()->All()) {
      words.push_back(directory);
    }
    return words;
  }

  test::TempDir dir_;
  const std::string file_ = dir_ / "export";
  std::unique_ptr<NbdServer> server_;
};

TEST_F(SecondPlaceHangTest, IsNotWaitedForLongerThanThat) {
  server_->Signal(SIGSTOP);
  SecondPlace::Opened opened;
  const auto begin = steady_clock::now();
  const Status status = Open(1, kPatience, &opened);
  EXPECT_EQ(status.code(), Status::Code::kIoError);
  EXPECT_NE(status.message().find(server_->uri()), std::string::npos) << status.message();
  EXPECT_EQ(opened.place, nullptr);
  EXPECT_GE(steady_clock::now() - begin, kPatience);
  server_->Signal(SIGCONT);
}

// A thread hangs there already: a second one would only be one more.
TEST_F(SecondPlaceHangTest, WhoComesLaterIsToldAtOnce) {
  server_->Signal(SIGSTOP);
  SecondPlace::Opened opened;
  EXPECT_FALSE(Open(1, kPatience, &opened).ok());
  const auto begin = steady_clock::now();
  for (int i = 0; i < 50; ++i) {
    EXPECT_FALSE(Open(2, kPatience, &opened).ok());
    EXPECT_FALSE(SecondPlace::Look(
        server_->uri(), {}, kPatience,
        [](const std::shared_ptr<SecondPlace>&, const lss::PlaceCaller&) { ADD_FAILURE(); }));
  }
  EXPECT_LT(steady_clock::now() - begin, 50 * kPatience);
  server_->Signal(SIGCONT);
}

TEST_F(SecondPlaceHangTest, WhatOpensTooLateLeavesNoTrace) {
  {
    SecondPlace::Opened opened;
    ASSERT_TRUE(Open(1, kEver, &opened).ok());
    EXPECT_EQ(Labels(*opened.place), std::vector<std::string>{"/db1"});
  }
  server_->Signal(SIGSTOP);
  SecondPlace::Opened late;
  EXPECT_FALSE(Open(2, kPatience, &late).ok());
  server_->Signal(SIGCONT);
  SecondPlace::Opened opened;
  Status status;
  // Refused as long as the one before hangs, or breaks its connection off.
  for (int tries = 0; tries < 600; ++tries) {
    status = Open(3, seconds(60), &opened);
    if (status.ok()) {
      break;
    }
    std::this_thread::sleep_for(milliseconds(100));
  }
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(Labels(*opened.place), (std::vector<std::string>{"/db1", "/db3"}));
}

// It is another process's by now, for all that we know.
TEST_F(SecondPlaceHangTest, WhoHasGivenUpTakesNothingOver) {
  uint64_t epoch = 0;
  {
    SecondPlace::Opened opened;
    ASSERT_TRUE(Open(1, kEver, &opened).ok());
    epoch = opened.place->log()->space().superblock().epoch;
  }
  server_->Signal(SIGSTOP);
  SecondPlace::Opened late;
  EXPECT_FALSE(Open(2, kPatience, &late).ok());
  server_->Signal(SIGCONT);
  // Its turn has come and gone when the place is asked of.
  bool is_asked = false;
  for (int tries = 0; tries < 600 && !is_asked; ++tries) {
    is_asked = SecondPlace::Look(server_->uri(), {}, seconds(60),
                                 [](const std::shared_ptr<SecondPlace>& open,
                                    const lss::PlaceCaller&) { EXPECT_EQ(open, nullptr); });
    std::this_thread::sleep_for(milliseconds(100));
  }
  ASSERT_TRUE(is_asked);
  SecondPlace::Opened opened;
  ASSERT_TRUE(Open(3, kEver, &opened).ok());
  EXPECT_EQ(opened.place->log()->space().superblock().epoch, epoch + 1);
}

}  // namespace
}  // namespace bloom_lfs

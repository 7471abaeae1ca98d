// Power cuts around and inside every write of a side log's superblocks: when it is made, when it is
// taken over, when its head moves. What is left is a log with all that was acknowledged and is
// wanted, and it can be taken over and written.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/crash/watched_device.h"
#include "tests/support/side_log_fixture.h"

namespace lss::test {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kCutOnceEach = true;  // each takes its time
#else
constexpr bool kCutOnceEach = false;
#endif

class SideLogPowerCutTest : public SideLogFixture {
 protected:
  static constexpr uint64_t kSmallGroup = 4096;
  static constexpr uint64_t kSmallGroups = 100;
  static constexpr Uuid kFirst = {1};
  static constexpr Uuid kSecond = {2};
  static constexpr uint64_t kAfterwards = 1000;  // a stream

  // Stream and offset; bytes.
  using Records = std::map<std::pair<uint64_t, Address>, std::string>;

  void FormatAs(const Uuid& place) {
    std::unique_ptr<SideSpace> space;
    const Status status =
        SideSpace::Format(std::make_unique<BorrowedDevice>(&disk_), place,
                          kSuperblocksBytes + kSmallGroups * kSmallGroup, kSmallGroup, &space);
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  void TakeOver() {
    log_.reset();
    ASSERT_NO_FATAL_FAILURE(TakeOverLogOn(&disk_, 1, &log_));
  }
  void PutWanted(uint64_t stream, Address offset, const std::string& bytes) {
    attempted_[{stream, offset}] = bytes;
    const Status status = Put(stream, offset, bytes);
    ASSERT_TRUE(status.ok()) << status.ToString();
    wanted_[{stream, offset}] = bytes;
  }
  // The stream's file has all before `end`, where a record begins.
  void GiveUp(uint64_t stream, Address end) {
    wanted_.erase(wanted_.lower_bound({stream, 0}), wanted_.lower_bound({stream, end}));
    log_->FileDurable(StreamNumber(stream), end);
  }

  // From now on the power fails at every call: `look` gets what is left.
  void CutEverywhere(std::function<void(MemoryDevice*)> look) { look_ = std::move(look); }
  void CutNoMore() { look_ = nullptr; }

  // What is left has all that is wanted, and serves.
  void ExpectServes(MemoryDevice* left) {
    ExpectWanted(Scan(left, &scan_));
    std::unique_ptr<SideLog> log;
    ASSERT_NO_FATAL_FAILURE(TakeOverLogOn(left, 1, &log));
    ExpectWanted(Scan(left, &scan_));
    uint64_t group = 0;
    ASSERT_TRUE(log->Append({StreamNumber(kAfterwards), 0, {"afterwards", 10}}, &group).ok());
    ASSERT_TRUE(log->Sync(group).ok());
    std::vector<Found> found = Scan(left, &scan_);
    ASSERT_FALSE(found.empty());
    EXPECT_EQ(found.back().bytes, "afterwards");
    found.pop_back();
    ExpectWanted(found);
  }
  void ExpectWanted(const std::vector<Found>& found) {
    Records records;
    for (const Found& each : found) {
      const auto right = attempted_.find({each.stream.number, each.offset});
      EXPECT_TRUE(right != attempted_.end() && right->second == each.bytes) << each.offset;
      records[{each.stream.number, each.offset}] = each.bytes;
    }
    for (const auto& [name, bytes] : wanted_) {
      EXPECT_EQ(records.count(name), 1U) << "stream " << name.first << " at " << name.second;
    }
  }

  uint64_t cuts_ = 0;

 private:
  void Look() {
    if (look_ == nullptr || HasFailure()) {
      return;
    }
    constexpr Survivors kSurvivors[] = {Survivors::kRandomSubset, Survivors::kSyncedOnly,
                                        Survivors::kRandomSubset, Survivors::kEverything};
    do {
      SCOPED_TRACE("cut " + std::to_string(++cuts_));
      const std::string content = disk_.disk().PowerCut(kSurvivors[cuts_ % 4], cuts_);
      MemoryDevice left;
      ASSERT_TRUE(
          left.Write({{const_cast<char*>(content.data()), content.size()}}, 0, WriteKind::kPlain)
              .ok());
      look_(&left);
    } while (!kCutOnceEach && cuts_ % 4 != 0);
  }

  WatchedDevice disk_{[this] { Look(); }};
  std::function<void(MemoryDevice*)> look_;
  Records attempted_;
  Records wanted_;  // acknowledged and not given up
  SideScan scan_;
};

TEST_F(SideLogPowerCutTest, ANewLogIsThereAsAWholeOrNotAtAll) {
  int none = 0;
  CutEverywhere([&](MemoryDevice* left) {
    std::unique_ptr<SideSpace> space;
    const Status status = SideSpace::Open(std::make_unique<BorrowedDevice>(left), &space);
    if (!status.ok()) {
      EXPECT_EQ(status.code(), Status::Code::kCorruption) << status.ToString();
      ++none;
      return;
    }
    EXPECT_EQ(space->place(), kFirst);
    EXPECT_EQ(space->log_bytes(), kSmallGroups * kSmallGroup);
    ExpectServes(left);
  });
  FormatAs(kFirst);
  const int none_while_made = none;
  EXPECT_GT(none_while_made, 0);
  TakeOver();
  EXPECT_EQ(none, none_while_made) << "it was made by then";
}

TEST_F(SideLogPowerCutTest, ALogInTheRoomOfAnotherIsNeverAMixture) {
  FormatAs(kFirst);
  TakeOver();
  PutWanted(1, 0, std::string(3900, 'o'));
  log_.reset();
  std::set<std::string> seen;
  CutEverywhere([&](MemoryDevice* left) {
    std::unique_ptr<SideSpace> space;
    if (!SideSpace::Open(std::make_unique<BorrowedDevice>(left), &space).ok()) {
      seen.insert("none");
    } else if (space->place() == kFirst) {
      seen.insert("the older");
      ExpectServes(left);
    } else {
      seen.insert("the newer");
      SideScan scan;
      EXPECT_TRUE(Scan(left, &scan).empty());
    }
  });
  FormatAs(kSecond);
  EXPECT_EQ(seen, (std::set<std::string>{"none", "the newer", "the older"}));
}

TEST_F(SideLogPowerCutTest, WhileItIsTakenOverNothingIsLost) {
  FormatAs(kFirst);
  TakeOver();
  CutEverywhere([&](MemoryDevice* left) { ExpectServes(left); });
  for (uint64_t life = 0; life < 4; ++life) {
    ASSERT_NO_FATAL_FAILURE(
        PutWanted(1, life * 3900, std::string(3900, static_cast<char>('a' + life))));
    ASSERT_NO_FATAL_FAILURE(PutWanted(2, life, std::string(1, static_cast<char>('a' + life))));
    ASSERT_NO_FATAL_FAILURE(TakeOver());
  }
  EXPECT_GT(cuts_, kCutOnceEach ? 50U : 200U);
}

TEST_F(SideLogPowerCutTest, WhileTheHeadMovesNothingThatIsWantedIsLost) {
  FormatAs(kFirst);
  TakeOver();
  constexpr uint64_t kBytes = 3900;
  constexpr uint64_t kRecords = 130;  // more than once round
  for (uint64_t i = 0; i < kRecords; ++i) {
    const bool moves = i % 10 == 9;
    if (moves) {
      CutEverywhere([&](MemoryDevice* left) { ExpectServes(left); });
    }
    ASSERT_NO_FATAL_FAILURE(
        PutWanted(1, i * kBytes, std::string(kBytes, static_cast<char>('a' + i % 26))));
    if (moves) {
      GiveUp(1, (i - 2) * kBytes);
      log_->NoteHead();
      CutNoMore();
    }
  }
  GiveUp(1, kRecords * kBytes);
  log_->NoteHead();
  EXPECT_EQ(log_->RoomUsed(), 0U);
  EXPECT_GT(cuts_, kCutOnceEach ? 50U : 200U);
}

}  // namespace
}  // namespace lss::test

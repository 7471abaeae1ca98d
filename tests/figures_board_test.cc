// The board: figures of streams that come and go, seen from outside while they change.
#include "lss/figures/figures_board.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <climits>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "lss/base/clock.h"
#include "lss/base/posix_file.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

struct Seen {
  std::vector<std::string> paths;
  uint64_t appends = 0;  // of those with a slot
};

Seen Look(const BoardCopy& copy) {
  Seen seen;
  copy.VisitStreams([&](const BoardCopy::Stream& stream) {
    seen.paths.emplace_back(stream.path);
    seen.appends += stream.figures.appends.value();
  });
  return seen;
}

// As another program finds it: among the open files of a process.
std::string BoardPath(const std::string& process) {
  const std::string directory = "/proc/" + process + "/fd";
  std::vector<std::string> names;
  EXPECT_TRUE(ListDirectory(directory, &names).ok());
  for (const std::string& name : names) {
    char target[PATH_MAX] = {};
    const std::string path = directory + "/" + name;
    if (readlink(path.c_str(), target, sizeof(target) - 1) > 0 &&
        std::string(target).find(FiguresBoard::kName) != std::string::npos) {
      return path;
    }
  }
  return "";
}

// As it is at once, whole or not.
Status ReadFrom(const std::string& path, BoardCopy* copy) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return BoardCopy::Read(fd.get(), path, /*until_ns=*/0, copy);
}

TEST(FiguresBoardTest, StreamsThatAreGoneCount) {
  FiguresBoard board;
  std::shared_ptr<StreamFigures> log = board.Add(StreamKind::kLog, "/db/000004.log");
  const std::shared_ptr<StreamFigures> blob = board.Add(StreamKind::kBlob, "/db/000005.blob");
  log->appends.AddAlone(3);
  blob->appends.AddAlone(5);
  EXPECT_EQ(Look(board.Copy()).paths,
            (std::vector<std::string>{"/db/000004.log", "/db/000005.blob"}));
  EXPECT_EQ(Look(board.Copy()).appends, 8U);
  log.reset();
  EXPECT_EQ(Look(board.Copy()).paths, std::vector<std::string>{"/db/000005.blob"});
  log = board.Add(StreamKind::kLog, "/db/000006.log");
  EXPECT_EQ(log->appends.value(), 0U) << "a slot that is used again begins anew";
  log->appends.AddAlone(10);
  EXPECT_EQ(board.Copy().Total(StreamKind::kLog)->appends.value(), 13U);
  EXPECT_EQ(board.Copy().Total(StreamKind::kBlob)->appends.value(), 5U);
}

TEST(FiguresBoardTest, MoreStreamsThanSlotsCountWhenTheyGo) {
  FiguresBoard board;
  std::vector<std::shared_ptr<StreamFigures>> all;
  for (uint32_t i = 0; i < FiguresBoard::kSlots + 3; ++i) {
    all.push_back(board.Add(StreamKind::kLog, "/db/" + std::to_string(i)));
    all.back()->appends.AddAlone();
  }
  EXPECT_EQ(Look(board.Copy()).paths.size(), FiguresBoard::kSlots);
  EXPECT_EQ(board.Copy().Total(StreamKind::kLog)->appends.value(), FiguresBoard::kSlots);
  all.clear();
  EXPECT_EQ(board.Copy().Total(StreamKind::kLog)->appends.value(), FiguresBoard::kSlots + 3);
}

TEST(FiguresBoardTest, OfALongPathTheEndIsShown) {
  FiguresBoard board;
  const std::string path = std::string(1000, 'd') + "/000004.log";
  const std::shared_ptr<StreamFigures> log = board.Add(StreamKind::kLog, path);
  const std::string shown = Look(board.Copy()).paths.at(0);
  EXPECT_EQ(shown.size(), BoardSlot::kPathBytes - 1);
  EXPECT_EQ(shown, path.substr(path.size() - shown.size()));
}

TEST(FiguresBoardTest, AnotherProcessReadsIt) {
  FiguresBoard* const board = FiguresBoard::OfProcess();
  const std::shared_ptr<StreamFigures> log = board->Add(StreamKind::kLog, "/db/000004.log");
  log->appends.AddAlone(7);
  board->process().recovered_files.Add(2);
  const std::string parent = std::to_string(getpid());
  const pid_t child = fork();
  if (child == 0) {
    BoardCopy copy;
    const bool good = ReadFrom(BoardPath(parent), &copy).ok() && Look(copy).appends == 7 &&
                      copy.header().pid == std::stoull(parent) &&
                      copy.header().process.recovered_files.value() == 2;
    _exit(good ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(FiguresBoardTest, AForkedChildHasOneOfItsOwn) {
  FiguresBoard* const board = FiguresBoard::OfProcess();
  std::shared_ptr<StreamFigures> log = board->Add(StreamKind::kLog, "/db/parent.log");
  log->appends.AddAlone();
  const pid_t child = fork();
  if (child == 0) {
    log.reset();  // as its copy of a file handle goes
    FiguresBoard* const own = FiguresBoard::OfProcess();
    const std::shared_ptr<StreamFigures> other = own->Add(StreamKind::kLog, "/db/child.log");
    const bool good = own != board && Look(own->Copy()).paths.size() == 1 &&
                      own->Copy().header().pid == static_cast<uint64_t>(getpid());
    _exit(good ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(Look(board->Copy()).paths, std::vector<std::string>{"/db/parent.log"})
      << "the child has not taken it away";
}

// A process may be allowed neither large files, nor descriptors, nor memory.
TEST(FiguresBoardTest, ALimitedProcessCountsForItself) {
  std::vector<decltype(RLIMIT_FSIZE)> resources = {RLIMIT_FSIZE, RLIMIT_NOFILE};
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  resources.push_back(RLIMIT_AS);  // sanitizers need memory of their own
#endif
  for (const auto resource : resources) {
    const pid_t child = fork();
    if (child == 0) {
      rlimit limit = {};
      getrlimit(resource, &limit);
      limit.rlim_cur = resource == RLIMIT_NOFILE ? 0 : 4096;
      setrlimit(resource, &limit);
      const auto board = std::make_unique<FiguresBoard>();
      std::shared_ptr<StreamFigures> log = board->Add(StreamKind::kLog, "/db/000004.log");
      log->appends.AddAlone(7);
      log.reset();
      _exit(board->Copy().Total(StreamKind::kLog)->appends.value() == 7 ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << resource;
  }
}

TEST(FiguresBoardTest, WhatIsNoBoardIsRefused) {
  const bloom_lfs::test::TempDir dir;
  FiguresBoard* const board = FiguresBoard::OfProcess();
  const std::shared_ptr<StreamFigures> log = board->Add(StreamKind::kLog, "/db/000004.log");
  BoardCopy copy = board->Copy();
  const std::string good(reinterpret_cast<const char*>(copy.words()), BoardCopy::Bytes(1));
  const std::string path = dir / "board";
  const auto status_of = [&](const std::string& bytes) {
    bloom_lfs::test::WriteFile(path, bytes);
    return ReadFrom(path, &copy);
  };
  EXPECT_TRUE(status_of(good).ok());
  EXPECT_FALSE(status_of("").ok());
  EXPECT_FALSE(status_of(good.substr(0, good.size() - 1)).ok());
  EXPECT_FALSE(status_of(good.substr(0, 100)).ok());
  std::string other = good;
  other[offsetof(BoardHeader, version)] ^= 2;
  EXPECT_NE(status_of(other).message().find("another version"), std::string::npos);
  other = good;
  std::memset(&other[offsetof(BoardHeader, slots_used)], 0xff, 8);
  EXPECT_FALSE(status_of(other).ok()) << "it has as many slots as it says";
  std::memset(&other[offsetof(BoardHeader, slots)], 0xff, 4);
  EXPECT_NE(status_of(other).message().find("slots"), std::string::npos) << "and not too many";
  other = good;
  std::memset(&other[sizeof(BoardHeader)], 0xff, sizeof(BoardSlot));
  EXPECT_TRUE(status_of(other).ok());
  EXPECT_TRUE(Look(copy).paths.empty()) << "a slot of nonsense is nobody's";
}

TEST(FiguresBoardTest, OfABoardInTheMiddleOfAChangeTheCopySaysSo) {
  const bloom_lfs::test::TempDir dir;
  BoardCopy copy = FiguresBoard::OfProcess()->Copy();
  EXPECT_TRUE(copy.is_whole());
  std::string bytes(reinterpret_cast<const char*>(copy.words()), BoardCopy::Bytes(0));
  std::memset(&bytes[offsetof(BoardHeader, slots_used)], 0, 8);
  const std::string path = dir / "board";
  const auto read_until = [&](char changes, int64_t until_ns) {
    bytes[offsetof(BoardHeader, changes)] = changes;
    bloom_lfs::test::WriteFile(path, bytes);
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_TRUE(BoardCopy::Read(fd.get(), path, until_ns, &copy).ok());
  };
  read_until(4, std::numeric_limits<int64_t>::max());
  EXPECT_TRUE(copy.is_whole());
  const int64_t soon_ns = SteadyNowNs() + 20'000'000;
  read_until(5, soon_ns);
  EXPECT_FALSE(copy.is_whole());
  EXPECT_GE(SteadyNowNs(), soon_ns) << "it was to wait for one that is whole";
}

TEST(FiguresBoardTest, WhoLooksReadsWhatIsUsedNow) {
  FiguresBoard board;
  std::vector<std::shared_ptr<StreamFigures>> logs(100);
  for (std::shared_ptr<StreamFigures>& log : logs) {
    log = board.Add(StreamKind::kLog, "/db/log");
  }
  const auto used = [&] { return board.Copy().header().slots_used.load(); };
  EXPECT_EQ(used(), 100U);
  logs[40].reset();
  EXPECT_EQ(used(), 100U) << "later ones are taken";
  logs.resize(42);
  EXPECT_EQ(used(), 42U);
  logs.resize(41);
  EXPECT_EQ(used(), 40U) << "that of the one before is free, too";
  logs.clear();
  EXPECT_EQ(used(), 0U);
}

// From outside, while threads add and retire: what has been counted is in a slot or among what is
// gone, never in both nor in neither.
TEST(FiguresBoardTest, NobodySeesAStreamTwiceOrNotAtAll) {
  constexpr int kLooks = 200;
  FiguresBoard* const board = FiguresBoard::OfProcess();
  const uint64_t before = board->Copy().Total(StreamKind::kBlob)->appends.value();
  std::atomic<uint64_t> begun{0};
  std::atomic<uint64_t> done{0};
  std::atomic<bool> is_over{false};
  const auto come_and_go = [&] {
    while (!is_over) {
      ++begun;
      const std::shared_ptr<StreamFigures> blob = board->Add(StreamKind::kBlob, "/db/blob");
      blob->appends.AddAlone();
      ++done;
    }
  };
  std::array<std::thread, 2> threads = {std::thread(come_and_go), std::thread(come_and_go)};
  const std::string path = BoardPath("self");
  for (int looks = 0; looks < kLooks;) {
    const uint64_t least = done;
    BoardCopy copy;
    EXPECT_TRUE(ReadFrom(path, &copy).ok());
    if (copy.is_whole()) {
      const uint64_t seen = copy.Total(StreamKind::kBlob)->appends.value() - before;
      EXPECT_GE(seen, least);
      EXPECT_LE(seen, begun);
      ++looks;
    }
  }
  is_over = true;
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(board->Copy().Total(StreamKind::kBlob)->appends.value(), before + done);
}

}  // namespace
}  // namespace lss

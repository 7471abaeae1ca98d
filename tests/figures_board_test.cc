// The board: figures of streams that come and go, seen from outside while they change.
#include "lss/figures/figures_board.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

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

Status ReadFrom(const std::string& path, BoardCopy* copy) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return BoardCopy::Read(fd.get(), path, copy);
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

// From outside, while threads add and retire: what has been counted is in a slot or among what is
// gone, never in both nor in neither.
TEST(FiguresBoardTest, NobodySeesAStreamTwiceOrNotAtAll) {
  FiguresBoard* const board = FiguresBoard::OfProcess();
  const uint64_t before = board->Copy().Total(StreamKind::kBlob)->appends.value();
  std::atomic<uint64_t> begun{0};
  std::atomic<uint64_t> done{0};
  std::atomic<int> running{2};
  std::vector<std::thread> threads;
  for (int each = 0; each < 2; ++each) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        ++begun;
        const std::shared_ptr<StreamFigures> blob = board->Add(StreamKind::kBlob, "/db/blob");
        blob->appends.AddAlone();
        ++done;
      }
      --running;
    });
  }
  const std::string path = BoardPath("self");
  while (running > 0) {
    const uint64_t least = done;
    BoardCopy copy;
    ASSERT_TRUE(ReadFrom(path, &copy).ok());
    const uint64_t seen = copy.Total(StreamKind::kBlob)->appends.value() - before;
    EXPECT_GE(seen, least);
    EXPECT_LE(seen, begun);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(board->Copy().Total(StreamKind::kBlob)->appends.value(), before + 4000);
}

}  // namespace
}  // namespace lss

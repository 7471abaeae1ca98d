// Many reads at once give what each alone would.
#include "lss/pages/read_queue.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <fstream>
#include <string>
#include <thread>

#include "lss/base/unique_fd.h"
#include "tests/support/temp_dir.h"

namespace {

std::atomic<int> g_refusals{0};  // submissions that fail before one succeeds

}  // namespace

// Stands in front of liburing's.
extern "C" int io_uring_submit(io_uring* ring) {
  if (g_refusals.fetch_sub(1) > 0) {
    return -EAGAIN;
  }
  using Submit = int (*)(io_uring*);
  static const auto submit = reinterpret_cast<Submit>(dlsym(RTLD_NEXT, "io_uring_submit"));
  return submit(ring);
}

namespace lss {
namespace {

class ReadQueueTest : public testing::TestWithParam<bool> {
 protected:
  ReadQueueTest() {
    for (uint64_t i = 0; i < 100000; ++i) {
      const uint64_t word = i * 0x9e3779b97f4a7c15ULL;
      bytes_.append(reinterpret_cast<const char*>(&word), sizeof(word));
    }
    std::ofstream(path_, std::ios::binary) << bytes_;
    fd_ = UniqueFd(open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  }

  bloom_lfs::test::TempDir directory_;
  const std::string path_ = directory_ / "file";
  std::string bytes_;
  UniqueFd fd_;
};

TEST_P(ReadQueueTest, EachReadGetsItsBytes) {
  ReadQueuePool pool(GetParam());
  const auto work = [&] {
    std::vector<std::string> into(300, std::string(1000, '?'));
    std::vector<RangeRead> reads;
    for (size_t i = 0; i < into.size(); ++i) {
      reads.push_back({i * 2601, 1000, into[i].data(), 0});
    }
    pool.Run(fd_.get(), &reads);
    for (size_t i = 0; i < into.size(); ++i) {
      ASSERT_EQ(reads[i].result, 1000);
      ASSERT_EQ(into[i], bytes_.substr(i * 2601, 1000));
    }
  };
  std::thread other(work);
  work();
  other.join();
}

TEST_P(ReadQueueTest, EachHasAResultOfItsOwn) {
  ReadQueuePool pool(GetParam());
  std::string into(3000, '?');
  std::vector<RangeRead> reads = {{bytes_.size() - 10, 1000, into.data(), 0},
                                  {bytes_.size() + 1, 1000, into.data() + 1000, 0},
                                  {0, 1000, into.data() + 2000, 0}};
  pool.Run(fd_.get(), &reads);
  EXPECT_EQ(reads[0].result, 10);
  EXPECT_EQ(reads[1].result, 0);
  EXPECT_EQ(reads[2].result, 1000);
  pool.Run(-1, &reads);
  EXPECT_EQ(reads[0].result, -EBADF);
  EXPECT_EQ(reads[2].result, -EBADF);
  std::vector<RangeRead> none;
  pool.Run(fd_.get(), &none);
}

// As a kernel does that has no memory for a request at the moment, or never.
TEST_P(ReadQueueTest, ASubmissionThatIsRefusedIsTriedAgainOrDoneWithout) {
  for (const int refusals : {1, 7, 1000000}) {
    ReadQueuePool pool(GetParam());
    std::vector<std::string> into(100, std::string(1000, '?'));
    std::vector<RangeRead> reads;
    for (size_t i = 0; i < into.size(); ++i) {
      reads.push_back({i * 2601, 1000, into[i].data(), 0});
    }
    g_refusals = refusals;
    pool.Run(fd_.get(), &reads);
    g_refusals = 0;
    for (size_t i = 0; i < into.size(); ++i) {
      ASSERT_EQ(reads[i].result, 1000);
      ASSERT_EQ(into[i], bytes_.substr(i * 2601, 1000));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ways, ReadQueueTest, testing::Bool());

}  // namespace
}  // namespace lss

#include "lss/device/uring_writer.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "lss/device/file_device.h"
#include "tests/support/aligned_memory.h"
#include "tests/support/child_check.h"
#include "tests/support/child_process.h"
#include "tests/support/files.h"
#include "tests/support/refusing_kernel.h"
#include "tests/support/stream_bytes.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using bloom_lfs::test::ChildProcess;
using bloom_lfs::test::ReadFile;
using bloom_lfs::test::RegisterChild;
using test::AlignedMemory;
using test::FirstDifference;
using test::StreamBytes;

class File final : public FlushClient {
 public:
  File(const std::string& path, bool in_order, bool direct)
      : device_(UniqueFd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)), path, nullptr),
        in_order_(in_order) {
    device_.BypassCache(direct);
  }
  void NextWrites(std::vector<WriteOp>* /*ops*/) override {}
  void OnWriteDone(const WriteOp& /*op*/, const Status& /*status*/) override {}
  bool InOrder() const override { return in_order_; }
  FileDevice* device() override { return &device_; }

 private:
  FileDevice device_;
  bool in_order_;
};

// While it lives, writes beyond so many bytes of any file end short, then fail with EFBIG.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(uint64_t bytes) {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit = {bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_ = {};
};

class UringWriterTest : public testing::Test {
 protected:
  void SetUp() override {
    const Status status = UringWriter::Create(wake_.get(), nullptr, &writer_);
    if (!status.ok()) {
      GTEST_SKIP() << "this kernel refuses io_uring: " << status.ToString();
    }
  }

  // The ops of `memory`, cut into pieces of `length` bytes.
  static std::vector<WriteOp> Ops(const AlignedMemory& memory, uint64_t length) {
    std::vector<WriteOp> ops;
    for (uint64_t at = 0; at < memory.size(); at += length) {
      ops.push_back({memory.data() + at, length, at});
    }
    return ops;
  }
  void Submit(FlushClient* client, const std::vector<WriteOp>& ops) {
    client->device()->Submit(writer_.get(), client, ops);
  }
  // Reaps until nothing is in flight.
  void ReapAll() {
    while (writer_->in_flight() > 0) {
      ReapOnce();
    }
  }
  void ReapOnce() {
    writer_->Reap([this](FlushClient* client, const WriteOp& op, const Status& status) {
      order_.push_back(op.offset);
      results_[client].emplace_back(op.offset, status);
    });
  }
  size_t Failures() const {
    size_t failures = 0;
    for (const auto& [client, results] : results_) {
      for (const auto& [offset, status] : results) {
        failures += status.ok() ? 0 : 1;
      }
    }
    return failures;
  }

  bloom_lfs::test::TempDir directory_;
  UniqueFd wake_{eventfd(0, EFD_CLOEXEC)};
  std::unique_ptr<UringWriter> writer_;
  std::map<FlushClient*, std::vector<std::pair<Address, Status>>> results_;
  std::vector<Address> order_;
};

TEST_F(UringWriterTest, AnOrderedBatchIsWrittenAndReportedInOrder) {
  File file(directory_ / "file", /*in_order=*/true, /*direct=*/true);
  const AlignedMemory memory(StreamBytes(0, 16 * 4096));
  Submit(&file, Ops(memory, 8192));
  EXPECT_EQ(writer_->in_flight(), 1U) << "one chain";
  ReapAll();
  EXPECT_EQ(order_, (std::vector<Address>{0, 8192, 16384, 24576, 32768, 40960, 49152, 57344}));
  EXPECT_EQ(Failures(), 0U);
  EXPECT_EQ(FirstDifference(ReadFile(directory_ / "file"), StreamBytes(0, 16 * 4096)), "");
}

TEST_F(UringWriterTest, ManyFilesAtOnceEachGetTheirOwn) {
  std::vector<std::unique_ptr<File>> files;
  const AlignedMemory memory(StreamBytes(0, 32 * 4096));
  for (int i = 0; i < 6; ++i) {
    files.push_back(std::make_unique<File>(directory_ / std::to_string(i), i % 2 == 0, i % 3 != 0));
    Submit(files.back().get(), Ops(memory, 4096));
  }
  ReapAll();
  EXPECT_EQ(Failures(), 0U);
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(results_[files[i].get()].size(), 32U);
    EXPECT_EQ(FirstDifference(ReadFile(directory_ / std::to_string(i)), StreamBytes(0, 32 * 4096)),
              "");
  }
}

// Trap 12: more writes than either queue has room for. The rest waits; nothing is lost.
TEST_F(UringWriterTest, Trap12_MoreWritesThanTheQueuesHold) {
  File scattered(directory_ / "scattered", /*in_order=*/false, /*direct=*/true);
  File ordered(directory_ / "ordered", /*in_order=*/true, /*direct=*/true);
  const AlignedMemory memory(StreamBytes(0, 1500 * 4096));
  const AlignedMemory chain(StreamBytes(0, 200 * 4096));
  Submit(&scattered, Ops(memory, 4096));
  Submit(&ordered, Ops(chain, 4096));
  ReapAll();
  EXPECT_EQ(results_[&scattered].size(), 1500U);
  EXPECT_EQ(results_[&ordered].size(), 200U);
  EXPECT_EQ(Failures(), 0U);
  EXPECT_EQ(FirstDifference(ReadFile(directory_ / "scattered"), StreamBytes(0, 1500 * 4096)), "");
  EXPECT_EQ(FirstDifference(ReadFile(directory_ / "ordered"), StreamBytes(0, 200 * 4096)), "");
}

TEST_F(UringWriterTest, ACallbackMaySubmitMore) {
  File file(directory_ / "file", /*in_order=*/true, /*direct=*/false);
  const AlignedMemory memory(StreamBytes(0, 20 * 4096));
  const std::vector<WriteOp> ops = Ops(memory, 4096);
  size_t next = 1;
  Submit(&file, {ops[0]});
  while (writer_->in_flight() > 0) {
    writer_->Reap([&](FlushClient* client, const WriteOp& /*op*/, const Status& status) {
      EXPECT_TRUE(status.ok());
      if (next < ops.size()) {
        Submit(client, {ops[next++]});
      }
    });
  }
  EXPECT_EQ(next, ops.size());
  EXPECT_EQ(FirstDifference(ReadFile(directory_ / "file"), StreamBytes(0, 20 * 4096)), "");
}

TEST_F(UringWriterTest, AWakeUpEndsAReapThatHasNothingToReport) {
  for (int i = 0; i < 3; ++i) {
    const uint64_t one = 1;
    ASSERT_EQ(::write(wake_.get(), &one, sizeof(one)), 8);
    ReapOnce();
    EXPECT_TRUE(order_.empty());
  }
}

// Trap 12: a real short write, made by the file size limit in the middle of the chain. What is
// linked behind it is cancelled by the kernel, issued again behind the rest of the short one, and
// both report the error that stopped the rest.
// A ring of the most buffers, each flushed nearly empty before its stream turned hot.
TEST_F(UringWriterTest, AChainOfAsManyOpsAsARingHasBuffersIsCarried) {
  File file(directory_ / "file", /*in_order=*/true, /*direct=*/true);
  const AlignedMemory memory(StreamBytes(0, 256 * 4096));
  Submit(&file, Ops(memory, 4096));
  Submit(&file, Ops(memory, 4096));
  ReapAll();
  EXPECT_EQ(order_.size(), 512U);
  EXPECT_EQ(Failures(), 0U);
  EXPECT_EQ(FirstDifference(ReadFile(directory_ / "file"), StreamBytes(0, 256 * 4096)), "");
}

TEST_F(UringWriterTest, Trap12_AShortWriteInsideAChainIsTakenUpAgain) {
  for (const bool direct : {false, true}) {
    const std::string path = directory_ / (direct ? "direct" : "buffered");
    File file(path, /*in_order=*/true, direct);
    const AlignedMemory memory(StreamBytes(0, 6 * 8192));
    results_.clear();
    {
      const FileSizeLimit limit(2 * 8192 + 4096);
      Submit(&file, Ops(memory, 8192));
      ReapAll();
    }
    const auto& results = results_[&file];
    ASSERT_EQ(results.size(), 6U);
    for (size_t i = 0; i < results.size(); ++i) {
      EXPECT_EQ(results[i].first, i * 8192);
      EXPECT_EQ(results[i].second.ok(), i < 2) << "op " << i << (direct ? " direct" : " buffered");
      EXPECT_EQ(results[i].second.error_number(), i < 2 ? 0 : EFBIG);
    }
    EXPECT_EQ(FirstDifference(ReadFile(path), StreamBytes(0, 2 * 8192 + 4096)), "");
  }
}

TEST_F(UringWriterTest, Trap11_AnErrorIsReportedForTheOpAndForAllBehindIt) {
  File file(directory_ / "file", /*in_order=*/true, /*direct=*/false);
  const AlignedMemory memory(StreamBytes(0, 3 * 4096));
  std::vector<WriteOp> ops = Ops(memory, 4096);
  char* const nowhere = nullptr;
  ops[1].data = nowhere + 4096;  // EFAULT
  Submit(&file, ops);
  ReapAll();
  const auto& results = results_[&file];
  ASSERT_EQ(results.size(), 3U);
  EXPECT_TRUE(results[0].second.ok());
  EXPECT_EQ(results[1].second.error_number(), EFAULT);
  EXPECT_FALSE(results[2].second.ok());
  EXPECT_EQ(ReadFile(directory_ / "file"), StreamBytes(0, 4096)) << "order: nothing behind the gap";
}

TEST_F(UringWriterTest, WhatTheFileRefusesGoesTheBlockingWay) {
  File file(directory_ / "file", /*in_order=*/true, /*direct=*/true);
  ASSERT_TRUE(file.device()->bypasses_cache());
  const AlignedMemory memory(StreamBytes(0, 3 * 4096));
  std::vector<WriteOp> ops = Ops(memory, 4096);
  for (WriteOp& op : ops) {
    op.offset += 100;  // EINVAL with O_DIRECT
  }
  Submit(&file, ops);
  ReapAll();
  EXPECT_EQ(Failures(), 0U);
  EXPECT_FALSE(file.device()->bypasses_cache());
  EXPECT_EQ(FirstDifference(ReadFile(directory_ / "file"),
                            std::string(100, '\0') + StreamBytes(0, 3 * 4096)),
            "");
}

// --- a way back at any time
// -----------------------------------------------------------------------

// Both kinds of file, some writes under way, then io_uring_enter is refused for good: every op
// comes back once, and is written.
const RegisterChild refused_enter("refused_enter", [](const std::vector<std::string>& args) {
  const UniqueFd wake(eventfd(0, EFD_CLOEXEC));
  std::unique_ptr<UringWriter> writer;
  std::string warning;
  test::RequireOk(UringWriter::Create(
                      wake.get(), [&](const std::string& line) { warning += line; }, &writer),
                  "io_uring");
  File ordered(args[1], /*in_order=*/true, /*direct=*/true);
  File scattered(args[2], /*in_order=*/false, /*direct=*/false);
  const AlignedMemory memory(StreamBytes(0, 400 * 4096));
  std::vector<WriteOp> ops;
  for (uint64_t at = 0; at < memory.size(); at += 4096) {
    ops.push_back({memory.data() + at, 4096, at});
  }
  ordered.device()->Submit(writer.get(), &ordered, ops);
  test::RefuseSystemCall(SYS_io_uring_enter, std::stoi(args[0]));
  scattered.device()->Submit(writer.get(), &scattered, ops);
  ordered.device()->Submit(writer.get(), &ordered, {ops[0]});
  std::map<FlushClient*, size_t> reported;
  while (writer->in_flight() > 0) {
    writer->Reap([&](FlushClient* client, const WriteOp&, const Status& status) {
      test::RequireOk(status, "a write");
      ++reported[client];
    });
  }
  test::Require(writer->given_up(), "io_uring is given up");
  test::Require(reported[&ordered] == 401 && reported[&scattered] == 400, "each comes back once");
  test::Require(warning.find("io_uring") != std::string::npos, "it is said");
  test::Require(warning.find("permission on the file") == std::string::npos,
                "nobody is sent to change a file's mode");
  const uint64_t one = 1;
  test::Require(::write(wake.get(), &one, sizeof(one)) == 8, "a wake-up");
  writer->Reap([](FlushClient*, const WriteOp&, const Status&) {});  // and it is not missed
  writer.reset();
  return 0;
});

TEST_F(UringWriterTest, AfterALateRefusalEveryWriteComesBackOnceAndIsThere) {
  for (const int error : {EPERM, ENOSYS, EAGAIN, EBADF}) {
    const std::string ordered = directory_ / ("ordered" + std::to_string(error));
    const std::string scattered = directory_ / ("scattered" + std::to_string(error));
    ASSERT_EQ(ChildProcess("refused_enter", {std::to_string(error), ordered, scattered}).Wait(), 0);
    EXPECT_EQ(FirstDifference(ReadFile(ordered), StreamBytes(0, 400 * 4096)), "");
    EXPECT_EQ(FirstDifference(ReadFile(scattered), StreamBytes(0, 400 * 4096)), "");
  }
}

TEST_F(UringWriterTest, AWakeDescriptorThatCannotBeReadEndsIoUringAndNotTheProcessor) {
  wake_.Reset();  // EBADF for each read
  while (!writer_->given_up()) {
    ReapOnce();
  }
  File file(directory_ / "file", /*in_order=*/true, /*direct=*/true);
  const AlignedMemory memory(StreamBytes(0, 4096));
  Submit(&file, Ops(memory, 4096));
  ReapAll();
  EXPECT_EQ(Failures(), 0U);
  EXPECT_EQ(ReadFile(directory_ / "file"), StreamBytes(0, 4096));
}

const RegisterChild no_enter("no_enter", [](const std::vector<std::string>& args) {
  test::RefuseSystemCall(std::stol(args[0]), EPERM);
  const UniqueFd wake(eventfd(0, EFD_CLOEXEC));
  std::unique_ptr<UringWriter> writer;
  const Status status = UringWriter::Create(wake.get(), nullptr, &writer);
  test::Require(status.code() == Status::Code::kNotSupported, "io_uring is found to be missing");
  test::Require(status.message().find("seccomp") != std::string::npos, "the remedy is named");
  return 0;
});

TEST_F(UringWriterTest, WhatIsRefusedFromTheStartIsFoundAtTheStart) {
  EXPECT_EQ(ChildProcess("no_enter", {std::to_string(SYS_io_uring_setup)}).Wait(), 0);
  EXPECT_EQ(ChildProcess("no_enter", {std::to_string(SYS_io_uring_enter)}).Wait(), 0);
}

// Trap 15: the kernel reads the buffers until the completions are in. Whoever destroys the writer
// may free them; so the destructor waits, also for what it had not even submitted.
TEST_F(UringWriterTest, Trap15_TheDestructorWaitsUntilTheKernelIsDoneWithTheBuffers) {
  constexpr size_t kBytes = 48 << 20;
  File file(directory_ / "file", /*in_order=*/false, /*direct=*/true);
  AlignedMemory memory(StreamBytes(0, kBytes));
  Submit(&file, Ops(memory, 64 << 10));
  EXPECT_GT(writer_->in_flight(), 500U);
  writer_.reset();
  std::memset(memory.data(), 0xee, memory.size());
  EXPECT_EQ(FirstDifference(ReadFile(directory_ / "file"), StreamBytes(0, kBytes)), "");
}

}  // namespace
}  // namespace lss

// The store on kernels, file systems and disks that refuse things. Each test starts a child process
// in which the kernel refuses them.
#include <errno.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "lss/dense_stream.h"
#include "lss/record_log.h"
#include "plugin/default_runtime.h"
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
using test::FirstDifference;
using test::Require;
using test::RequireOk;
using test::StreamBytes;

constexpr uint32_t kDsyncFlag = 0x2;  // RWF_DSYNC
constexpr unsigned kPwritev2Flags = 5;
constexpr unsigned kFallocateOffset = 2;

// A child's store on `path`, and what it warned of.
class ChildStore {
 public:
  explicit ChildStore(const std::string& path) : path_(path) {
    options_.frontier_bytes = 0;
    options_.warn = Sink();
    RequireOk(
        DenseStream::Open(&runtime_, path, options_, DenseStream::OpenMode::kTruncate, &store_),
        "open");
  }
  DenseStream* operator->() const { return store_.get(); }

  Status Append(size_t length) {
    const std::string bytes = StreamBytes(store_->size(), length);
    return store_->Append({bytes.data(), bytes.size()});
  }
  // Cold and hot, sealed buffers and tails.
  void AppendAndSync() {
    for (int i = 0; i < 40; ++i) {
      RequireOk(Append(100 + i * 977), "append");
      RequireOk(store_->Sync(), "sync");
      Require(store_->durable() == store_->size(), "everything is durable");
    }
    RequireOk(Append(300000), "a large append");
  }
  void CloseAndCheck() {
    const Address size = store_->size();
    RequireOk(store_->Close(), "close");
    const std::string difference = FirstDifference(ReadFile(path_), StreamBytes(0, size));
    Require(difference.empty(), "the file is right; it " + difference);
  }
  size_t WarningsAbout(const std::string& words) {
    const std::lock_guard<std::mutex> lock(mutex_);
    size_t count = 0;
    for (const std::string& line : warnings_) {
      count += line.find(words) != std::string::npos ? 1 : 0;
    }
    return count;
  }
  size_t warnings() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return warnings_.size();
  }

 private:
  WarningSink Sink() {
    return [this](const std::string& line) {
      const std::lock_guard<std::mutex> lock(mutex_);
      warnings_.push_back(line);
    };
  }

  const std::string path_;
  std::mutex mutex_;
  std::vector<std::string> warnings_;
  Runtime runtime_{Sink()};
  StoreOptions options_;
  std::shared_ptr<DenseStream> store_;
};

// Runs a role in a child of its own, with the path of a file for it.
int RunRole(const std::string& role, const std::string& path) {
  return ChildProcess(role, {path}).Wait();
}

class LogStructuredStoreFallbackTest : public testing::Test {
 protected:
  bloom_lfs::test::TempDir directory_;
  const std::string path_ = directory_ / "file";
};

// --- fallbacks: every promise is kept, one line says so
// -----------------------------------------------

const RegisterChild no_refusal("no_refusal", [](const std::vector<std::string>& args) {
  ChildStore store(args[0]);
  store.AppendAndSync();
  store.CloseAndCheck();
  Require(store.warnings() == 0, "nothing to warn of");
  return 0;
});

TEST_F(LogStructuredStoreFallbackTest, WhereNothingIsRefusedNothingIsSaid) {
  EXPECT_EQ(RunRole("no_refusal", path_), 0);
}

const RegisterChild no_io_uring("no_io_uring", [](const std::vector<std::string>& args) {
  test::RefuseSystemCall(SYS_io_uring_setup, EPERM);
  ChildStore store(args[0]);
  store.AppendAndSync();
  store.CloseAndCheck();
  Require(store.WarningsAbout("io_uring") == 1, "one line about io_uring");
  return 0;
});

TEST_F(LogStructuredStoreFallbackTest, WithoutIoUringItWritesWithPwritev2AndSaysSoOnce) {
  EXPECT_EQ(RunRole("no_io_uring", path_), 0);
}

const RegisterChild no_direct_io("no_direct_io", [](const std::vector<std::string>& args) {
  test::RefuseFcntlDirect(EINVAL);
  ChildStore store(args[0]);
  store.AppendAndSync();
  store.CloseAndCheck();
  Require(store.WarningsAbout("direct I/O") == 1, "one line about direct I/O");
  return 0;
});

TEST_F(LogStructuredStoreFallbackTest, WithoutDirectIoItWritesBufferedAndSaysSoOnce) {
  EXPECT_EQ(RunRole("no_direct_io", path_), 0);
}

const RegisterChild bare_kernel("bare_kernel", [](const std::vector<std::string>& args) {
  test::RefuseFcntlDirect(EINVAL);
  test::RefuseSystemCall(SYS_io_uring_setup, ENOSYS);
  test::RefuseSystemCallWithBits(SYS_pwritev2, kPwritev2Flags, kDsyncFlag, EOPNOTSUPP);
  ChildStore store(args[0]);
  // The ring file itself needs blocks, so the file system loses the ability only now.
  test::RefuseSystemCall(SYS_fallocate, EOPNOTSUPP);
  store.AppendAndSync();
  store.CloseAndCheck();
  Require(store.WarningsAbout("fallocate") == 1, "one line about fallocate");
  return 0;
});

TEST_F(LogStructuredStoreFallbackTest, OnAKernelThatHasNothingTheFileIsStillRight) {
  EXPECT_EQ(RunRole("bare_kernel", path_), 0);
}

// --- errors
// -----------------------------------------------------------------------------------------

const RegisterChild full_disk("full_disk", [](const std::vector<std::string>& args) {
  ChildStore store(args[0]);
  test::RefuseSystemCallFrom(SYS_fallocate, kFallocateOffset, 1 << 20, ENOSPC);
  RequireOk(store.Append(1000000), "an append that fits");
  const Status full = store.Append(100000);
  Require(full.code() == Status::Code::kNoSpace, "the error is NoSpace: " + full.ToString());
  Require(store->size() == 1000000, "nothing was taken");
  RequireOk(store->Sync(), "a sync");
  RequireOk(store.Append(1000), "an append of what still fits");
  Require(store.Append(1000000).code() == Status::Code::kNoSpace, "still full");
  RequireOk(store->Sync(), "a sync");
  store.CloseAndCheck();
  return 0;
});

TEST_F(LogStructuredStoreFallbackTest, NoSpaceTakesNothingAndTheStreamGoesOn) {
  EXPECT_EQ(RunRole("full_disk", path_), 0);
  EXPECT_EQ(FirstDifference(ReadFile(path_), StreamBytes(0, 1001000)), "");
}

const RegisterChild full_disk_reserve(
    "full_disk_reserve", [](const std::vector<std::string>& args) {
      StoreOptions options;
      options.frontier_bytes = 0;
      std::shared_ptr<RecordLog> log;
      RequireOk(RecordLog::Open(bloom_lfs::DefaultRuntime(args[0]), args[0], options, &log),
                "open");
      test::RefuseSystemCallFrom(SYS_fallocate, kFallocateOffset, 1 << 20, ENOSPC);
      Reservation reservation;
      Status status;
      Address end = 0;
      for (int i = 0; i < 1000 && status.ok(); ++i) {
        status = log->Reserve(4096, &reservation);
        if (status.ok()) {
          const std::string bytes = StreamBytes(reservation.address(), 4096);
          end = reservation.address() + 4096;
          RequireOk(reservation.Write({bytes.data(), bytes.size()}), "write");
        }
      }
      Require(status.code() == Status::Code::kNoSpace,
              "the error is NoSpace: " + status.ToString());
      Require(end == 1 << 20, "everything that was allocated could be used");
      RequireOk(log->Sync(), "a sync");
      Require(log->durable() == end, "all of it is durable");
      RequireOk(log->Close(), "close");
      const std::string difference = FirstDifference(ReadFile(args[0]), StreamBytes(0, end));
      Require(difference.empty(), "the file is right; it " + difference);
      return 0;
    });

TEST_F(LogStructuredStoreFallbackTest, NoSpaceTakesNothingOfAReservationEither) {
  EXPECT_EQ(RunRole("full_disk_reserve", path_), 0);
}

// After the error every call says it, and the ring file stays, so that recovery finds the bytes.
void RequireDead(ChildStore* store, int error_number) {
  const Status append = store->Append(1);
  Require(append.error_number() == error_number, "append says the error: " + append.ToString());
  Require((*store)->Flush().error_number() == error_number, "flush says the error");
  Require((*store)->Sync().error_number() == error_number, "sync says the error");
  Require((*store)->Settle().error_number() == error_number, "settle says the error");
  Require((*store)->Close().error_number() == error_number, "close says the error");
  Require((*store)->Close().error_number() == error_number, "and says it again");
  Require(std::filesystem::exists((*store)->ring_path()), "the ring is still there");
}

const RegisterChild failed_sync("failed_sync", [](const std::vector<std::string>& args) {
  ChildStore store(args[0]);
  RequireOk(store.Append(1000), "append");
  RequireOk(store->Sync(), "sync");
  RequireOk(store.Append(1000), "append");
  test::RefuseSystemCall(SYS_fdatasync, EIO);
  Require(store->Sync().error_number() == EIO, "the sync fails");
  Require(store->durable() == 1000, "what was durable is durable, and no more");
  RequireDead(&store, EIO);
  return 0;
});

TEST_F(LogStructuredStoreFallbackTest, Trap11_AfterAFailedSyncEveryCallReturnsItsError) {
  EXPECT_EQ(RunRole("failed_sync", path_), 0);
}

const RegisterChild failed_write("failed_write", [](const std::vector<std::string>& args) {
  test::RefuseSystemCall(SYS_io_uring_setup, EPERM);
  ChildStore store(args[0]);
  RequireOk(store.Append(1000), "append");
  RequireOk(store->Sync(), "sync");
  for (const long call : {SYS_pwritev2, SYS_pwritev, SYS_pwrite64}) {
    test::RefuseSystemCall(call, EIO);
  }
  // The ring takes some of it; at the latest when it is full, the append learns of the error.
  Status status;
  for (int i = 0; i < 1000 && status.ok(); ++i) {
    status = store.Append(10000);
  }
  Require(status.error_number() == EIO, "the append that waits for the ring fails");
  Require(store->durable() == 1000, "nothing more is durable");
  RequireDead(&store, EIO);
  return 0;
});

TEST_F(LogStructuredStoreFallbackTest, Trap11_AfterAFailedWriteEveryCallReturnsItsError) {
  EXPECT_EQ(RunRole("failed_write", path_), 0);
}

// A file with zeros behind its tail needs a ring that outlives a power cut to tell of them. Without
// one the stream does without zeros.
const RegisterChild undurable_ring("undurable_ring", [](const std::vector<std::string>& args) {
  ChildStore store(args[0]);
  test::RefuseSystemCall(SYS_msync, EIO);
  for (int i = 0; i < 300; ++i) {
    RequireOk(store.Append(10000), "append");
    Require(std::filesystem::file_size(args[0]) <= store->size(),
            "there are no zeros behind the tail");
    if (i % 30 == 0) {
      RequireOk(store->Sync(), "sync");
      Require(std::filesystem::file_size(args[0]) == store->size(),
              "the file has exactly its bytes");
    }
  }
  store.CloseAndCheck();
  return 0;
});

TEST_F(LogStructuredStoreFallbackTest, AStoreDoesNotTurnHotWithoutADurableRingAndGoesOn) {
  EXPECT_EQ(RunRole("undurable_ring", path_), 0);
}

// What keeps the file system from allocating ahead need not keep it from writing.
const RegisterChild failed_allocation("failed_allocation",
                                      [](const std::vector<std::string>& args) {
                                        ChildStore store(args[0]);
                                        RequireOk(store.Append(1000), "append");
                                        test::RefuseSystemCall(SYS_fallocate, EIO);
                                        RequireOk(store.Append(4 << 20), "append");
                                        RequireOk(store->Sync(), "sync");
                                        store.CloseAndCheck();
                                        return 0;
                                      });

TEST_F(LogStructuredStoreFallbackTest, AnAllocationThatFailsForAnotherReasonThanSpaceIsNoError) {
  EXPECT_EQ(RunRole("failed_allocation", path_), 0);
}

// --- a way back at any time
// -----------------------------------------------------------------------

const RegisterChild late_filter("late_filter", [](const std::vector<std::string>& args) {
  ChildStore store(args[1]);
  store.AppendAndSync();
  test::RefuseSystemCall(std::stol(args[0]), EPERM);
  for (int i = 0; i < 3; ++i) {
    RequireOk(store.Append(300000), "append");
    store.AppendAndSync();
  }
  store.CloseAndCheck();
  return 0;
});

TEST_F(LogStructuredStoreFallbackTest, AFilterThatComesLateIsNotNoticed) {
  for (const long call : {SYS_io_uring_enter, SYS_pwritev2, SYS_pwritev, SYS_fallocate,
                          SYS_sync_file_range, SYS_statx, SYS_madvise, SYS_msync}) {
    EXPECT_EQ(ChildProcess("late_filter", {std::to_string(call), path_}).Wait(), 0)
        << "system call " << call;
  }
}

}  // namespace
}  // namespace lss

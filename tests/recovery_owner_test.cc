// Live owners and dead ones, in other processes: whose ring may be touched, and when (case R2).

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "lss/dense_stream.h"
#include "lss/recovery/recovery.h"
#include "lss/ring/ring_memory.h"
#include "plugin/default_runtime.h"
#include "tests/support/child_process.h"
#include "tests/support/dead_log.h"
#include "tests/support/files.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using bloom_lfs::test::Await;
using bloom_lfs::test::ChildProcess;
using bloom_lfs::test::Difference;
using bloom_lfs::test::ListTree;
using bloom_lfs::test::ReadFile;
using bloom_lfs::test::RegisterChild;
using bloom_lfs::test::Report;
using bloom_lfs::test::TempDir;
using bloom_lfs::test::Tree;
using bloom_lfs::test::WriteFile;
using test::DeadLog;
using test::Exists;
using test::ReadLog;
using test::Stream;

StoreOptions SmallRing() {
  StoreOptions options;
  options.buffer_bytes = 4096;
  options.buffer_count = 4;
  options.idle_flush_ms = 60000;  // what the file gets is up to the test
  return options;
}

// Child: opens a store on args[0] and appends as many bytes of Stream() as it is told, line by
// line.
int OwnerMain(const std::vector<std::string>& args) {
  std::shared_ptr<DenseStream> store;
  Status status = DenseStream::Open(bloom_lfs::DefaultRuntime(args.at(0)), args.at(0), SmallRing(),
                                    DenseStream::OpenMode::kTruncate, &store);
  const std::string bytes = Stream(1 << 20);
  Address end = 0;
  while (status.ok()) {
    Report(store->ring_path());
    const std::string line = Await();
    if (line == "close") {
      status = store->Close();
      continue;
    }
    if (line.empty()) {
      return 0;
    }
    const size_t length = std::stoul(line);
    status = store->Append({bytes.data() + end, length});
    end += length;
  }
  Report(status.ToString());
  return 1;
}
const RegisterChild owner("owner", OwnerMain);

// Child: holds the exclusive lock of the file args[0], with no other sign of life.
int LockerMain(const std::vector<std::string>& args) {
  const UniqueFd fd(open(args.at(0).c_str(), O_RDWR | O_CLOEXEC));
  struct flock whole = {};
  whole.l_type = F_WRLCK;
  if (!fd.valid() || fcntl(fd.get(), F_SETLK, &whole) != 0) {
    return 1;
  }
  Report("locked");
  Await();
  return 0;
}
const RegisterChild locker("locker", LockerMain);

// Child: holds every lock of the file args[0] that a reader can have.
int ReaderMain(const std::vector<std::string>& args) {
  const UniqueFd fd(open(args.at(0).c_str(), O_RDONLY | O_CLOEXEC));
  struct flock whole = {};
  whole.l_type = F_RDLCK;
  if (!fd.valid() || flock(fd.get(), LOCK_EX) != 0 || fcntl(fd.get(), F_SETLK, &whole) != 0) {
    return 1;
  }
  Report("locked");
  Await();
  return 0;
}
const RegisterChild reader("reader", ReaderMain);

class RecoveryOwnerTest : public testing::Test {
 protected:
  Status Run() {
    recovered_.clear();
    RecoveryContext context;
    context.warn = [this](const std::string& line) { warnings_.push_back(line); };
    return Recover(rings_, {log_}, context, &recovered_);
  }
  void ExpectLeftAlone() {
    const Tree before = ListTree(dir_.path());
    const Status status = Run();
    EXPECT_TRUE(status.ok()) << status.ToString();
    EXPECT_TRUE(recovered_.empty());
    EXPECT_TRUE(warnings_.empty()) << warnings_[0];
    EXPECT_EQ(Difference(before, ListTree(dir_.path())), "");
  }

  TempDir dir_;
  const std::string log_ = dir_ / "000007.log";
  const std::string rings_ = dir_ / kRingDirectoryName;
  std::vector<RecoveredFile> recovered_;
  std::vector<std::string> warnings_;
};

TEST_F(RecoveryOwnerTest, R2LiveOwnersRingIsLeftAloneAndItsBytesAreRead) {
  ChildProcess child("owner", {log_});
  const std::string ring = child.Hear();
  for (const size_t total : {100U, 5000U, 12000U, 40000U}) {
    const size_t before = ReadLog(log_, ring).bytes.size();
    child.Say(std::to_string(total - before));
    ASSERT_EQ(child.Hear(), ring);
    const test::Reading reading = ReadLog(log_, ring);
    EXPECT_EQ(reading.ring_case, RingCase::kR2OwnerAlive);
    EXPECT_TRUE(reading.bytes == Stream(total)) << reading.bytes.size();
    EXPECT_TRUE(Run().ok());
    EXPECT_TRUE(recovered_.empty());
    EXPECT_TRUE(Exists(ring));
  }
}

TEST_F(RecoveryOwnerTest, R2BecomesR3WithTheOwnersDeath) {
  ChildProcess child("owner", {log_});
  const std::string ring = child.Hear();
  child.Say("10000");
  ASSERT_EQ(child.Hear(), ring);
  child.Kill();
  const test::Reading reading = ReadLog(log_, ring);
  EXPECT_EQ(reading.ring_case, RingCase::kR3ProcessKilled);
  EXPECT_TRUE(reading.bytes == Stream(10000));
  ASSERT_TRUE(Run().ok());
  ASSERT_EQ(recovered_.size(), 1U);
  EXPECT_EQ(recovered_[0].ring_case, RingCase::kR3ProcessKilled);
  EXPECT_TRUE(ReadFile(log_) == Stream(10000));
  EXPECT_FALSE(Exists(rings_));
}

TEST_F(RecoveryOwnerTest, AReaderThatCameBeforeTheDeathGoesOnReadingAfterRecovery) {
  ChildProcess child("owner", {log_});
  const std::string ring = child.Hear();
  child.Say("10000");
  ASSERT_EQ(child.Hear(), ring);
  const UniqueFd fd(open(log_.c_str(), O_RDONLY | O_CLOEXEC));
  ResolvedTail tail;
  ASSERT_TRUE(ResolveTail(fd.get(), log_, ring, {}, &tail).ok());
  child.Kill();
  ASSERT_TRUE(Run().ok());
  ASSERT_FALSE(Exists(ring));
  std::string bytes(10000, '\0');
  size_t read = 0;
  EXPECT_TRUE(tail.growing);
  ASSERT_TRUE(ReadMerged(fd.get(), *tail.ring, 0, 10000, 10000, bytes.data(), &read).ok());
  EXPECT_EQ(read, 10000U);
  EXPECT_TRUE(bytes == Stream(10000));
}

TEST_F(RecoveryOwnerTest, CleanCloseLeavesNothingToRecover) {
  ChildProcess child("owner", {log_});
  const std::string ring = child.Hear();
  child.Say("10000");
  ASSERT_EQ(child.Hear(), ring);
  child.Say("close");
  ASSERT_EQ(child.Hear(), ring);
  EXPECT_TRUE(ReadFile(log_) == Stream(10000));
  child.Say("");
  EXPECT_EQ(child.Wait(), 0);
  EXPECT_FALSE(Exists(rings_));
}

// Whatever a live owner's header seems to say at some moment (its words are stored one by one, and
// read one by one), only its death makes the ring anybody else's business.
TEST_F(RecoveryOwnerTest, R2IsAboutTheLockNotAboutTheWatermarks) {
  const struct {
    const char* name;
    void (*edit)(RingHeader*);
  } moments[] = {
      {"as it should be", [](RingHeader*) {}},
      {"durable ahead",
       [](RingHeader* header) { header->durable.store(1 << 20, std::memory_order_relaxed); }},
      {"hi_stable ahead",
       [](RingHeader* header) { header->hi_stable.store(1 << 20, std::memory_order_relaxed); }},
      {"a buffer reopened",
       [](RingHeader* header) { header->base[0].store(1 << 20, std::memory_order_relaxed); }},
      {"no buffer",
       [](RingHeader* header) { header->base[0].store(kNoBase, std::memory_order_relaxed); }},
      {"not published", [](RingHeader* header) { header->fixed_checksum = 0; }},
      {"damaged", [](RingHeader* header) { header->fixed.inode ^= 1; }},
  };
  for (const auto& moment : moments) {
    SCOPED_TRACE(moment.name);
    DeadLog log;
    log.stream = Stream(6000);
    log.hi_stable = 3000;
    const std::string ring = log.MakeAt(log_);
    test::EditRing(ring, moment.edit);
    ChildProcess child("locker", {ring});
    ASSERT_EQ(child.Hear(), "locked");
    ExpectLeftAlone();
    EXPECT_TRUE(Exists(ring));
  }
}

TEST_F(RecoveryOwnerTest, R8IsReportedUnderALiveOwnerToo) {
  DeadLog log;
  const std::string ring = log.MakeAt(log_);
  test::RewriteRing(ring, [](RingHeaderFixed* fixed) { ++fixed->format_version; });
  ChildProcess child("locker", {ring});
  ASSERT_EQ(child.Hear(), "locked");
  EXPECT_EQ(ReadLog(log_, ring).status.code(), Status::Code::kNotSupported);
  EXPECT_TRUE(Exists(ring));
}

// RocksDB deletes and renames old logs, and so has this directory recovered, while it appends.
TEST_F(RecoveryOwnerTest, RecoveryBesideABusyOwnerNeverTouchesItsRing) {
  std::shared_ptr<DenseStream> store;
  ASSERT_TRUE(DenseStream::Open(bloom_lfs::DefaultRuntime(log_), log_, SmallRing(),
                                DenseStream::OpenMode::kTruncate, &store)
                  .ok());
  std::atomic<bool> stop{false};
  Status appended;
  std::thread appender([&] {
    const std::string bytes = Stream(30000);  // now and then more than the ring holds
    for (size_t i = 0; !stop && appended.ok(); ++i) {
      appended = store->Append({bytes.data(), 1 + (i * 7919) % bytes.size()});
    }
  });
  std::unique_ptr<RingView> view;
  ASSERT_TRUE(RingView::Open(store->ring_path(), &view).ok());
  size_t misjudged = 0;
  for (int i = 0; i < 200000; ++i) {
    misjudged += test::CaseOf(*view) == RingCase::kR2OwnerAlive ? 0 : 1;
  }
  EXPECT_EQ(misjudged, 0U) << "a live owner's ring was taken for somebody else's business";
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(Run().ok());
    ASSERT_TRUE(recovered_.empty());
    ASSERT_TRUE(Exists(store->ring_path()));
  }
  stop = true;
  appender.join();
  EXPECT_TRUE(appended.ok()) << appended.ToString();
  EXPECT_TRUE(warnings_.empty()) << warnings_[0];
  EXPECT_TRUE(store->Close().ok());
}

// A program that forks keeps copies of its descriptors in the child.
class ForkTest : public RecoveryOwnerTest {
 protected:
  ~ForkTest() override {
    if (child_ > 0) {
      kill(child_, SIGKILL);
      waitpid(child_, nullptr, 0);
    }
  }
  // A child that lives until the end of the test and does nothing.
  void Fork() {
    child_ = fork();
    if (child_ == 0) {
      for (;;) {
        pause();
      }
    }
    ASSERT_GT(child_, 0);
  }
  pid_t child_ = -1;
};

TEST_F(ForkTest, ForkedChildDoesNotKeepADeadOwnersRing) {
  WriteFile(log_, "");
  FileIdentity identity;
  uint64_t size = 0;
  ASSERT_TRUE(IdentifyPath(log_, &identity, &size).ok());
  std::unique_ptr<RingMemory> ring;
  ASSERT_TRUE(RingMemory::Create(rings_, identity, SmallRing(), &ring).ok());
  Fork();
  std::unique_ptr<RingView> view;
  ASSERT_TRUE(RingView::Open(ring->path(), &view).ok());
  EXPECT_TRUE(view->OwnerAlive());
  ring.reset();
  EXPECT_FALSE(view->OwnerAlive());
}

// A stranger may read a database, and may hold any lock that reading allows.
TEST_F(RecoveryOwnerTest, WhoeverMayOnlyReadARingIsNoOwner) {
  DeadLog log;
  log.stream = Stream(6000);
  log.hi_stable = 3000;
  const std::string ring = log.MakeAt(log_);
  ChildProcess child("reader", {ring});
  ASSERT_EQ(child.Hear(), "locked");
  EXPECT_EQ(ReadLog(log_, ring).ring_case, RingCase::kR3ProcessKilled);
  ASSERT_TRUE(Run().ok());
  EXPECT_TRUE(ReadFile(log_) == log.Promised());
}

// Whoever has the database's own lock believes in no owner but itself.
TEST_F(RecoveryOwnerTest, AWriterOfTheDatabaseRecoversItWhateverTheRingsLockSays) {
  DeadLog log;
  log.stream = Stream(6000);
  log.hi_stable = 3000;
  const std::string ring = log.MakeAt(log_);
  ChildProcess child("locker", {ring});
  ASSERT_EQ(child.Hear(), "locked");
  RecoveryContext context;
  context.witness.no_owner_elsewhere = [](const std::string&) { return true; };
  ASSERT_TRUE(Recover(rings_, {log_}, context, &recovered_).ok());
  EXPECT_TRUE(ReadFile(log_) == log.Promised());
}

// The child gives up its copies; the parent goes on appending, and may be killed.
TEST_F(ForkTest, ForkedChildThatClosesItsCopyLeavesTheStoreAlone) {
  std::shared_ptr<DenseStream> store;
  ASSERT_TRUE(DenseStream::Open(bloom_lfs::DefaultRuntime(log_), log_, SmallRing(),
                                DenseStream::OpenMode::kTruncate, &store)
                  .ok());
  const std::string bytes = Stream(1000);
  ASSERT_TRUE(store->Append({bytes.data(), bytes.size()}).ok());
  const Tree before = ListTree(dir_.path());
  const pid_t child = fork();
  if (child == 0) {
    (void)store->Close();
    store.reset();
    _exit(0);
  }
  ASSERT_GT(child, 0);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(Difference(before, ListTree(dir_.path())), "");
  ASSERT_TRUE(Exists(store->ring_path()));
  const test::Reading reading = ReadLog(log_, store->ring_path());
  EXPECT_EQ(reading.ring_case, RingCase::kR2OwnerAlive);
  EXPECT_TRUE(reading.bytes == bytes);
  ASSERT_TRUE(store->Append({bytes.data(), bytes.size()}).ok());
  EXPECT_TRUE(store->Close().ok());
  EXPECT_TRUE(ReadFile(log_) == bytes + bytes);
}

// Purge threads delete logs whose close is not quite done, while others have the directory
// recovered.
TEST_F(RecoveryOwnerTest, R2ALiveOwnersFileMayComeAndGo) {
  std::shared_ptr<DenseStream> store;
  ASSERT_TRUE(DenseStream::Open(bloom_lfs::DefaultRuntime(log_), log_, SmallRing(),
                                OpenMode::kTruncate, &store)
                  .ok());
  const std::string kept = dir_ / "kept";
  ASSERT_EQ(link(log_.c_str(), kept.c_str()), 0);
  std::atomic<bool> stop{false};
  std::thread purging([&] {
    while (!stop) {
      unlink(log_.c_str());
      (void)!link(kept.c_str(), log_.c_str());
    }
  });
  for (int i = 0; i < 3000; ++i) {
    const Status status = Run();
    ASSERT_TRUE(status.ok()) << status.ToString();
    ASSERT_TRUE(recovered_.empty());
  }
  stop = true;
  purging.join();
  EXPECT_TRUE(Exists(store->ring_path()));
  EXPECT_TRUE(store->Close().ok());
}

}  // namespace
}  // namespace lss

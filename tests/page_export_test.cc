// A page store on an export of an NBD server: found again, never over anything else's bytes, and
// never in the way when the server stops, dies or comes back.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <string>
#include <thread>

#include "tests/support/files.h"
#include "tests/support/nbd_server.h"
#include "tests/support/page_store_fixture.h"

namespace lss {
namespace {

namespace fs = std::filesystem;
using bloom_lfs::test::WriteFile;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::KeyOf;
using test::NbdServer;
using Clock = std::chrono::steady_clock;

constexpr uint64_t kExportBytes = 80ULL << 20;

// Directories of rings that have a name.
std::set<std::string> NamedRings() {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator("/dev/shm")) {
    const std::string name = entry.path().filename();
    if (name.find("bloom_lfs_tier_") == 0) {
      names.insert(name);
    }
  }
  return names;
}

class PageExportTest : public test::PageStoreFixture {
 protected:
  void SetUp() override {
    if (const std::string why = test::WhyNoNbdServer(); !why.empty()) {
      GTEST_SKIP() << why;
    }
    options_.admit = Admit::kAll;
    WriteFile(file_, "");
    fs::resize_file(file_, kExportBytes);
  }
  void Serve(NbdServer::On on = NbdServer::On::kUnixSocket) {
    server_ = std::make_unique<NbdServer>(std::vector<std::string>{"file", file_}, on);
    options_.path = server_->uri();
  }
  // Bytes from `at` on.
  std::string FileAt(uint64_t at, size_t length) const {
    std::string bytes(length, '?');
    std::ifstream(file_, std::ios::binary)
        .seekg(static_cast<std::streamoff>(at))
        .read(bytes.data(), static_cast<std::streamsize>(length));
    return bytes;
  }
  void Poke(uint64_t at, char byte) const {
    std::fstream(file_, std::ios::in | std::ios::out | std::ios::binary)
        .seekp(static_cast<std::streamoff>(at))
        .put(byte);
  }
  // What tells whether somebody has written to the sparse file.
  std::string Traces() const {
    struct stat64 facts = {};
    EXPECT_EQ(stat64(file_.c_str(), &facts), 0);
    return FileAt(0, 2 << 20) + std::to_string(facts.st_blocks);
  }
  // The store cannot be opened, the line that says why has `part` in it, and no byte is changed.
  void ExpectRefused(const std::string& part) {
    const std::string before = Traces();
    const size_t lines = warnings().size();
    Open();
    EXPECT_FALSE(store_->AwaitOpen());
    Close();
    ASSERT_EQ(warnings().size(), lines + 1) << AllWarnings();
    EXPECT_NE(warnings().back().find(part), std::string::npos) << AllWarnings();
    EXPECT_NE(warnings().back().find(options_.path), std::string::npos) << AllWarnings();
    EXPECT_TRUE(Traces() == before);
  }
  // Looks pages up until the store is off. False: it is not, in the end.
  bool LookUpUntilOff(Clock::duration within) {
    const auto deadline = Clock::now() + within;
    for (uint64_t number = 0; !store_->off() && Clock::now() < deadline; ++number) {
      Find(number % 3000);
    }
    return store_->off();
  }

  const std::string file_ = directory_ / "export";
  std::unique_ptr<NbdServer> server_;
};

TEST_F(PageExportTest, IsFoundAgainAfterAClose) {
  for (const auto on : {NbdServer::On::kUnixSocket, NbdServer::On::kLocalhost}) {
    fs::resize_file(file_, 0);
    fs::resize_file(file_, kExportBytes);
    Serve(on);
    OpenAndRecover();
    InsertAll(0, 5000);
    store_->AwaitIdle();
    EXPECT_GE(CountFound(0, 5000), 4990U);
    OpenAndRecover();
    EXPECT_GE(CountFound(0, 5000), 4990U);
    EXPECT_GE(store_->figures().recovered_words, 4990U);
    Close();
    EXPECT_EQ(AllWarnings(), "");
    EXPECT_EQ(FileAt(64ULL << 20, 16ULL << 20), std::string(16ULL << 20, '\0'))
        << "what is behind it is not the store's";
  }
}

TEST_F(PageExportTest, BatchesFindWhatSingleLookupsFind) {
  Serve();
  OpenAndRecover();
  InsertAll(0, 2000);
  Close();
  OpenAndRecover();
  for (uint64_t first = 0; first + 64 <= 2000; first += 64) {
    std::vector<PageLookup> pages(64);
    std::vector<PageLookup*> lookups;
    for (uint64_t i = 0; i < pages.size(); ++i) {
      pages[i].key = KeyOf(first + i);
      lookups.push_back(&pages[i]);
    }
    store_->Lookup(&lookups);
    for (uint64_t i = 0; i < pages.size(); ++i) {
      ASSERT_TRUE(!pages[i].found || std::string(pages[i].copy.bytes, pages[i].copy.length) ==
                                         test::BytesOf(first + i));
    }
  }
  EXPECT_GE(store_->figures().flash_hits, 1900U);
}

TEST_F(PageExportTest, IsFoundAgainAfterAKillAndLeavesNoRing) {
  Serve();
  const std::set<std::string> before = NamedRings();
  RunAndKill([](PageStore* store) {
    for (uint64_t number = 0; number < 3000; ++number) {
      const std::string bytes = test::BytesOf(number);
      while (!store->Insert(KeyOf(number), {bytes.data(), bytes.size()}, 1, 2)) {
        store->AwaitIdle();
      }
    }
    store->AwaitIdle();
    store->AwaitIdle();
  });
  OpenAndRecover();
  EXPECT_GE(CountFound(0, 3000), 900U) << "12 MB, and a ring of 4 MiB may be lost, twice";
  EXPECT_EQ(NamedRings(), before);
}

TEST_F(PageExportTest, AnotherShapeBeginsAnEmptyStore) {
  Serve();
  OpenAndRecover();
  InsertAll(0, 1000);
  Close();
  options_.size = 72ULL << 20;
  OpenAndRecover();
  EXPECT_EQ(CountFound(0, 1000), 0U);
  InsertAll(0, 1000);
  OpenAndRecover();
  EXPECT_GE(CountFound(0, 1000), 990U);
}

TEST_F(PageExportTest, ForeignBytesStayUntouched) {
  Serve();
  for (const uint64_t at : {uint64_t{0}, uint64_t{510}, uint64_t{65600}, uint64_t{1048575}}) {
    Poke(at, 'x');  // a boot sector, a partition table, a file system's superblock
    ExpectRefused("write zeros to its first MiB");
    Poke(at, '\0');
  }
  OpenAndRecover();
  EXPECT_EQ(warnings().size(), 4U) << AllWarnings();
}

TEST_F(PageExportTest, ADamagedSuperblockIsStillOurs) {
  Serve();
  OpenAndRecover();
  InsertAll(0, 100);
  Close();
  Poke(20, '?');
  OpenAndRecover();
  EXPECT_GE(CountFound(0, 100), 99U) << "there is a second one";
  Close();
  Poke(4096 + 20, '?');
  OpenAndRecover();
  EXPECT_EQ(CountFound(0, 100), 0U);
}

TEST_F(PageExportTest, AnExportThatIsTooSmallIsNamed) {
  Serve();
  options_.size = 128ULL << 20;
  ExpectRefused("choose a smaller size");
}

TEST_F(PageExportTest, NoServerCostsTheTierAndNothingElse) {
  Serve();
  server_->Kill();
  const auto begin = Clock::now();
  Open();
  EXPECT_LT(Clock::now() - begin, milliseconds(500)) << "nobody waits for the server";
  EXPECT_FALSE(store_->AwaitOpen());
  EXPECT_FALSE(Insert(1));
  EXPECT_EQ(Find(1), 0);
  EXPECT_EQ(warnings().size(), 1U) << AllWarnings();
  EXPECT_NE(AllWarnings().find("start the server"), std::string::npos) << AllWarnings();
}

TEST_F(PageExportTest, AServerThatDoesNotAnswerIsNotWaitedForAtTheOpen) {
  Serve();
  server_->Signal(SIGSTOP);
  auto begin = Clock::now();
  Open();
  EXPECT_EQ(Find(1), 0);
  EXPECT_LT(Clock::now() - begin, milliseconds(500));
  EXPECT_FALSE(store_->AwaitOpen());
  EXPECT_LT(Clock::now() - begin, seconds(10));
  EXPECT_EQ(warnings().size(), 1U) << AllWarnings();
}

TEST_F(PageExportTest, AServerThatIsRestartedGoesOnBeingUsed) {
  Serve(NbdServer::On::kLocalhost);
  OpenAndRecover();
  InsertAll(0, 2000);
  server_->Kill();
  server_->Start();
  InsertAll(2000, 4000);
  store_->AwaitIdle();
  EXPECT_GE(CountFound(0, 4000), 3990U);
  OpenAndRecover();
  EXPECT_GE(CountFound(0, 4000), 3990U);
  EXPECT_EQ(AllWarnings(), "");
}

TEST_F(PageExportTest, AServerThatDiesTurnsTheTierOff) {
  Serve();
  OpenAndRecover();
  InsertAll(0, 3000);
  store_->AwaitIdle();
  server_->Kill();
  const auto begin = Clock::now();
  EXPECT_TRUE(LookUpUntilOff(seconds(20)));
  EXPECT_LT(Clock::now() - begin, seconds(8));
  EXPECT_EQ(Find(1), 0);
  EXPECT_FALSE(Insert(5000));
  Close();
  EXPECT_LT(Clock::now() - begin, seconds(16));
  EXPECT_EQ(warnings().size(), 1U) << AllWarnings();
  EXPECT_NE(AllWarnings().find("is off, and reads go on without it"), std::string::npos);
}

TEST_F(PageExportTest, AServerThatHangsTurnsTheTierOff) {
  Serve();
  OpenAndRecover();
  InsertAll(0, 3000);
  store_->AwaitIdle();
  server_->Signal(SIGSTOP);
  const auto begin = Clock::now();
  std::vector<std::thread> readers;
  for (uint64_t thread = 0; thread < 4; ++thread) {
    readers.emplace_back([this, thread] {
      PageCopy copy;
      for (uint64_t number = thread * 700; number < thread * 700 + 700; ++number) {
        if (store_->Lookup(KeyOf(number), &copy)) {
          EXPECT_EQ(std::string(copy.bytes, copy.length), test::BytesOf(number));
        }
      }
    });
  }
  for (std::thread& reader : readers) {
    reader.join();
  }
  EXPECT_LT(Clock::now() - begin, seconds(8)) << "all of them wait once, at the same time";
  EXPECT_TRUE(store_->off());
  Close();
  EXPECT_LT(Clock::now() - begin, seconds(16));
  EXPECT_EQ(warnings().size(), 1U) << AllWarnings();
  EXPECT_NE(AllWarnings().find("no answer within"), std::string::npos) << AllWarnings();
}

TEST_F(PageExportTest, AServerThatHangsDoesNotHoldUpTheEnd) {
  Serve();
  OpenAndRecover();
  InsertAll(0, 1000);
  server_->Signal(SIGSTOP);
  const auto begin = Clock::now();
  Close();
  EXPECT_LT(Clock::now() - begin, seconds(16));
  EXPECT_EQ(warnings().size(), 1U) << AllWarnings();
}

TEST_F(PageExportTest, TwoStoresOnOneExportAreNeverWrong) {
  Serve();
  OpenAndRecover();
  Runtime runtime;
  std::unique_ptr<PageStore> second;
  ASSERT_TRUE(PageStore::Open(&runtime, options_, &second).ok());
  ASSERT_TRUE(second->AwaitOpen());
  PageCopy copy;
  std::mt19937_64 random(7);
  for (uint64_t round = 0; round < 40; ++round) {
    for (uint64_t i = 0; i < 500; ++i) {  // more than the log has room for, by both
      Insert(round * 500 + i);
      const std::string bytes = test::BytesOf(100000 + round * 500 + i);
      second->Insert(KeyOf(100000 + round * 500 + i), {bytes.data(), bytes.size()}, 1, 2);
    }
    store_->AwaitIdle();
    for (uint64_t i = 0; i < 200; ++i) {
      Find(random() % 20000);
      Find(100000 + random() % 20000);
      const uint64_t number = 100000 + random() % 20000;
      if (second->Lookup(KeyOf(number), &copy)) {
        ASSERT_EQ(std::string(copy.bytes, copy.length), test::BytesOf(number));
      }
    }
  }
  EXPECT_EQ(AllWarnings(), "");
  second.reset();
  runtime.Stop();
  OpenAndRecover();
  CountFound(0, 20000);
  CountFound(100000, 120000);
}

}  // namespace
}  // namespace lss

// What a page store knows after it was closed, killed or damaged: right pages, or fewer.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <utility>

#include "lss/pages/checkpoint_format.h"
#include "tests/support/page_store_fixture.h"

namespace lss {
namespace {

namespace fs = std::filesystem;
using test::KeyOf;

class PageStoreRestartTest : public test::PageStoreFixture {
 protected:
  PageStoreRestartTest() { options_.admit = Admit::kAll; }
  std::string file() const { return options_.path + "/pages"; }

  static void Fill(PageStore* store, uint64_t from, uint64_t to) {
    PageCopy copy;
    for (uint64_t number = from; number < to; ++number) {
      const std::string bytes = test::BytesOf(number);
      while (!store->Insert(KeyOf(number), {bytes.data(), bytes.size()}, 1, 2)) {
        store->AwaitIdle();
      }
      store->Lookup(KeyOf(number), &copy);
    }
  }
  void FlipBytes(uint64_t from, uint64_t to, uint64_t step) {
    std::fstream bytes(file(), std::ios::in | std::ios::out | std::ios::binary);
    for (uint64_t at = from; at < to; at += step) {
      bytes.seekg(static_cast<std::streamoff>(at));
      const char flipped = static_cast<char>(bytes.get() ^ 0x40);
      bytes.seekp(static_cast<std::streamoff>(at));
      bytes.put(flipped);
    }
  }
  // Another store, with other pages under the same keys, each at the same place and LSN.
  std::string MakeOtherStore(uint64_t pages) {
    const std::string own = options_.path;
    options_.path = directory_ / "other";
    OpenAndRecover();
    for (uint64_t number = 0; number < pages; ++number) {
      const std::string bytes(test::LengthOf(number), 'o');
      while (!store_->Insert(KeyOf(number), {bytes.data(), bytes.size()}, 1, 2)) {
        store_->AwaitIdle();
      }
    }
    Close();
    return std::exchange(options_.path, own) + "/pages";
  }
  // Bytes [from, to) of the other file, at the same place of ours.
  void CopyFrom(const std::string& other, uint64_t from, uint64_t to) {
    std::ifstream source(other, std::ios::binary);
    std::fstream ours(file(), std::ios::in | std::ios::out | std::ios::binary);
    std::string bytes(to - from, '\0');
    source.seekg(static_cast<std::streamoff>(from));
    source.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    ours.seekp(static_cast<std::streamoff>(from));
    ours.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    ASSERT_TRUE(source.good() && ours.good());
  }
  PageFileLayout layout() const {
    return PageFileLayout::For(options_.size, options_.mean_page_bytes);
  }
};

// Two in ten thousand pages cannot be told from others by what the table keeps of them.
constexpr uint64_t AllBut(uint64_t pages) { return pages - pages / 1000; }
// A ring of pages, whose mean record is 4 KiB or so.
constexpr uint64_t kRingPages = PageLog::kRingBytes / 4096 + 300;

TEST_F(PageStoreRestartTest, EverythingIsThereAfterAClose) {
  OpenAndRecover();
  InsertAll(0, 8000);
  OpenAndRecover();
  EXPECT_GE(CountFound(0, 8000), AllBut(8000));
  EXPECT_EQ(store_->figures().recovered_pages, 0U) << "the checkpoint has everything";
  InsertAll(8000, 9000);
  OpenAndRecover();
  EXPECT_GE(CountFound(0, 9000), AllBut(9000));
}

TEST_F(PageStoreRestartTest, AKillLosesARingAtMost) {
  RunAndKill([](PageStore* store) { Fill(store, 0, 8000); });
  OpenAndRecover();
  EXPECT_GE(CountFound(0, 8000), 8000 - kRingPages);
  EXPECT_GE(CountFound(0, 4000), AllBut(4000));
}

TEST_F(PageStoreRestartTest, KilledAgainAndAgainItStaysWarm) {
  for (uint64_t round = 0; round < 6; ++round) {
    RunAndKill([&](PageStore* store) { Fill(store, round * 3000, (round + 1) * 3000); });
  }
  OpenAndRecover();
  // The last two thirds of what the log holds; the first rounds have been run over by now.
  EXPECT_GE(CountFound(9000, 18000), 9000 - 3 * kRingPages);
  InsertAll(20000, 22000);
  EXPECT_GE(CountFound(20000, 22000), AllBut(2000));
}

TEST_F(PageStoreRestartTest, KilledInAFullLogItStaysWarm) {
  RunAndKill([](PageStore* store) { Fill(store, 0, 40000); });
  OpenAndRecover();
  const uint64_t found = CountFound(30000, 40000);
  EXPECT_GE(found, 10000 - kRingPages);
  EXPECT_STREQ(store_->figures().state, "open");
}

TEST_F(PageStoreRestartTest, LookupsMissWhileItRecoversAndAreNeverWrong) {
  RunAndKill([](PageStore* store) { Fill(store, 0, 12000); });
  Open();
  for (uint64_t number = 0; number < 12000; ++number) {
    Find(number);
  }
  ASSERT_TRUE(store_->AwaitOpen());
  EXPECT_GE(CountFound(0, 12000), 12000 - kRingPages);
}

TEST_F(PageStoreRestartTest, WithoutACheckpointTheLogTellsEverything) {
  OpenAndRecover();
  InsertAll(0, 8000);
  Close();
  FlipBytes(layout().checkpoint_begin(0), layout().checkpoint_begin(0) + 64, 4);
  FlipBytes(layout().checkpoint_begin(1), layout().checkpoint_begin(1) + 64, 4);
  OpenAndRecover();
  EXPECT_EQ(store_->figures().recovered_words, 0U);
  EXPECT_GE(CountFound(0, 8000), AllBut(8000));
  InsertAll(8000, 10000);
  OpenAndRecover();
  EXPECT_GE(CountFound(0, 10000), AllBut(10000));
}

TEST_F(PageStoreRestartTest, ADamagedCheckpointBlockCostsItsPages) {
  OpenAndRecover();
  InsertAll(0, 8000);
  Close();
  for (const int slot : {0, 1}) {
    FlipBytes(layout().checkpoint_begin(slot) + CheckpointBlockAt(0) + 100,
              layout().checkpoint_begin(slot) + CheckpointBlockAt(0) + 101, 1);
  }
  OpenAndRecover();
  CountFound(0, 8000);
  InsertAll(0, 8000);
  EXPECT_GE(CountFound(0, 8000), AllBut(8000));
}

TEST_F(PageStoreRestartTest, FlippedBitsAnywhereInTheLogAreMisses) {
  OpenAndRecover();
  InsertAll(0, 8000);
  Close();
  FlipBytes(layout().log.begin, layout().file_bytes, 40961);
  OpenAndRecover();
  const uint64_t found = CountFound(0, 8000);
  EXPECT_LT(found, 8000U);
  EXPECT_GT(found, 6000U);
}

TEST_F(PageStoreRestartTest, ADamagedSuperblockHasACopy) {
  OpenAndRecover();
  InsertAll(0, 2000);
  Close();
  FlipBytes(0, 64, 3);
  OpenAndRecover();
  EXPECT_GE(CountFound(0, 2000), AllBut(2000));
  Close();
  FlipBytes(0, 64, 3);
  FlipBytes(kPageBytes, kPageBytes + 64, 5);
  FlipBytes(0, 64, 7);
  OpenAndRecover();
  EXPECT_EQ(CountFound(0, 2000), 0U) << "both are gone: an empty store";
  InsertAll(0, 2000);
  EXPECT_GE(CountFound(0, 2000), AllBut(2000));
}

TEST_F(PageStoreRestartTest, AnotherSizeBeginsAnEmptyStore) {
  OpenAndRecover();
  InsertAll(0, 2000);
  options_.size = 80ULL << 20;
  OpenAndRecover();
  EXPECT_EQ(CountFound(0, 2000), 0U);
  InsertAll(0, 2000);
  EXPECT_GE(CountFound(0, 2000), AllBut(2000));
}

TEST_F(PageStoreRestartTest, AnythingInTheFileIsSurvived) {
  OpenAndRecover();
  InsertAll(0, 6000);
  Close();
  const std::string original = directory_ / "original";
  fs::copy_file(file(), original);
  std::mt19937_64 random(20261127);
  for (int round = 0; round < 2; ++round) {
    fs::copy_file(original, file(), fs::copy_options::overwrite_existing);
    std::fstream bytes(file(), std::ios::in | std::ios::out | std::ios::binary);
    for (int piece = 0; piece < 20; ++piece) {
      // Pieces of the file itself in other places, or noise, most of them where the formats are.
      const uint64_t limit = piece % 2 == 0 ? layout().log.begin : layout().file_bytes;
      std::string moved(4096, '\0');
      bytes.seekg(static_cast<std::streamoff>(random() % (limit - moved.size()) & ~4095ULL));
      bytes.read(moved.data(), static_cast<std::streamsize>(moved.size()));
      if (piece % 5 == 0) {
        for (char& byte : moved) {
          byte = static_cast<char>(random());
        }
      }
      bytes.seekp(static_cast<std::streamoff>(random() % (limit - moved.size()) & ~4095ULL));
      bytes.write(moved.data(), static_cast<std::streamsize>(moved.size()));
    }
    bytes.close();
    OpenAndRecover();
    CountFound(0, 6000);
    InsertAll(0, 6000);
    EXPECT_GE(CountFound(0, 6000), AllBut(6000));
    Close();
  }
}

TEST_F(PageStoreRestartTest, ACutOrLongerFileBeginsAnEmptyStore) {
  for (const int64_t by : {-4096, 4096, -(32 << 20)}) {
    OpenAndRecover();
    InsertAll(0, 2000);
    Close();
    fs::resize_file(file(), fs::file_size(file()) + static_cast<uint64_t>(by));
    OpenAndRecover();
    EXPECT_EQ(CountFound(0, 2000), 0U);
    Close();
  }
}

TEST_F(PageStoreRestartTest, RecordsOfAnotherStoreAreMisses) {
  constexpr uint64_t kPages = 8000;
  const std::string other = MakeOtherStore(kPages);
  OpenAndRecover();
  InsertAll(0, kPages);
  Close();
  // Every second MiB of the log.
  for (uint64_t at = layout().log.begin; at < layout().file_bytes; at += 2 * kLayoutUnit) {
    CopyFrom(other, at, at + kLayoutUnit);
  }
  OpenAndRecover();
  const uint64_t found = CountFound(0, kPages);  // with the right bytes, as always
  EXPECT_GT(found, kPages * 2 / 5);
  EXPECT_LT(found, kPages * 3 / 5);
  // The log's scan takes none of them either.
  Close();
  FlipBytes(layout().checkpoint_begin(0), layout().checkpoint_begin(0) + 64, 4);
  FlipBytes(layout().checkpoint_begin(1), layout().checkpoint_begin(1) + 64, 4);
  OpenAndRecover();
  EXPECT_LE(store_->figures().recovered_pages, found + 10);
  EXPECT_GE(CountFound(0, kPages), AllBut(found));
}

TEST_F(PageStoreRestartTest, ACheckpointOfAnotherStoreIsPassedOver) {
  constexpr uint64_t kPages = 4000;
  const std::string other = MakeOtherStore(2 * kPages);
  OpenAndRecover();
  InsertAll(0, kPages);
  Close();
  CopyFrom(other, layout().checkpoint_begin(0), layout().log.begin);
  OpenAndRecover();
  EXPECT_EQ(store_->figures().recovered_words, 0U);
  EXPECT_GE(CountFound(0, kPages), AllBut(kPages)) << "the log has them";
}

TEST_F(PageStoreRestartTest, ACopiedStoreIsWarmToo) {
  OpenAndRecover();
  InsertAll(0, 3000);
  Close();
  fs::copy(options_.path, directory_ / "copy", fs::copy_options::recursive);
  options_.path = directory_ / "copy";
  OpenAndRecover();
  EXPECT_GE(CountFound(0, 3000), AllBut(3000));
}

}  // namespace
}  // namespace lss

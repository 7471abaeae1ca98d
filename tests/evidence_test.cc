// How far the bytes of a file and its ring are shown to be one stream: the words of the ring, its
// buffers and the file, each older or newer than the others.
#include "lss/recovery/evidence.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "tests/support/dead_log.h"
#include "tests/support/files.h"
#include "tests/support/line_scanner.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using bloom_lfs::test::WriteFile;
using Content = Evidence::Content;

class EvidenceTest : public testing::Test {
 protected:
  EvidenceTest() {
    for (int i = 1; i <= 9; ++i) {
      log_.stream += std::to_string(i) + " record\n";  // nine bytes each
    }
    log_.hi_stable = At(3);
  }
  static Address At(int records) { return static_cast<Address>(records) * 9; }

  Evidence Find(const std::function<void(RingHeader*)>& edit = nullptr) {
    const std::string path = dir_ / "000007.log";
    const std::string ring = log_.MakeAt(path);
    if (edit != nullptr) {
      test::EditRing(ring, edit);
    }
    if (file_ != nullptr) {
      WriteFile(path, *file_);
    }
    std::unique_ptr<RingView> view;
    EXPECT_TRUE(RingView::Open(ring, &view).ok());
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    Evidence evidence;
    const Status status = FindEvidence(fd.get(), path, *view, scan_, &evidence);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return evidence;
  }
  void ReplaceFile(const std::string& bytes) { file_ = std::make_unique<std::string>(bytes); }
  static void SetCommitted(RingHeader* header, Address committed) {
    header->committed.store(committed, std::memory_order_relaxed);
  }

  bloom_lfs::test::TempDir dir_;
  test::DeadLog log_;
  std::unique_ptr<std::string> file_;
  TailScanner scan_ = test::ScanLines;
};

TEST_F(EvidenceTest, OfAWholeRing) {
  const Evidence evidence = Find();
  EXPECT_EQ(evidence.content, Content::kWhole);
  EXPECT_EQ(evidence.file.end, At(3));
  EXPECT_EQ(evidence.part.end, At(9));
  EXPECT_EQ(evidence.last_number, 9U);
  EXPECT_TRUE(evidence.adds());
}

TEST_F(EvidenceTest, WithoutAScannerNobodyKnows) {
  scan_ = nullptr;
  EXPECT_EQ(Find().content, Content::kOpaque);
  EXPECT_FALSE(Find().adds());
}

TEST_F(EvidenceTest, ThatIsNotTextInFileOrRing) {
  log_.stream = test::Stream(1000);
  log_.hi_stable = 500;
  EXPECT_EQ(Find().content, Content::kOpaque);
  log_.hi_stable = 0;
  EXPECT_EQ(Find().content, Content::kOpaque) << "the file is empty";
  EXPECT_FALSE(Find().adds());
}

TEST_F(EvidenceTest, WordsOlderThanTheBuffers) {
  const Evidence evidence = Find([](RingHeader* header) { SetCommitted(header, At(5)); });
  EXPECT_EQ(evidence.part.end, At(9)) << "what follows, follows";
}

TEST_F(EvidenceTest, WordsOlderThanTheFile) {
  ReplaceFile(log_.stream);
  const Evidence evidence = Find([](RingHeader* header) { SetCommitted(header, At(3)); });
  EXPECT_EQ(evidence.file.end, At(9));
  EXPECT_EQ(evidence.part.end, At(9));
  EXPECT_FALSE(evidence.adds());
  EXPECT_EQ(evidence.content, Content::kNotWhole) << "the words must not cut it";
}

TEST_F(EvidenceTest, WordsNewerThanTheBuffers) {
  log_.stream = log_.stream.substr(0, At(6)) + std::string(At(3), '\0');
  const Evidence evidence = Find();
  EXPECT_EQ(evidence.content, Content::kNotWhole);
  EXPECT_EQ(evidence.part.end, At(6));
  EXPECT_TRUE(evidence.StopsShort(*[&] {
    std::unique_ptr<RingView> view;
    EXPECT_TRUE(RingView::Open(log_.MakeAt(dir_ / "000008.log"), &view).ok());
    return view;
  }()));
}

TEST_F(EvidenceTest, AFileThatHasLostBytesBelowTheWatermark) {
  ReplaceFile(log_.stream.substr(0, At(2)));
  EXPECT_EQ(Find().part.end, At(9)) << "the ring has them still";
  ReplaceFile(log_.stream.substr(0, At(2) + 4));
  EXPECT_EQ(Find().part.end, At(9)) << "a record that is cut off in the file is whole in the ring";
}

TEST_F(EvidenceTest, AFileWithDamageBelowTheWatermark) {
  log_.hi_stable = At(6);
  std::string file = log_.File();
  file[At(4) + 2] = '\x01';
  ReplaceFile(file);
  // A later lap: the ring does not have it any more.
  const Evidence evidence =
      Find([](RingHeader* header) { header->base[0].store(At(6), std::memory_order_relaxed); });
  EXPECT_EQ(evidence.file.end, At(4));
  EXPECT_EQ(evidence.content, Content::kDamaged) << "the ring does not say that it ends there";
}

TEST_F(EvidenceTest, RecordsOfAnotherLap) {
  log_.stream.replace(At(5), 9, "2 record\n");
  const Evidence evidence = Find([](RingHeader* header) { SetCommitted(header, At(4) + 3); });
  EXPECT_EQ(evidence.part.end, At(5));
  log_.stream.replace(At(5), 9, "8 record\n");
  EXPECT_EQ(Find([](RingHeader* header) { SetCommitted(header, At(4) + 3); }).part.end, At(5));
}

TEST_F(EvidenceTest, NumbersThatWereLeftOut) {
  log_.stream.replace(At(5), 9, "7 record\n").replace(At(6), 9, "8 record\n");
  log_.stream.replace(At(7), 9, "9 record\n").resize(At(8));
  EXPECT_EQ(Find().part.end, At(8)) << "its records end just where the words say";
}

TEST_F(EvidenceTest, WordsThatContradictEachOther) {
  const Evidence evidence = Find([](RingHeader* header) {
    header->durable.store(At(8), std::memory_order_relaxed);  // above the watermark
  });
  EXPECT_EQ(evidence.part.end, At(9)) << "the bytes follow all the same";
}

// The database was thrown away, its rings were not, and a new one has a log with this name.
TEST_F(EvidenceTest, OfAnotherLifeOfTheFile) {
  log_.hi_stable = 0;
  ReplaceFile("1 newest\n2 newest\n");
  const Evidence evidence = Find();
  EXPECT_EQ(evidence.part.end, At(2));
  EXPECT_FALSE(evidence.adds()) << "its records go on from the new ones, by their numbers";
  EXPECT_EQ(evidence.content, Content::kNotWhole);
}

TEST_F(EvidenceTest, OfNothing) {
  log_.stream.clear();
  log_.hi_stable = 0;
  const Evidence evidence = Find();
  EXPECT_EQ(evidence.content, Content::kWhole);
  EXPECT_EQ(evidence.part.end, 0U);
  EXPECT_FALSE(evidence.adds());
}

}  // namespace
}  // namespace lss

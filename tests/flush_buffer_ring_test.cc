#include "lss/ring/flush_buffer_ring.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/store_parts.h"
#include "tests/support/stream_bytes.h"
#include "tests/support/temp_dir.h"

namespace lss {
namespace {

using test::StreamBytes;

// Says at once that everything is in the file, or that it never will be.
class RecordingWaiter final : public StableWaiter {
 public:
  Status AwaitStable(Address address) override {
    asked.push_back(address);
    return answer;
  }
  std::vector<Address> asked;
  Status answer;
};

class FlushBufferRingTest : public testing::Test {
 protected:
  FlushBufferRingTest()
      : options_(test::SmallOptions()),
        memory_(test::MakeRingMemory(directory_.path(), options_)),
        ring_(std::make_unique<FlushBufferRing>(*memory_, options_, 0)) {}

  // The next `length` bytes of the stream into the current buffer.
  void Put(uint32_t length) {
    const FlushBufferRing::Cursor cursor = ring_->current();
    FlushBuffer& buffer = ring_->buffer(cursor.index);
    const BufferReservation got = buffer.Reserve(length, cursor.generation);
    ASSERT_TRUE(got.reserved);
    std::memcpy(buffer.data() + got.offset, StreamBytes(buffer.base() + got.offset, length).data(),
                length);
    ASSERT_EQ(buffer.Leave(), FlushDuty::kNone);
  }
  // Seals the current buffer, takes it and goes on to the next.
  SealedBuffer Turn() {
    const FlushBufferRing::Cursor cursor = ring_->current();
    EXPECT_EQ(ring_->buffer(cursor.index).Seal(cursor.generation), FlushDuty::kMustFlush);
    const SealedBuffer sealed = ring_->TakeSealed(cursor);
    EXPECT_TRUE(ring_->Rotate(cursor.sequence, &waiter_).ok());
    return sealed;
  }
  std::string CopyOut(Address from, size_t length, Address limit) const {
    std::string bytes(length, '?');
    bytes.resize(ring_->CopyOut(from, length, limit, bytes.data()));
    return bytes;
  }

  bloom_lfs::test::TempDir directory_;
  StoreOptions options_;
  std::unique_ptr<RingMemory> memory_;
  std::unique_ptr<FlushBufferRing> ring_;
  RecordingWaiter waiter_;
};

TEST_F(FlushBufferRingTest, BeginsWithBufferZeroAtTheStart) {
  const FlushBufferRing ring(*memory_, options_, 3 * kPageBytes);
  EXPECT_EQ(ring.current().sequence, 0U);
  EXPECT_EQ(ring.current().index, 0U);
  EXPECT_EQ(memory_->header()->base[0].load(std::memory_order_relaxed), 3 * kPageBytes);
  EXPECT_EQ(memory_->header()->base[1].load(std::memory_order_relaxed), kNoBase);
  EXPECT_EQ(ring.bytes(), 4 * 4096U);
}

TEST_F(FlushBufferRingTest, AnAppenderIsToldWhichBuffersItsBytesWillReplace) {
  EXPECT_EQ(ring_->StableBefore(4096), 0U);
  EXPECT_EQ(ring_->StableBefore(4 * 4096), 0U) << "no buffer has been used before";
  for (int i = 0; i < 4; ++i) {
    Put(4096);
    Turn();
  }
  EXPECT_EQ(ring_->StableBefore(4096), 0U) << "the current buffer is free already";
  EXPECT_EQ(ring_->StableBefore(4097), 2 * 4096U);
  EXPECT_EQ(ring_->StableBefore(2 * 4096), 2 * 4096U);
  EXPECT_EQ(ring_->StableBefore(3 * 4096), 3 * 4096U);
  EXPECT_EQ(ring_->StableBefore(4 * 4096), 4 * 4096U);
  EXPECT_EQ(ring_->StableBefore(40 * 4096), 4 * 4096U) << "more than the ring holds";
  Put(1000);
  EXPECT_EQ(ring_->StableBefore(3096), 0U);
  EXPECT_EQ(ring_->StableBefore(3097), 2 * 4096U);
}

TEST_F(FlushBufferRingTest, TheNextBufferBeginsAtThePageBehindTheSealedBytes) {
  Put(4096);
  const SealedBuffer full = Turn();
  EXPECT_EQ(full.base, 0U);
  EXPECT_EQ(full.end(), 4096U);
  Put(100);
  const SealedBuffer partial = Turn();
  EXPECT_EQ(partial.base, 4096U);
  EXPECT_EQ(partial.end(), 4196U);
  EXPECT_EQ(memory_->header()->base[2].load(std::memory_order_relaxed), 8192U);
  EXPECT_EQ(ring_->current().sequence, 2U);
}

TEST_F(FlushBufferRingTest, WhoeverComesLateToARotationFindsItDone) {
  Put(4096);
  Turn();
  Put(50);
  EXPECT_TRUE(ring_->Rotate(0, &waiter_).ok());
  EXPECT_EQ(ring_->current().sequence, 1U) << "the second rotation of sequence 0 must do nothing";
  Put(50);
}

TEST_F(FlushBufferRingTest, ABufferReopensOnlyWhenItsLastLapIsInTheFile) {
  for (int i = 0; i < 3; ++i) {
    Put(1000);
    Turn();
  }
  EXPECT_TRUE(waiter_.asked.empty()) << "the first lap has nothing to wait for";
  Put(1000);
  Turn();
  Put(1000);
  Turn();
  // Ends of what buffers 0 and 1 held in the first lap.
  EXPECT_EQ(waiter_.asked, (std::vector<Address>{1000, 4096 + 1000}));
}

TEST_F(FlushBufferRingTest, Trap11_ARotationThatCannotWaitStaysWhereItIs) {
  for (int i = 0; i < 3; ++i) {
    Put(4096);
    Turn();
  }
  Put(4096);
  waiter_.answer = Status::FromErrno("write", "file", 0, EIO);
  const FlushBufferRing::Cursor cursor = ring_->current();
  ASSERT_EQ(ring_->buffer(cursor.index).Seal(cursor.generation), FlushDuty::kMustFlush);
  EXPECT_EQ(ring_->Rotate(cursor.sequence, &waiter_).code(), Status::Code::kIoError);
  EXPECT_EQ(ring_->current().sequence, cursor.sequence);
  EXPECT_EQ(CopyOut(0, 4096, 16384), StreamBytes(0, 4096)) << "what is not in the file stays here";
}

TEST_F(FlushBufferRingTest, Trap03_PaddingBeginsAtTheSealedLengthAndEndsAtThePage) {
  options_.buffer_bytes = 8192;
  memory_ = test::MakeRingMemory(directory_.path(), options_);
  std::memset(memory_->buffer(0), 'x', 8192);
  ring_ = std::make_unique<FlushBufferRing>(*memory_, options_, 0);
  Put(100);
  const SealedBuffer sealed = Turn();
  EXPECT_EQ(sealed.length, 100U);
  EXPECT_EQ(std::string(sealed.data, 100), StreamBytes(0, 100));
  EXPECT_EQ(std::string(sealed.data + 100, 3996), std::string(3996, '\0'));
  EXPECT_EQ(std::string(sealed.data + 4096, 4096), std::string(4096, 'x'))
      << "the second page is not part of the write";
}

// A thread that slept for a lap between looking and adding can seal a buffer of a later lap and
// come back with the duty for that one. It knows the index; sequence and generation are of another
// time.
TEST_F(FlushBufferRingTest, Trap06_ADutyIsForTheLapThatWasSealedNotForTheOneThatWasSeen) {
  const FlushBufferRing::Cursor seen = ring_->current();
  for (uint32_t i = 0; i < options_.buffer_count; ++i) {
    Put(4096);
    Turn();
  }
  const FlushBufferRing::Cursor now = ring_->current();
  ASSERT_EQ(now.index, seen.index);
  Put(200);
  ASSERT_EQ(ring_->buffer(now.index).Seal(now.generation), FlushDuty::kMustFlush);
  const SealedBuffer sealed = ring_->TakeSealed(seen);
  EXPECT_EQ(sealed.base, 4 * 4096U);
  EXPECT_EQ(sealed.length, 200U);
  EXPECT_EQ(sealed.sequence, now.sequence) << "a past sequence would stall the pipeline for ever";
}

TEST_F(FlushBufferRingTest, CopyOutJoinsBuffersAndStopsAtTheLimit) {
  Put(4096);
  Turn();
  Put(4096);
  Turn();
  Put(10);
  EXPECT_EQ(CopyOut(0, 9000, 8202), StreamBytes(0, 8202));
  EXPECT_EQ(CopyOut(4000, 200, 8202), StreamBytes(4000, 200));
  EXPECT_EQ(CopyOut(4000, 200, 4100), StreamBytes(4000, 100));
  EXPECT_EQ(CopyOut(8202, 1, 8202), "");
}

TEST_F(FlushBufferRingTest, CopyOutFindsNothingThatHasLeftTheRing) {
  for (int i = 0; i < 5; ++i) {
    Put(4096);
    Turn();
  }
  // Buffers 0 and 1 hold 16384.. and 20480.. now.
  EXPECT_EQ(CopyOut(0, 4096, 20480), "");
  EXPECT_EQ(CopyOut(4096, 4096, 20480), "");
  EXPECT_EQ(CopyOut(8192, 12288, 20480), StreamBytes(8192, 12288));
}

TEST_F(FlushBufferRingTest, CopyOutReadsPaddingAsZeros) {
  std::memset(memory_->buffer(0), 'x', 4096);
  Put(100);
  Turn();
  Put(100);
  EXPECT_EQ(CopyOut(0, 4196, 4196),
            StreamBytes(0, 100) + std::string(3996, '\0') + StreamBytes(4096, 100));
}

TEST_F(FlushBufferRingTest, GatherNamesTheMemoryInOrder) {
  for (int i = 0; i < 5; ++i) {
    Put(4096);
    Turn();
  }
  Put(4096);
  std::vector<iovec> pieces;
  ring_->Gather(12288, 24576, &pieces);
  ASSERT_EQ(pieces.size(), 3U);
  EXPECT_EQ(pieces[0].iov_base, memory_->buffer(3));
  EXPECT_EQ(pieces[1].iov_base, memory_->buffer(0));
  EXPECT_EQ(pieces[2].iov_base, memory_->buffer(1));
  pieces.clear();
  ring_->Gather(12288 + 100, 12288 + 150, &pieces);
  ASSERT_EQ(pieces.size(), 1U);
  EXPECT_EQ(pieces[0].iov_base, memory_->buffer(3) + 100);
  EXPECT_EQ(pieces[0].iov_len, 50U);
}

// It zeroes buffers that nobody has opened, and those alone.
TEST_F(FlushBufferRingTest, PrefaultingLeavesEveryByteOfTheStream) {
  Put(4096);
  Turn();
  Put(1000);
  std::memset(memory_->buffer(2), 'x', 4096);
  for (uint32_t ahead = 0; ahead < 4; ++ahead) {
    ring_->PrefaultFirstLap(ahead);
  }
  EXPECT_EQ(CopyOut(0, 5096, 5096), StreamBytes(0, 5096));
  EXPECT_EQ(std::string(memory_->buffer(2), 4096), std::string(4096, '\0'));
  Put(3096);
  for (int i = 0; i < 4; ++i) {
    Turn();
    Put(4096);
  }
  for (uint32_t ahead = 0; ahead < 4; ++ahead) {
    ring_->PrefaultFirstLap(ahead);
  }
  EXPECT_EQ(CopyOut(8192, 16384, 24576), StreamBytes(8192, 16384)) << "there was a lap before";
}

TEST_F(FlushBufferRingTest, PrefaultingBesideAnAppenderLeavesEveryByte) {
  for (int round = 0; round < 200; ++round) {
    memory_ = test::MakeRingMemory(directory_.path(), options_);
    ring_ = std::make_unique<FlushBufferRing>(*memory_, options_, 0);
    std::thread prefaulting([this] {
      for (uint32_t ahead = 4; ahead > 0; --ahead) {
        ring_->PrefaultFirstLap(ahead - 1);
      }
    });
    for (int i = 0; i < 3; ++i) {
      Put(4096);
      Turn();
    }
    Put(4096);
    prefaulting.join();
    ASSERT_TRUE(CopyOut(0, 16384, 16384) == StreamBytes(0, 16384)) << "in round " << round;
  }
}

TEST_F(FlushBufferRingTest, PrefaultingWhatComesNextLeavesEveryByte) {
  Put(4096);
  Turn();
  Put(1000);
  for (const uint64_t length : {0ULL, 1ULL, 3096ULL, 5000ULL, 1ULL << 40}) {
    ring_->PrefaultNext(length);
  }
  Put(3096);
  ring_->PrefaultNext(1);  // nothing is left of the current buffer
  EXPECT_EQ(CopyOut(0, 8192, 8192), StreamBytes(0, 8192));
}

// The generation has six bits; the ring goes on for ever.
TEST_F(FlushBufferRingTest, HundredsOfLapsKeepAddressesAndBytesTogether) {
  for (uint64_t sequence = 0; sequence < 4 * kGenerations * 3 + 2; ++sequence) {
    Put(4096);
    const SealedBuffer sealed = Turn();
    ASSERT_EQ(sealed.sequence, sequence);
    ASSERT_EQ(sealed.base, sequence * 4096);
    ASSERT_EQ(CopyOut(sealed.base, 4096, sealed.end()), StreamBytes(sealed.base, 4096));
  }
}

}  // namespace
}  // namespace lss

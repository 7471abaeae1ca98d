// A page's word in every order of what is done to it at once: each scenario runs all interleavings
// of its actors' steps over the real table, words and frames. A step is one access to what is
// shared, as in page_store.cc, page_store_lookup.cc and page_writer.cc. What the processor may
// reorder is not tried here: the race tests run under ThreadSanitizer.
#include <gtest/gtest.h>

#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lss/pages/frame_pool.h"
#include "lss/pages/page_table.h"

namespace lss {
namespace {

// Two pages that the table cannot tell apart; a third one, of somebody else.
constexpr uint64_t kHash = 0x1234567890abcdef;
constexpr uint16_t kTag = 0x1234;
constexpr uint32_t kBytes = 2;  // so that a page may be half filled

// What is shared.
struct World {
  // `emptied`: any table of two buckets.
  explicit World(PageTable* emptied) : table(emptied) {
    for (uint64_t index = 0; index < table->word_count(); ++index) {
      table->Restore(index, PageWord());
    }
  }
  // A page in the only frame.
  uint64_t PutInMemory(char page) {
    frame = frames.Take(kBytes);
    frames.frame(frame).key = {0, static_cast<uint64_t>(page)};
    frames.frame(frame).bytes[0] = frames.frame(frame).bytes[1] = page;
    return table->Insert(kHash, PageWord::Memory(kTag, frame)).index;
  }
  // A page in place `place` of the log.
  uint64_t PutOnFlash(char page, uint64_t place) {
    log[place] = page;
    return table->Insert(kHash, FlashWord(place, 0)).index;
  }
  static PageWord FlashWord(uint64_t place, uint8_t hits) {
    return PageWord::Flash(kTag, place * kRecordAlignment, kRecordAlignment, hits);
  }

  PageTable* const table;
  FramePool frames{1, 1 << 20};
  uint32_t frame = FramePool::kNone;
  char log[2] = {'-', '-'};  // whose page is where
};

// One after the other, as far as `step` has come. False: it has ended.
using Actor = std::function<bool(World*)>;

// PageStore::Lookup of page 'a'.
Actor Reader() {
  return [step = 0, each = size_t{0}, found = PageTable::Candidates(),
          first = '\0'](World* world) mutable {
    if (step == 0) {
      found = world->table->Find(kHash);
      step = 1;
      return found.count > 0;
    }
    const PageTable::Found& candidate = found.found[each];
    const PageWord word = candidate.word;
    const auto next = [&] {
      step = 1;
      return ++each < found.count;
    };
    if (word.on_flash()) {  // the record says whose it is, and comes as a whole
      return world->log[word.place() / kRecordAlignment] != 'a' && next();
    }
    Frame& frame = world->frames.frame(word.frame());
    switch (step++) {
      case 1:
        world->frames.Pin(word.frame());
        return true;
      case 2: {
        const PageWord now = world->table->Load(candidate.index);
        step = now.in_memory() && now.frame() == word.frame() ? step : 6;
        return true;
      }
      case 3:
        step = frame.key.low == 'a' ? step : 6;
        return true;
      case 4:
        first = frame.bytes[0];
        return true;
      case 5:
        EXPECT_EQ(std::string({first, frame.bytes[1]}), "aa");
        return true;
      default:
        world->frames.Unpin(word.frame());
        return next();
    }
  };
}

// PageWriter::Leave and Arrive of the page in the frame, which goes to place 0.
Actor Writer(uint64_t index) {
  return [step = 0, index, word = PageWord()](World* world) mutable {
    const auto still_there = [&] { return word.in_memory() && word.frame() == world->frame; };
    switch (step++) {
      case 0:
        word = world->table->Load(index);
        step = still_there() ? step : 4;
        return true;
      case 1:
        world->log[0] = 'a';
        return true;
      case 2:
        word = world->table->Load(index);
        step = still_there() ? step : 4;
        return true;
      case 3:
        step = world->table->Replace(index, word, World::FlashWord(0, word.hits())) ? step : 2;
        return true;
      case 4:
        world->frames.Retire(world->frame);
        return true;
      default:
        world->frames.Sweep();
        return false;
    }
  };
}

// PageStore::Insert of page 'b', if there is a frame.
Actor Inserter() {
  return [step = 0, number = FramePool::kNone](World* world) mutable {
    if (step == 0) {
      number = world->frames.Take(kBytes);
      step = 1;
      return number != FramePool::kNone;
    }
    Frame& frame = world->frames.frame(number);
    switch (step++) {
      case 1:
        frame.key = {0, 'b'};
        return true;
      case 2:
        frame.bytes[0] = 'b';
        return true;
      case 3:
        frame.bytes[1] = 'b';
        return true;
      default:
        EXPECT_TRUE(world->table->Insert(kHash, PageWord::Memory(kTag, number)).done);
        return false;
    }
  };
}

// PageWriter::CleanPage of place 0, which the log then runs over. `hot`: it goes to place 1 before.
Actor Cleaner(uint64_t index, bool hot) {
  return [step = 0, index, hot, word = PageWord()](World* world) mutable {
    const auto still_there = [&] { return word.on_flash() && word.place() == 0; };
    switch (step++) {
      case 0:
        if (hot) {
          world->log[1] = 'a';
        }
        return true;
      case 1:
        word = world->table->Load(index);
        step = still_there() ? step : 3;
        return true;
      case 2: {
        const PageWord desired = hot ? World::FlashWord(1, 0) : PageWord();
        step = world->table->Replace(index, word, desired) ? step : 1;
        return true;
      }
      default:
        world->log[0] = 'c';
        return false;
    }
  };
}

Actor Eraser(uint64_t index) {
  return [step = 0, index, word = PageWord()](World* world) mutable {
    if (step++ == 0) {
      word = world->table->Load(index);
      return !word.empty();
    }
    world->table->Replace(index, word, PageWord());
    return false;
  };
}

// The other half of a look-up that hit.
Actor Hitter(uint64_t index) {
  return [step = 0, index, word = PageWord()](World* world) mutable {
    if (step++ == 0) {
      word = world->table->Load(index);
      return !word.empty();
    }
    world->table->NoteHit(index, word);
    return false;
  };
}

// When all have ended: each word leads to its page, and the frame is a word's or free.
void ExpectOrder(World* world) {
  world->frames.Sweep();
  size_t in_memory = 0;
  for (const PageTable::Found& found : world->table->Find(kHash)) {
    if (found.word.on_flash()) {
      EXPECT_EQ(world->log[found.word.place() / kRecordAlignment], 'a');
    } else {
      ++in_memory;
    }
  }
  EXPECT_LE(in_memory, 1U);
  const bool is_free = world->frames.Take(kBytes) != FramePool::kNone;
  EXPECT_NE(is_free, in_memory == 1);
}

using Scenario = std::function<std::vector<Actor>(World*)>;

// Runs every interleaving. How many there are.
uint64_t RunAll(const Scenario& scenario) {
  std::unique_ptr<PageTable> table;
  EXPECT_TRUE(PageTable::Create(2, &table).ok());
  uint64_t runs = 0;
  std::vector<size_t> chosen;   // whose turn it was at each step of the run
  std::vector<size_t> choices;  // among how many
  do {
    World world(table.get());
    std::vector<Actor> actors = scenario(&world);
    choices.clear();
    for (size_t step = 0; !actors.empty(); ++step) {
      if (step == chosen.size()) {
        chosen.push_back(0);
      }
      choices.push_back(actors.size());
      const auto turn = actors.begin() + static_cast<std::ptrdiff_t>(chosen[step]);
      if (!(*turn)(&world)) {
        actors.erase(turn);
      }
    }
    ExpectOrder(&world);
    ++runs;
    chosen.resize(choices.size());
    while (!chosen.empty() && ++chosen.back() == choices[chosen.size() - 1]) {
      chosen.pop_back();
    }
  } while (!chosen.empty() && !testing::Test::HasFailure());
  std::printf("%llu interleavings\n", static_cast<unsigned long long>(runs));
  return runs;
}

TEST(PageInterleavingsTest, AFrameThatIsReadLeavesMemoryAndIsTakenForAnotherPage) {
  EXPECT_GT(RunAll([](World* world) {
              const uint64_t index = world->PutInMemory('a');
              return std::vector<Actor>{Reader(), Writer(index), Inserter()};
            }),
            10000U);
}

TEST(PageInterleavingsTest, APageIsErasedWhileItLeavesMemory) {
  EXPECT_GT(RunAll([](World* world) {
              const uint64_t index = world->PutInMemory('a');
              return std::vector<Actor>{Reader(), Writer(index), Eraser(index)};
            }),
            1000U);
}

TEST(PageInterleavingsTest, HitsAndErasuresComeBetweenItsWritersSteps) {
  EXPECT_GT(RunAll([](World* world) {
              const uint64_t index = world->PutInMemory('a');
              return std::vector<Actor>{Writer(index), Hitter(index), Hitter(index), Eraser(index)};
            }),
            1000U);
}

TEST(PageInterleavingsTest, APageIsCleanedWhileItIsReadHitAndErased) {
  for (const bool hot : {false, true}) {
    EXPECT_GT(
        RunAll([&](World* world) {
          const uint64_t index = world->PutOnFlash('a', 0);
          return std::vector<Actor>{Reader(), Cleaner(index, hot), Hitter(index), Eraser(index)};
        }),
        1000U);
  }
}

}  // namespace
}  // namespace lss

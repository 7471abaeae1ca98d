#include "plugin/log_writer_intent.h"

#include <gtest/gtest.h>

#include <thread>

namespace bloom_lfs {
namespace {

TEST(LogWriterIntent, IsTakenOnceAndByTheThreadThatHasIt) {
  EXPECT_FALSE(TakeLogWriterIntent().has_value());
  NoteLogWriterIntent({/*manual_flush=*/true});
  std::thread([] { EXPECT_FALSE(TakeLogWriterIntent().has_value()); }).join();
  const std::optional<LogWriterIntent> intent = TakeLogWriterIntent();
  ASSERT_TRUE(intent.has_value());
  EXPECT_TRUE(intent->manual_flush);
  EXPECT_FALSE(TakeLogWriterIntent().has_value());
}

TEST(LogWriterIntent, TheLastOneCounts) {
  NoteLogWriterIntent({/*manual_flush=*/true});
  NoteLogWriterIntent({/*manual_flush=*/false});
  EXPECT_FALSE(TakeLogWriterIntent()->manual_flush);
}

}  // namespace
}  // namespace bloom_lfs

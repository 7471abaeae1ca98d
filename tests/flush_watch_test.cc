// The order of calls as a table: which Flush asks for the bytes to be in the file.
#include "plugin/flush_watch.h"

#include <gtest/gtest.h>

#include <string>

namespace bloom_lfs {
namespace {

// a: append, f: flush, s: sync. The flushes that were taken for a user's, as '!', the others as
// '.'.
std::string Answers(FlushWatch* watch, const std::string& calls) {
  std::string answers;
  for (const char call : calls) {
    switch (call) {
      case 'a':
        watch->OnAppend();
        break;
      case 'f':
        answers += watch->OnFlush() ? '!' : '.';
        break;
      case 's':
        watch->OnSync();
        break;
      default:
        break;
    }
  }
  return answers;
}

TEST(FlushWatch, Table) {
  const struct {
    const char* what;
    bool manual;
    const char* calls;
    const char* answers;
  } rows[] = {
      {"records", false, "af af aaf", "..."},
      {"LockWAL behind records", false, "af af f", "..!"},
      {"twice", false, "af f f", ".!!"},
      {"LockWAL, and on, and again", false, "af f af f", ".!.!"},
      {"before any record", false, "f", "!"},
      {"the first sync looks like LockWAL", false, "af fs", ".!"},
      {"the second does not", false, "af fs af fs af fs", ".!...."},
      {"who syncs every third record goes on so", false, "af af aaf fs af af af fs", "...!...."},
      {"LockWAL behind one record after a sync of three", false, "af af af fs af f", "...!.!"},
      {"LockWAL right behind a sync", false, "af fs af fs f", ".!..!"},
      {"a sync on another thread is none of the flush before it", false, "af f af s af f", ".!..!"},
      {"FlushWAL without sync", true, "aaf af", "!!"},
      {"FlushWAL with sync", true, "aafs afs afs", "!.."},
      {"and then without", true, "afs afs af af", "!..!"},
  };
  for (const auto& row : rows) {
    FlushWatch watch(row.manual);
    EXPECT_EQ(Answers(&watch, row.calls), row.answers) << row.what;
  }
}

TEST(FlushWatch, ASuccessorOfALogThatSyncedIsTakenToDoSo) {
  FlushWatch watch(/*manual=*/false);
  watch.ExpectSyncs();
  EXPECT_EQ(Answers(&watch, "af af fs af af fs"), "......");
  FlushWatch idle(/*manual=*/false);
  idle.ExpectSyncs();
  EXPECT_EQ(Answers(&idle, "af f af f"), "...!") << "but not for ever";
}

}  // namespace
}  // namespace bloom_lfs

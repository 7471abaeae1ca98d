// Which files are WALs and blob files, by name.

#include "plugin/file_kind.h"

#include <gtest/gtest.h>

namespace bloom_lfs {
namespace {

TEST(FileKind, LogsAreDigitsDotLogInAnyDirectory) {
  for (const char* path :
       {"000004.log", "/db/000004.log", "db/archive/000004.log", "X.tmp/1.log", "/0.log",
        "lost/123456789012.log", "a b/000004.log", "//db//000004.log", "000000.log/000004.log"}) {
    EXPECT_TRUE(IsWal(path)) << path;
    EXPECT_TRUE(IsOursOrTrash(path)) << path;
  }
}

TEST(FileKind, BlobFilesAreDigitsDotBlobInAnyDirectory) {
  for (const char* path : {"000004.blob", "/db/000004.blob", "X.tmp/1.blob", "blob_dir/12.blob"}) {
    EXPECT_TRUE(IsBlob(path)) << path;
    EXPECT_TRUE(IsOursOrTrash(path)) << path;
    EXPECT_FALSE(IsWal(path)) << path;
    EXPECT_EQ(WalNumber(path), 0U) << path;
  }
  EXPECT_FALSE(IsBlob("000004.log"));
}

TEST(FileKind, LookAlikesAreNot) {
  for (const char* path : {"",
                           "/",
                           ".log",
                           "/db/.log",
                           "LOG",
                           "LOG.old.1700000000000000",
                           "000004.logx",
                           "000004.lo",
                           "x000004.log",
                           "-4.log",
                           "4x.log",
                           "000004.LOG",
                           "000004.log/",
                           "000004.blobx",
                           ".blob",
                           "x4.blob",
                           "000004.sst",
                           "MANIFEST-000004",
                           "000004.dbtmp",
                           " 4.log",
                           "4 .log",
                           "000004..log",
                           "000004.log.ring",
                           "PARTITIONED_000004_P0.log",
                           "PARTITIONED_4_P12.log"}) {
    EXPECT_FALSE(IsWal(path)) << path;
    EXPECT_FALSE(IsBlob(path)) << path;
    EXPECT_FALSE(IsOursOrTrash(path)) << path;
    EXPECT_EQ(WalNumber(path), 0U) << path;
  }
}

TEST(FileKind, TrashIsALogOnItsWayOut) {
  for (const char* path : {"000004.log.trash", "/db/000004.log.trash", "archive/000004.log17.trash",
                           "000004.blob.trash", "000004.blob2.trash"}) {
    EXPECT_FALSE(IsWal(path)) << path;
    EXPECT_FALSE(IsBlob(path)) << path;
    EXPECT_TRUE(IsOursOrTrash(path)) << path;
    EXPECT_EQ(WalNumber(path), 0U) << path;
  }
  for (const char* path :
       {"000004.sst.trash", ".trash", "log.trash", "000004.trash", "LOG.trash"}) {
    EXPECT_FALSE(IsOursOrTrash(path)) << path;
  }
}

TEST(FileKind, NumbersAreDecimalWhateverTheZeros) {
  EXPECT_EQ(WalNumber("/db/000004.log"), 4U);
  EXPECT_EQ(WalNumber("4.log"), 4U);
  EXPECT_EQ(WalNumber("000010.log"), 10U);
  EXPECT_EQ(WalNumber("18446744073709551615.log"), 18446744073709551615ULL);
}

}  // namespace
}  // namespace bloom_lfs

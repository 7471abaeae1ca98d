// Whose ring is believed, and who may read one: the decisions as tables.
#include "lss/ring/ring_access.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace lss {
namespace {

constexpr uint32_t kRoot = 0;
constexpr uint32_t kAlice = 1000;
constexpr uint32_t kBob = 1001;
constexpr uint32_t kGroup = 100;
constexpr uint32_t kOtherGroup = 101;

TEST(RingAccess, ARingIsBelievedOnlyFromWhoeverMayWriteTheLog) {
  const FileAccess log = {kAlice, kGroup, 0644};
  const FileAccess directory = {kAlice, kGroup, 0755};
  const struct {
    const char* name;
    FileAccess ring;
    bool trusted;
  } rows[] = {
      {"the owner's", {kAlice, kGroup, 0644}, true},
      {"root's", {kRoot, kRoot, 0600}, true},
      {"a stranger's", {kBob, kGroup, 0644}, false},
      {"a stranger's, private", {kBob, kGroup, 0600}, false},
      {"the group may write", {kAlice, kGroup, 0664}, false},
      {"others may write", {kAlice, kGroup, 0646}, false},
      {"wider for readers only", {kAlice, kOtherGroup, 0755}, true},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(IsTrustedRing(row.ring, log, directory), row.trusted) << row.name;
  }
}

TEST(RingAccess, AGroupThatMayWriteTheLogMayWriteTheRing) {
  const FileAccess log = {kAlice, kGroup, 0664};
  const FileAccess directory = {kAlice, kGroup, 0775};
  EXPECT_TRUE(IsTrustedRing({kAlice, kGroup, 0664}, log, directory));
  EXPECT_FALSE(IsTrustedRing({kAlice, kOtherGroup, 0664}, log, directory)) << "another group";
  EXPECT_TRUE(IsTrustedRingDirectory({kAlice, kGroup, 0775}, log, directory));
  EXPECT_FALSE(IsTrustedRingDirectory({kAlice, kGroup, 0777}, log, directory));
}

TEST(RingAccess, TheOwnerOfTheDirectoryMayReplaceTheLogAnyway) {
  EXPECT_TRUE(IsTrustedRing({kAlice, kGroup, 0600}, {kBob, kGroup, 0644}, {kAlice, kGroup, 0755}));
}

TEST(RingAccess, InASharedDirectoryItIsTheOwnerThatCounts) {
  const FileAccess log = {kAlice, kGroup, 0644};
  const FileAccess shared = {kRoot, kRoot, 0777};
  EXPECT_TRUE(IsTrustedRingDirectory({kAlice, kGroup, 0755}, log, shared));
  EXPECT_FALSE(IsTrustedRingDirectory({kBob, kGroup, 0755}, log, shared));
}

TEST(RingAccess, NobodyMayDoMoreWithARingThanWithItsLog) {
  const struct {
    uint32_t log;
    uint32_t ring_gid;
    uint32_t ring;
    uint32_t directory;  // in one with mode 0775
  } rows[] = {
      {0600, kGroup, 0600, 0700},      {0640, kGroup, 0640, 0750}, {0644, kGroup, 0644, 0755},
      {0664, kGroup, 0664, 0775},      {0666, kGroup, 0666, 0775}, {0640, kOtherGroup, 0600, 0700},
      {0604, kOtherGroup, 0644, 0755}, {0400, kGroup, 0600, 0700},
  };
  for (const auto& row : rows) {
    const FileAccess log = {kAlice, kGroup, row.log};
    const FileAccess directory = {kAlice, kGroup, 0775};
    EXPECT_EQ(RingMode(log, row.ring_gid), row.ring) << std::oct << row.log;
    EXPECT_EQ(RingDirectoryMode(log, directory, row.ring_gid), row.directory)
        << std::oct << row.log;
  }
}

TEST(RingAccess, WhatIsMadeIsTrusted) {
  const FileAccess directory = {kAlice, kGroup, 0775};
  for (uint32_t mode = 0; mode <= 0777; ++mode) {
    for (const uint32_t gid : {kGroup, kOtherGroup}) {
      const FileAccess log = {kAlice, kGroup, mode};
      EXPECT_TRUE(IsTrustedRing({kAlice, gid, RingMode(log, gid)}, log, directory)) << mode;
      EXPECT_TRUE(IsTrustedRingDirectory({kAlice, gid, RingDirectoryMode(log, directory, gid)}, log,
                                         directory))
          << mode;
    }
  }
}

}  // namespace
}  // namespace lss

// Options as text: what is read, and what is said of the rest.
#include "plugin/option_text.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace bloom_lfs {
namespace {

constexpr Range kRange = {0, 1ULL << 50, 1, "bytes"};

TEST(OptionTextTest, SizesHaveUnits) {
  const std::vector<std::pair<std::string, uint64_t>> good = {
      {"0", 0},           {"17", 17},         {"4k", 4096},       {"4K", 4096},
      {"3M", 3ULL << 20}, {"2g", 2ULL << 30}, {"1T", 1ULL << 40}, {"1023T", 1023ULL << 40}};
  for (const auto& [text, wanted] : good) {
    uint64_t value = 1;
    EXPECT_TRUE(ParseRanged(kRange, "size", text, &value).ok()) << text;
    EXPECT_EQ(value, wanted) << text;
  }
  for (const char* bad : {"", "k", "-1", "1.5M", "4KB", "4 K", "99999999999999999999", "0x10",
                          "18446744073709551615T"}) {
    uint64_t value = 1;
    const rocksdb::Status status = ParseRanged(kRange, "size", bad, &value);
    EXPECT_TRUE(status.IsInvalidArgument()) << bad;
    EXPECT_NE(status.ToString().find("size = " + std::string(bad)), std::string::npos);
    EXPECT_EQ(value, 1U) << bad;
  }
}

TEST(OptionTextTest, ListsAreTakenApart) {
  std::string seen;
  const auto note = [&](const std::string& name, const std::string& value) {
    seen += "[" + name + "|" + value + "]";
    return name == "bad" ? rocksdb::Status::InvalidArgument("bad") : rocksdb::Status::OK();
  };
  EXPECT_TRUE(ForEachOption(" a = 1 ;; b=x=y;\n", note).ok());
  EXPECT_EQ(seen, "[a|1][b|x=y]");
  EXPECT_FALSE(ForEachOption("bad=1;c=2", note).ok());
  EXPECT_EQ(seen, "[a|1][b|x=y][bad|1]");
  seen.clear();
  EXPECT_TRUE(ForEachOption("a={x=1;y={2;3}};b={};c={1", note).ok());
  EXPECT_EQ(seen, "[a|x=1;y={2;3}][b|][c|{1]");
  EXPECT_FALSE(ForEachOption("naked", note).ok());
}

}  // namespace
}  // namespace bloom_lfs

// The plugin's options as users give them: `id=bloom_lfs;name=value;...`.

#include "plugin/plugin_options.h"

#include <gtest/gtest.h>
#include <rocksdb/convenience.h>
#include <rocksdb/file_system.h>

#include <memory>
#include <string>
#include <vector>

#include "lss/options.h"
#include "plugin/bloom_lfs_file_system.h"

namespace bloom_lfs {
namespace {

using rocksdb::ConfigOptions;
using rocksdb::FileSystem;
using rocksdb::Status;

Status Create(const std::string& text, std::shared_ptr<FileSystem>* result) {
  const ConfigOptions config;
  return FileSystem::CreateFromString(config, text, result);
}

// The options in force in a FileSystem made from `text`.
PluginOptions InForce(const std::string& text) {
  std::shared_ptr<FileSystem> file_system;
  const Status status = Create(text, &file_system);
  EXPECT_TRUE(status.ok()) << text << ": " << status.ToString();
  if (!status.ok()) {
    return {};
  }
  const auto* options = file_system->GetOptions<PluginOptions>();
  EXPECT_NE(options, nullptr);
  return options != nullptr ? *options : PluginOptions();
}

void ExpectRefused(const std::string& option, const std::string& value,
                   const std::vector<std::string>& parts) {
  std::shared_ptr<FileSystem> file_system;
  const Status status = Create("id=bloom_lfs;" + option + "=" + value, &file_system);
  EXPECT_TRUE(status.IsInvalidArgument()) << option << "=" << value << ": " << status.ToString();
  const std::string text = status.ToString();
  EXPECT_NE(text.find(option), std::string::npos) << text;
  for (const std::string& part : parts) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " is missing in: " << text;
  }
}

TEST(PluginOptions, DefaultsAreTheDocumentedOnes) {
  const PluginOptions options = InForce("bloom_lfs");
  EXPECT_EQ(options.buffer_bytes, 256U << 10);
  EXPECT_EQ(options.buffer_count, 8U);
  EXPECT_EQ(options.frontier_bytes, 16U << 20);
  EXPECT_EQ(options.idle_flush_ms, 500U);
  EXPECT_TRUE(options.io_uring);
  EXPECT_TRUE(options.direct_io);
  EXPECT_TRUE(options.blob_files);
  EXPECT_EQ(options.blob_buffer_bytes, 256U << 10);
  EXPECT_EQ(options.blob_buffer_count, 8U);
  EXPECT_EQ(options.blob_direct_bytes, 32U << 10);
  EXPECT_EQ(options.ring_budget_bytes, 512U << 20);
}

TEST(PluginOptions, DefaultsKeepToEightMebibytesPerFile) {
  const PluginOptions options;
  EXPECT_LE(options.buffer_bytes * options.buffer_count, 8U << 20);
  EXPECT_LE(options.blob_buffer_bytes * options.blob_buffer_count, 8U << 20);
}

TEST(PluginOptions, EveryOptionIsTaken) {
  const PluginOptions options = InForce(
      "id=bloom_lfs;buffer_bytes=8192;buffer_count=3;frontier_bytes=65536;"
      "idle_flush_ms=20;io_uring=false;direct_io=0;blob_files=false;blob_buffer_bytes=4096;"
      "blob_buffer_count=2;blob_direct_bytes=100;ring_budget_bytes=1G");
  EXPECT_EQ(options.buffer_bytes, 8192U);
  EXPECT_EQ(options.buffer_count, 3U);
  EXPECT_EQ(options.frontier_bytes, 65536U);
  EXPECT_EQ(options.idle_flush_ms, 20U);
  EXPECT_FALSE(options.io_uring);
  EXPECT_FALSE(options.direct_io);
  EXPECT_FALSE(options.blob_files);
  EXPECT_EQ(options.blob_buffer_bytes, 4096U);
  EXPECT_EQ(options.blob_buffer_count, 2U);
  EXPECT_EQ(options.blob_direct_bytes, 100U);
  EXPECT_EQ(options.ring_budget_bytes, 1U << 30);
}

TEST(PluginOptions, SizesTakeUnits) {
  EXPECT_EQ(InForce("id=bloom_lfs;buffer_bytes=64K").buffer_bytes, 64U << 10);
  EXPECT_EQ(InForce("id=bloom_lfs;buffer_bytes=64k").buffer_bytes, 64U << 10);
  EXPECT_EQ(InForce("id=bloom_lfs;buffer_bytes=1M").buffer_bytes, 1U << 20);
  EXPECT_EQ(InForce("id=bloom_lfs;frontier_bytes=64M").frontier_bytes, 64U << 20);
}

TEST(PluginOptions, EdgesOfTheRangesAreAllowed) {
  for (const char* text :
       {"buffer_bytes=4096", "buffer_bytes=1048576", "buffer_count=2", "buffer_count=256",
        "frontier_bytes=0", "frontier_bytes=67108864", "idle_flush_ms=1", "idle_flush_ms=60000",
        "io_uring=1", "io_uring=true", "direct_io=true", "blob_direct_bytes=0",
        "blob_direct_bytes=4G", "ring_budget_bytes=0", "ring_budget_bytes=1024G"}) {
    std::shared_ptr<FileSystem> file_system;
    const Status status = Create(std::string("id=bloom_lfs;") + text, &file_system);
    EXPECT_TRUE(status.ok()) << text << ": " << status.ToString();
  }
}

TEST(PluginOptions, BadBufferBytesNamesTheRange) {
  for (const char* value : {"0", "1", "4095", "4097", "2M", "1048577", "-4096", "64KB", "64X", "K",
                            "4096.0", "0x1000", "99999999999999999999", "20000000000G"}) {
    ExpectRefused("buffer_bytes", value, {value, "4096 to 1048576 bytes", "multiple of 4096"});
  }
}

TEST(PluginOptions, BadBufferCountNamesTheRange) {
  for (const char* value : {"0", "1", "257", "1K", "-1", "many"}) {
    ExpectRefused("buffer_count", value, {value, "2 to 256 buffers"});
  }
}

TEST(PluginOptions, BadFrontierBytesNamesTheRange) {
  for (const char* value : {"1", "4095", "65M", "1G", "-1"}) {
    ExpectRefused("frontier_bytes", value, {value, "0 to 67108864 bytes", "multiple of 4096"});
  }
}

TEST(PluginOptions, BadIdleFlushMsNamesTheRange) {
  for (const char* value : {"0", "60001", "1s", "-1"}) {
    ExpectRefused("idle_flush_ms", value, {value, "1 to 60000 milliseconds"});
  }
}

TEST(PluginOptions, BadBlobOptionsNameTheRange) {
  ExpectRefused("blob_buffer_bytes", "4095", {"4096 to 1048576 bytes", "multiple of 4096"});
  ExpectRefused("blob_buffer_count", "1", {"2 to 256 buffers"});
  ExpectRefused("blob_direct_bytes", "5G", {"0 to 4294967296 bytes"});
  ExpectRefused("ring_budget_bytes", "1025G", {"0 to 1099511627776 bytes"});
}

TEST(PluginOptions, DefaultsOfTheSecondPlaceAreTheDocumentedOnes) {
  const PluginOptions options = InForce("bloom_lfs");
  EXPECT_EQ(options.second_place, "");
  EXPECT_EQ(options.second_mode, "off");
  EXPECT_EQ(options.second_bytes, 1U << 30);
  EXPECT_EQ(options.second_catch_up_ms, 1000U);
  EXPECT_EQ(options.mirror_degraded, "wait");
  EXPECT_EQ(options.failover_after_ms, 100U);
  EXPECT_EQ(options.failback_below_ms, 25U);
  EXPECT_EQ(options.failback_after_s, 15U);
  EXPECT_EQ(options.ring_directory, "/dev/shm");
}

TEST(PluginOptions, EveryOptionOfTheSecondPlaceIsTaken) {
  const PluginOptions options = InForce(
      "id=bloom_lfs;second_place=/other/disk/second;second_mode=mirror;second_bytes=64M;"
      "second_catch_up_ms=7;mirror_degraded=continue;failover_after_ms=8;failback_below_ms=9;"
      "failback_after_s=10;ring_directory=/run/rings");
  EXPECT_EQ(options.second_place, "/other/disk/second");
  EXPECT_EQ(options.second_mode, "mirror");
  EXPECT_EQ(options.second_bytes, 64U << 20);
  EXPECT_EQ(options.second_catch_up_ms, 7U);
  EXPECT_EQ(options.mirror_degraded, "continue");
  EXPECT_EQ(options.failover_after_ms, 8U);
  EXPECT_EQ(options.failback_below_ms, 9U);
  EXPECT_EQ(options.failback_after_s, 10U);
  EXPECT_EQ(options.ring_directory, "/run/rings");
}

TEST(PluginOptions, EdgesOfTheSecondPlacesRangesAreAllowed) {
  for (const char* text :
       {"second_bytes=16M", "second_bytes=1024G", "second_catch_up_ms=1",
        "second_catch_up_ms=86400000", "failover_after_ms=1", "failover_after_ms=60000",
        "failback_below_ms=1", "failback_below_ms=60000", "failback_after_s=0",
        "failback_after_s=86400", "second_place=/p;second_mode=off",
        "second_place=/p;second_mode=failover", "second_place=/p;second_mode=hedge",
        "second_place=/p;second_mode=group"}) {
    (void)InForce(std::string("id=bloom_lfs;") + text);
  }
}

TEST(PluginOptions, BadOptionsOfTheSecondPlaceNameRangeOrChoices) {
  for (const char* value : {"0", "16777215", "16777217", "1025G", "-1", "much"}) {
    ExpectRefused("second_bytes", value,
                  {value, "16777216 to 1099511627776 bytes", "multiple of 4096"});
  }
  for (const char* value : {"0", "86400001", "1s"}) {
    ExpectRefused("second_catch_up_ms", value, {value, "1 to 86400000 milliseconds"});
  }
  for (const char* option : {"failover_after_ms", "failback_below_ms"}) {
    for (const char* value : {"0", "60001", "-1"}) {
      ExpectRefused(option, value, {value, "1 to 60000 milliseconds"});
    }
  }
  for (const char* value : {"86401", "-1", "15s"}) {
    ExpectRefused("failback_after_s", value, {value, "0 to 86400 seconds"});
  }
  for (const char* value : {"on", "Mirror", "failover,group", "true"}) {
    ExpectRefused("second_mode", value, {value, "off, failover, hedge, group, mirror"});
  }
  for (const char* value : {"never", "Wait", "true"}) {
    ExpectRefused("mirror_degraded", value, {value, "wait, continue"});
  }
}

TEST(PluginOptions, AModeWithoutAPlaceIsRefused) {
  for (const char* mode : {"failover", "hedge", "group", "mirror"}) {
    ExpectRefused("second_mode", mode, {mode, "needs a second_place"});
  }
}

TEST(PluginOptions, BadBooleansNameTheChoices) {
  for (const char* option : {"io_uring", "direct_io", "blob_files"}) {
    for (const char* value : {"yes", "2", "TRUE!", "off"}) {
      ExpectRefused(option, value, {value, "true, false"});
    }
  }
}

TEST(PluginOptions, UnknownOptionIsAnErrorThatNamesIt) {
  std::shared_ptr<FileSystem> file_system;
  const Status status = Create("id=bloom_lfs;bufer_bytes=4096", &file_system);
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.ToString().find("bufer_bytes"), std::string::npos) << status.ToString();
}

// Programs can fill the struct themselves.
TEST(PluginOptions, ValuesSetInCodeAreCheckedWhenTheFileSystemIsPrepared) {
  PluginOptions options;
  options.buffer_count = 1;
  const Status invalid = options.Validate();
  EXPECT_TRUE(invalid.IsInvalidArgument());
  EXPECT_NE(invalid.ToString().find("buffer_count = 1"), std::string::npos) << invalid.ToString();
  BloomLfsFileSystem file_system(FileSystem::Default(), options);
  EXPECT_TRUE(file_system.PrepareOptions(ConfigOptions()).IsInvalidArgument());
  EXPECT_TRUE(PluginOptions().Validate().ok());
}

TEST(PluginOptions, EachReachesTheStore) {
  PluginOptions options;
  options.buffer_bytes = 8192;
  options.buffer_count = 3;
  options.frontier_bytes = 65536;
  options.idle_flush_ms = 20;
  options.io_uring = false;
  options.direct_io = false;
  const lss::StoreOptions store = options.ForWal();
  EXPECT_EQ(store.write_mode, lss::WriteMode::kSerializedWrites);
  EXPECT_EQ(store.buffer_bytes, 8192U);
  EXPECT_EQ(store.buffer_count, 3U);
  EXPECT_EQ(store.frontier_bytes, 65536U);
  EXPECT_EQ(store.idle_flush_ms, 20U);
  EXPECT_FALSE(store.use_io_uring);
  EXPECT_FALSE(store.use_direct_io);
  EXPECT_TRUE(store.warn != nullptr);
  EXPECT_TRUE(PluginOptions().ForWal().Validate().ok());
}

TEST(PluginOptions, EachReachesTheStoreOfABlobFile) {
  PluginOptions options;
  options.blob_buffer_bytes = 8192;
  options.blob_buffer_count = 3;
  options.ring_budget_bytes = 1 << 20;
  const lss::StoreOptions store = options.ForBlob();
  EXPECT_EQ(store.write_mode, lss::WriteMode::kTailLocalizedWrites);
  EXPECT_EQ(store.buffer_bytes, 8192U);
  EXPECT_EQ(store.buffer_count, 3U);
  EXPECT_EQ(store.ring_budget_bytes, 1U << 20);
  EXPECT_TRUE(store.exact_size_when_synced);
  EXPECT_TRUE(store.Validate().ok());
}

TEST(PluginOptions, ValuesInForceCanBeRead) {
  std::shared_ptr<FileSystem> file_system;
  ASSERT_TRUE(Create("id=bloom_lfs;buffer_bytes=64K;io_uring=false", &file_system).ok());
  std::string text;
  const Status status = file_system->GetOptionString(ConfigOptions(), &text);
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_NE(text.find("buffer_bytes=65536"), std::string::npos) << text;
  EXPECT_NE(text.find("io_uring=false"), std::string::npos) << text;
}

// As text, with every option in it.
std::string InWords(const PluginOptions& options) {
  std::string text;
  for (const auto& [name, info] : PluginOptionTypes()) {
    std::string value;
    const Status status = info.Serialize(ConfigOptions(), name, &options, &value);
    EXPECT_TRUE(status.ok()) << name << ": " << status.ToString();
    text += name + "=" + value + ";";
  }
  return text;
}

// BLOOM_LFS_OPTIONS is read without RocksDB's help, to the same effect.
TEST(PluginOptions, ParseAgreesWithFsUri) {
  for (const char* text : {"",
                           "buffer_bytes=64K",
                           "buffer_bytes=64k;buffer_count=3;",
                           " frontier_bytes = 0 ; io_uring=0",
                           "idle_flush_ms=1;direct_io=false",
                           "buffer_bytes=1",
                           "buffer_count=257",
                           "buffer_count=",
                           "idle_flush_ms=soon",
                           "io_uring=maybe",
                           "frontier_bytes=1",
                           "no_such_option=1",
                           "blob_files=0",
                           "blob_files=none",
                           "blob_buffer_bytes=8K;blob_buffer_count=2",
                           "blob_direct_bytes=1M",
                           "blob_direct_bytes=x",
                           "ring_budget_bytes=0",
                           "blob_flash={path=/flash/tier;size=128M}",
                           "blob_flash=",
                           "blob_flash={path=/flash/tier;size=1};io_uring=false",
                           "blob_flash={size=128M}"}) {
    std::shared_ptr<FileSystem> file_system;
    const Status by_uri = Create(std::string("id=bloom_lfs;") + text, &file_system);
    PluginOptions parsed;
    const Status status = parsed.Parse(text);
    EXPECT_EQ(status.ok(), by_uri.ok())
        << text << ": " << status.ToString() << "; " << by_uri.ToString();
    if (!status.ok() || !by_uri.ok()) {
      EXPECT_TRUE(status.IsInvalidArgument()) << text << ": " << status.ToString();
      continue;
    }
    EXPECT_EQ(InWords(parsed), InWords(*file_system->GetOptions<PluginOptions>())) << text;
  }
}

// No option is known to one way of giving them only.
TEST(PluginOptions, ParseTakesWhatIsPrinted) {
  PluginOptions options;
  EXPECT_GE(PluginOptionTypes().size(), 11U);
  const Status status = options.Parse(InWords(PluginOptions()));
  EXPECT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(InWords(options), InWords(PluginOptions()));
}

}  // namespace
}  // namespace bloom_lfs

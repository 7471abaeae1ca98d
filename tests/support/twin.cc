#include "tests/support/twin.h"

#include <gtest/gtest.h>
#include <rocksdb/iterator.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <map>
#include <memory>
#include <regex>
#include <system_error>
#include <thread>
#include <utility>

#include "lss/base/crc32c.h"
#include "tests/support/deferred_work.h"
#include "tests/support/files.h"

namespace bloom_lfs::test {
namespace fs = std::filesystem;

namespace {

bool ContentsCount(const std::string& name) {
  static const std::regex pattern(R"((.*/)?\d+\.(log|blob))");
  return std::regex_match(name, pattern);
}

// RocksDB's info log is its own affair; backups put a session's id and a size that follows from
// times into the names of table files.
std::map<std::string, std::string> ComparableFiles(const std::string& directory, Files compared) {
  static const std::regex info_log(R"((.*/)?LOG(\.old\..*)?)");
  static const std::regex session(R"(_s[0-9A-Z]{20}(_\d+)?)");
  std::map<std::string, std::string> files;
  for (const auto& [name, facts] : ListTree(directory)) {
    if (!std::regex_match(name, info_log)) {
      files[std::regex_replace(name, session, "_s*")] =
          compared == Files::kBytes && ContentsCount(name)
              ? std::to_string(facts.size) + " bytes, checksum " + std::to_string(facts.crc)
              : "";
    }
  }
  return files;
}

std::string Masked(std::string text, const std::string& directory) {
  for (size_t at = text.find(directory); at != std::string::npos; at = text.find(directory)) {
    text.replace(at, directory.size(), "<dir>");
  }
  return text;
}

// The first answers that differ, and how many more do. Empty if none do.
std::string Differences(const std::vector<std::string>& stock,
                        const std::vector<std::string>& plugin) {
  constexpr size_t kShown = 10;
  std::string shown;
  size_t differences = 0;
  for (size_t i = 0; i < std::max(stock.size(), plugin.size()); ++i) {
    const std::string on_stock = i < stock.size() ? stock[i] : "(nothing)";
    const std::string on_plugin = i < plugin.size() ? plugin[i] : "(nothing)";
    if (on_stock != on_plugin && ++differences <= kShown) {
      shown += "answer " + std::to_string(i) + "\n  stock:  " + on_stock +
               "\n  plugin: " + on_plugin + "\n";
    }
  }
  return differences <= kShown ? shown : shown + std::to_string(differences) + " in all\n";
}

// Empty if the scenario ran to its end.
std::string Run(const std::function<void(TwinSide&)>& scenario, TwinSide* side) {
  try {
    scenario(*side);
    return "";
  } catch (const std::exception& e) {
    return e.what();
  }
}

}  // namespace

TwinSide::TwinSide(With with, std::string directory)
    : with_(with), directory_(std::move(directory)), env_(with) {}

void TwinSide::Say(const std::string& question, const std::string& answer) {
  answers_.push_back(question + ": " + Masked(answer, directory_));
  if (::getenv("BLOOM_LFS_TWIN_ANSWERS") != nullptr) {
    std::fprintf(stderr, "%s: %s\n", name().c_str(), answers_.back().c_str());
  }
}

void TwinSide::Say(const std::string& question, const rocksdb::Status& answer) {
  Say(question, answer.ToString());
}

void TwinSide::Say(const std::string& question, uint64_t answer) {
  Say(question, std::to_string(answer));
}

void TwinSide::SayBytes(const std::string& question, const std::string& bytes) {
  Say(question, std::to_string(bytes.size()) + " bytes, checksum " +
                    std::to_string(lss::Crc32c(0, bytes.data(), bytes.size())));
}

void TwinSide::SayContents(const std::string& question, rocksdb::DB* db,
                           rocksdb::ColumnFamilyHandle* family) {
  const std::unique_ptr<rocksdb::Iterator> rows(db->NewIterator(
      rocksdb::ReadOptions(), family != nullptr ? family : db->DefaultColumnFamily()));
  uint64_t count = 0;
  uint32_t crc = 0;
  for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
    ++count;
    crc = lss::Crc32c(crc, rows->key().data(), rows->key().size());
    crc = lss::Crc32c(crc, rows->value().data(), rows->value().size());
  }
  Say(question, std::to_string(count) + " rows, checksum " + std::to_string(crc) + ", " +
                    rows->status().ToString());
}

void AwaitEndOfRings(const std::string& directory) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  const auto are_left = [&] {
    std::error_code ignored;  // what vanishes while we look is what we wait for
    for (fs::recursive_directory_iterator entry(directory, ignored), end; entry != end;
         entry.increment(ignored)) {
      if (entry->path().filename() == ".bloom_lfs") return true;
    }
    return false;
  };
  while (are_left() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void AwaitRings() { AwaitDeferredWork(); }

void ExpectTwins(const std::function<void(TwinSide&)>& scenario, Files files) {
  const TempDir stock_dir;
  const TempDir plugin_dir;
  TwinSide stock(With::kStock, stock_dir.path());
  TwinSide plugin(With::kPlugin, plugin_dir.path());
  EXPECT_EQ(Run(scenario, &stock), "") << "on stock RocksDB";
  EXPECT_EQ(Run(scenario, &plugin), "") << "on the plugin";
  const std::string differences = Differences(stock.answers(), plugin.answers());
  EXPECT_TRUE(differences.empty()) << differences;
  if (files == Files::kNone) return;
  AwaitEndOfRings(plugin_dir.path());
  EXPECT_EQ(ComparableFiles(stock_dir.path(), files), ComparableFiles(plugin_dir.path(), files))
      << "first: stock, second: plugin";
}

}  // namespace bloom_lfs::test

// The JSON document: it says what was measured, comes back as it was, and nothing else gets in.

#include "db_bench_ext/results_document.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "db_bench_ext/baseline.h"
#include "tests/support/files.h"
#include "tests/support/results_document.h"
#include "tests/support/temp_dir.h"

namespace bloom_lfs::bench {
namespace {

using sample::DocumentOfFileSystems;
using sample::Row;
using sample::RowWithArms;
using sample::SomeDocument;

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string Json(const ResultsDocument& document) { return RenderJson(document).value(); }

TEST(ResultsDocumentTest, ItComesBackAsItWas) {
  ResultsDocument document = SomeDocument();
  document.interrupted = true;
  const std::string json = Json(document);
  const Result<ResultsDocument> back = ParseJson(json, "x.json");
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(Json(back.value()), json);
  EXPECT_EQ(back.value().facts, document.facts);
  EXPECT_TRUE(back.value().interrupted);
}

TEST(ResultsDocumentTest, TheFieldsAreThoseOfTheSchema) {
  const nlohmann::json json = nlohmann::json::parse(Json(SomeDocument()));
  EXPECT_EQ(json["format"], "db_bench_ext results");
  EXPECT_EQ(json["version"], 2);
  EXPECT_EQ(json["pairs_measured"], 21);
  EXPECT_EQ(json["pairs_planned"], 35);
  EXPECT_EQ(json["facts"]["kernel"], "Linux 6");
  const nlohmann::json& row = json["rows"][0];
  EXPECT_EQ(row["metric"], "ops_per_s");
  EXPECT_EQ(row["difference"], "better");
  EXPECT_DOUBLE_EQ(row["ratio"], 1.5);
  EXPECT_DOUBLE_EQ(row["interval"]["high"], 1.6);
  const nlohmann::json& arm = row["pairs"][0]["plugin"];
  EXPECT_EQ(arm["metric"], 150);
  EXPECT_EQ(arm["latency_us"]["p99.99"], 9000);
  EXPECT_EQ(arm["peak_memory_bytes"], 30 << 20);
  EXPECT_EQ(arm["written_per_user_byte"], 2.5);
  EXPECT_EQ(arm["device_written_bytes"], 7000);
  EXPECT_EQ(arm["device_written_per_user_byte"], 3.5);
  EXPECT_EQ(arm["longest_us"], 123456);
  EXPECT_EQ(arm["over_time"]["interval_s"], 0.1);
  EXPECT_EQ(arm["over_time"]["ops_per_s"], nlohmann::json({150, 150, 0, 0, 150}));
  EXPECT_DOUBLE_EQ(arm["over_time"]["stalls"][0]["begin_s"], 0.2);
  EXPECT_EQ(row["pairs"][0]["durable_overwrites"]["latency_us"]["p99"], 60);
  EXPECT_FALSE(row.contains("beside_fio"));
  EXPECT_EQ(json["rows"][3]["beside_fio"], true);
  EXPECT_EQ(json["rows"][1]["difference"], "worse");
  EXPECT_EQ(json["rows"][2]["difference"], "none");
  EXPECT_EQ(json["rows"][2]["verdict"], "no difference");
  EXPECT_EQ(json["rows"][3]["difference"], "better") << "a time, of which less is better";
  EXPECT_EQ(json["rows"][4]["difference"], "unknown");
  EXPECT_EQ(json["rows"][5]["failure"], "stock: the child exited with 1");
  EXPECT_EQ(json["rows"][6]["skipped"], "needs root");
}

TEST(ResultsDocumentTest, FurtherArmsAreInTheirRowsAndPairs) {
  const std::string text = Json(MakeDocument({RowWithArms("better")}, 3));
  EXPECT_EQ(Json(ParseJson(text, "x.json").value()), text);
  const nlohmann::json row = nlohmann::json::parse(text)["rows"][0];
  EXPECT_EQ(row["further_arms"][0]["name"], "plugin{a=<1>}");
  EXPECT_EQ(row["further_arms"][0]["difference"], "better");
  EXPECT_EQ(row["further_arms"][0]["pairs"], 5);
  EXPECT_DOUBLE_EQ(row["further_arms"][0]["ratio"], 2);
  EXPECT_DOUBLE_EQ(row["further_arms"][0]["interval"]["low"], 200.0 / 110);
  EXPECT_EQ(row["pairs"][0]["further_arms"]["plugin{a=<1>}"]["metric"], 200);
  EXPECT_EQ(row["absent_arms"]["no-wal"], "without a log there is nothing to sync");
}

TEST(ResultsDocumentTest, EachFileSystemHasASection) {
  const std::string text = Json(DocumentOfFileSystems());
  EXPECT_EQ(Json(ParseJson(text, "x.json").value()), text);
  const nlohmann::json json = nlohmann::json::parse(text);
  EXPECT_TRUE(json["rows"].empty());
  EXPECT_EQ(json["pairs_measured"], 10);
  ASSERT_EQ(json["file_systems"].size(), 3U);
  EXPECT_EQ(json["file_systems"][1]["name"], "xfs");
  EXPECT_EQ(json["file_systems"][1]["facts"]["file system"], "xfs");
  EXPECT_EQ(json["file_systems"][1]["rows"][0]["name"], "better");
  EXPECT_EQ(json["file_systems"][2]["skipped"],
            "mkfs.btrfs does not run; install it (Debian: btrfs-progs)");
}

TEST(ResultsDocumentTest, BytesThatAreNoTextDoNoHarm) {
  ResultsDocument document = SomeDocument();
  document.rows[5].failure = "\xff\"\n\x01";
  EXPECT_TRUE(ParseJson(Json(document), "x.json").ok());
}

void ExpectRefused(const std::string& text, const std::string& cause) {
  const Result<ResultsDocument> parsed = ParseJson(text, "x.json");
  ASSERT_FALSE(parsed.ok()) << text.substr(0, 200);
  EXPECT_EQ(parsed.error().message.rfind("x.json ", 0), 0U) << parsed.error().message;
  EXPECT_TRUE(Contains(parsed.error().message, cause)) << parsed.error().message;
}

void ExpectFieldRefused(nlohmann::json json, const char* pointer, const nlohmann::json& value,
                        const char* cause) {
  json[nlohmann::json::json_pointer(pointer)] = value;
  ExpectRefused(json.dump(), cause);
}

TEST(DamagedDocumentTest, WhatIsSomethingElseIsRefused) {
  ExpectRefused("", "no JSON");
  ExpectRefused("# Results\n", "no JSON");
  for (const char* other : {"{}", "[]", "null", "7", "{\"format\": 1}"}) {
    ExpectRefused(other, "not one of db_bench_ext's");
  }
  ExpectRefused(std::string(200000, '['), "no JSON");
}

TEST(DamagedDocumentTest, NoBeginningOfADocumentIsTakenForOne) {
  const std::string json = Json(SomeDocument());
  for (size_t length = 0; length + 2 < json.size(); length += 97) {
    ExpectRefused(json.substr(0, length), "no JSON");
  }
}

TEST(DamagedDocumentTest, AnotherVersionIsToldFromDamage) {
  nlohmann::json json = nlohmann::json::parse(Json(SomeDocument()));
  json["version"] = 0;
  ExpectRefused(json.dump(), "is of version 0, and this program reads 2");
}

TEST(DamagedDocumentTest, FieldsThatAreMissingOrMakeNoSenseAreNamed) {
  const nlohmann::json whole = nlohmann::json::parse(Json(SomeDocument()));
  const auto refused = [&](const char* pointer, const nlohmann::json& value, const char* cause) {
    ExpectFieldRefused(whole, pointer, value, cause);
  };
  refused("/rows", 7, "\"rows\"");
  refused("/rows/0", 7, "\"name\"");
  refused("/rows/0/metric", "bananas", "bananas");
  refused("/rows/0/ratio", 1.6, "what is said of better is not what its pairs say");
  refused("/rows/0/pairs/0/stock/metric", 0, "\"metric\" is not above 0");
  refused("/rows/0/pairs/0/stock/metric", -5, "\"metric\" is no number, or negative");
  refused("/rows/0/pairs/0/stock/metric", 123, "is not what its pairs say");
  refused("/rows/0/pairs/0/plugin", nullptr, "\"plugin\"");
  refused("/rows/0/pairs/0/plugin/latency_us/p99", "x", "\"p99\"");
  refused("/rows/0/pairs/0/plugin/over_time/interval_s", 0, "\"interval_s\" is not above 0");
  refused("/rows/0/pairs/0/plugin/over_time/interval_s", 1e300, "\"interval_s\" is too large");
  refused("/rows/0/pairs/0/plugin/over_time/ops_per_s", nlohmann::json::array(), "no length");
  refused("/rows/0/pairs/0/plugin/over_time/ops_per_s/1", -1, "\"ops_per_s\" holds");
  refused("/rows/0/pairs/0/plugin/over_time", 5, "\"interval_s\"");
  refused("/rows/0/pairs/0/plugin/device_written_bytes", -1, "\"device_written_bytes\"");
  refused("/rows/0/beside_fio", 1, "\"beside_fio\"");
  refused("/rows/0/interval", 3, "\"low\"");
  refused("/rows/0/interval/low", 0, "\"low\" is not above 0");
  refused("/rows/0/interval/low", 1.2, "is not what its pairs say");
  refused("/rows/0/interval/high", 9, "is not what its pairs say");
  refused("/rows/0/interval", nullptr, "\"low\"");
  refused("/rows/0/difference", "worse", "is not what its pairs say");
  refused("/pairs_planned", 1e300, "\"pairs_planned\"");
  refused("/interrupted", "no", "\"interrupted\"");
}

TEST(DamagedDocumentTest, ArmsAndSectionsThatMakeNoSenseAreNamed) {
  const nlohmann::json whole = nlohmann::json::parse(Json(DocumentOfFileSystems()));
  const auto refused = [&](const char* pointer, const nlohmann::json& value, const char* cause) {
    ExpectFieldRefused(whole, pointer, value, cause);
  };
  refused("/file_systems", 7, "\"file_systems\"");
  refused("/file_systems/0", 7, "\"name\"");
  refused("/file_systems/0/rows/0/further_arms", nlohmann::json::array(), "has no summary");
  refused("/file_systems/0/rows/0/further_arms/0/ratio", 3, "is not what its pairs say");
  refused("/file_systems/0/rows/0/pairs/1/further_arms", 7, "\"further_arms\"");
  refused("/file_systems/0/rows/0/absent_arms/no-wal", 7, "\"no-wal\"");
}

// Any byte of it may be another. Then it is refused, or still one that can be shown.
TEST(DamagedDocumentTest, NoOtherByteMakesItCrash) {
  const std::string json = Json(SomeDocument());
  std::mt19937 draw(1);
  int refused = 0;
  for (int i = 0; i < 500; ++i) {
    std::string damaged = json;
    damaged[draw() % damaged.size()] = static_cast<char>(draw() % 256);
    const Result<ResultsDocument> parsed = ParseJson(damaged, "x.json");
    if (parsed.ok()) {
      EXPECT_TRUE(RenderJson(parsed.value()).ok());
    } else {
      ++refused;
    }
  }
  EXPECT_GT(refused, 150);
}

class BaselineTest : public testing::Test {
 protected:
  Result<ResultsDocument> Read(const std::string& text, const std::string& row = "better") {
    test::WriteFile(path_, text);
    return ReadBaseline(path_, {Row(row, Metric::kOpsPerS, {}).workload});
  }
  const test::TempDir directory_;
  const std::string path_ = directory_ / "old.json";
};

TEST_F(BaselineTest, OneThatCannotBeUsedIsNamed) {
  for (const char* text : {"", "{", "{}"}) {
    const Result<ResultsDocument> read = Read(text);
    ASSERT_FALSE(read.ok());
    EXPECT_TRUE(Contains(read.error().message, "the baseline " + path_)) << read.error().message;
  }
  EXPECT_FALSE(ReadBaseline(directory_.path(), {}).ok()) << "a directory";
  EXPECT_FALSE(ReadBaseline(directory_ / "absent", {}).ok());
  const Result<ResultsDocument> other = Read(Json(SomeDocument()), "another-row");
  ASSERT_FALSE(other.ok());
  EXPECT_TRUE(Contains(other.error().message, "none of the rows")) << other.error().message;
  EXPECT_TRUE(Read(Json(SomeDocument())).ok());
}

TEST_F(BaselineTest, OneOfFileSystemsIsForTheSameOnes) {
  test::WriteFile(path_, Json(DocumentOfFileSystems()));
  const std::vector<Workload> rows = {RowWithArms("better").workload};
  EXPECT_TRUE(ReadBaseline(path_, rows, {"btrfs", "xfs"}).ok());
  EXPECT_FALSE(ReadBaseline(path_, rows, {"btrfs"}).ok());
  EXPECT_FALSE(ReadBaseline(path_, rows).ok());
  const std::string text = RenderBaseline(DocumentOfFileSystems(), DocumentOfFileSystems());
  EXPECT_TRUE(Contains(text, "\non xfs:\n- better, 100 B: 1.50×")) << text;
  EXPECT_FALSE(Contains(text, "on btrfs")) << text;
}

TEST(CompareWithBaselineTest, IntervalsThatMeetShowNoDifference) {
  const auto verdict = [](Metric metric, double then, double now) {
    const auto document = [&](double plugin) {
      return MakeDocument({Row("row", metric,
                               {{100, plugin},
                                {100, plugin + 10},
                                {100, plugin + 5},
                                {100, plugin + 5},
                                {100, plugin + 5}})},
                          5);
    };
    return CompareWithBaseline(document(now), document(then)).at(0).verdict;
  };
  EXPECT_EQ(verdict(Metric::kOpsPerS, 100, 109), "no difference");
  EXPECT_EQ(verdict(Metric::kOpsPerS, 100, 130), "better");
  EXPECT_EQ(verdict(Metric::kOpsPerS, 130, 100), "worse");
  EXPECT_EQ(verdict(Metric::kP999Us, 130, 100), "better");
  EXPECT_EQ(verdict(Metric::kP999Us, 100, 130), "worse");
}

TEST(CompareWithBaselineTest, FurtherArmsAreComparedByTheirNames) {
  const std::string arm = "no-wal";
  ResultsDocument then = SomeDocument();
  ArmSummary summary;
  summary.arm = arm;
  summary.median_pair_ratio = 2;
  summary.interval = Interval{1.9, 2.1};
  then.rows[0].further = {summary};
  ResultsDocument now = then;
  const std::string title = now.rows[0].title + ", " + arm;
  EXPECT_TRUE(Contains(RenderBaseline(now, then), "- " + title + ": "))
      << RenderBaseline(now, then);
  now.rows[0].further[0].interval = Interval{8, 9};
  EXPECT_TRUE(Contains(RenderBaseline(now, then), "now: better\n"));
  now.rows[0].further[0].arm = "another";
  EXPECT_FALSE(Contains(RenderBaseline(now, then), "- " + title + ": "));
}

TEST(CompareWithBaselineTest, OtherCircumstancesAreSaid) {
  const ResultsDocument then = SomeDocument();
  ResultsDocument now = then;
  now.facts = {{"machine", "2 × processor"}, {"kernel", "Linux 7"}, {"date", "2027-01-01"}};
  now.rows.resize(5);
  const std::string text = RenderBaseline(now, then);
  EXPECT_TRUE(Contains(text, "- other kernel: was Linux 6, is Linux 7\n")) << text;
  EXPECT_TRUE(Contains(text,
                       "- better, 100 B: 1.50× (1.36–1.60) then, 1.50× (1.36–1.60) now: "
                       "no difference\n"))
      << text;
  EXPECT_TRUE(Contains(text, "one, 100 B: 1.30× then, 1.30× now: too few pairs\n")) << text;
  EXPECT_FALSE(Contains(text, "date")) << text;
}

}  // namespace
}  // namespace bloom_lfs::bench

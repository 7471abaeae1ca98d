// What `bloom_lfs doctor` makes of what it found: no disk is asked here.
#include "plugin/tool/doctor_verdict.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace bloom_lfs::tool {
namespace {

CostFacts CostsOf(double stock_us, double overwrite_us, double unwritten_us, size_t rounds = 12) {
  CostFacts costs;
  costs.stock_sync = {1000, stock_us, stock_us, 2 * stock_us};
  costs.durable_overwrite = {1000, overwrite_us, overwrite_us, 2 * overwrite_us};
  costs.durable_unwritten = {1000, unwritten_us, unwritten_us, 2 * unwritten_us};
  costs.rounds.assign(rounds, {stock_us, overwrite_us, unwritten_us});
  return costs;
}

// An ext4 on a disk without FUA, and a process that may do everything.
DoctorFacts Healthy() {
  DoctorFacts facts;
  facts.directory = "/db";
  facts.file_system.type = "ext4";
  facts.file_system.journal = true;
  facts.file_system.free_bytes = uint64_t{100} << 30;
  facts.file_system.birth_times = true;
  facts.file_system.nameless_files = true;
  facts.file_system.allocates_ahead = true;
  facts.file_system.durable_flag = true;
  facts.file_system.shared_mapping = true;
  facts.file_system.posix_locks = facts.file_system.ofd_locks = true;
  facts.file_system.flock_locks = true;
  facts.file_system.direct_io = {true, "", true, 512, 512};
  facts.process.io_uring = true;
  facts.process.boot_id = true;
  facts.process.open_files_max = 1 << 20;
  facts.process.ring_memory = true;
  facts.process.ring_memory_free_bytes = uint64_t{1} << 30;
  facts.rocksdb = {
      "7.8.3", "librocksdb.so.7.8", "/usr/lib/librocksdb.so.7.8", "Not supported on x86", false,
      false};
  facts.costs = CostsOf(245, 115, 240);
  return facts;
}

bool AnyHas(const std::vector<std::string>& sentences, const std::string& words) {
  return std::any_of(sentences.begin(), sentences.end(), [&](const std::string& each) {
    return each.find(words) != std::string::npos;
  });
}

std::string ValueOf(const DoctorVerdict& verdict, const std::string& option) {
  for (const OptionAdvice& each : verdict.options) {
    if (each.option == option) {
      return each.value;
    }
  }
  return "unset";
}

TEST(DoctorVerdictTest, ADiskWhoseOverwritesAreCheaperIsAGain) {
  const DoctorVerdict verdict = JudgeFacts(Healthy());
  EXPECT_EQ(verdict.outlook, Outlook::kGain);
  EXPECT_TRUE(verdict.fine());
  EXPECT_NEAR(verdict.synced.expected, 2.0, 1e-9);  // (245 + 15) / (115 + 15)
  EXPECT_LT(verdict.synced.low, 2.0);
  EXPECT_GT(verdict.synced.high, 2.0);
  EXPECT_NE(verdict.headline.find("2.0 times"), std::string::npos) << verdict.headline;
  EXPECT_TRUE(AnyHas(verdict.reasons, "Writes without sync: not slower"));
  EXPECT_TRUE(verdict.notes.empty()) << verdict.notes.front();
}

TEST(DoctorVerdictTest, RocksDbsOwnWorkBoundsTheGainOfFastDisks) {
  // Five times as cheap, but RocksDB takes most of the time.
  const SpeedRatio ratio = PredictSynced({}, CostsOf(10, 2, 10));
  EXPECT_NEAR(ratio.expected, 25.0 / 17.0, 1e-9);
}

TEST(DoctorVerdictTest, MoreExpensiveSyncsOfStockNeverLowerThePrediction) {
  for (int overwrite_us = 1; overwrite_us < 100'000; overwrite_us *= 3) {
    double last = 0;
    for (int stock_us = 1; stock_us < 1'000'000; stock_us *= 2) {
      const SpeedRatio ratio = PredictSynced({}, CostsOf(stock_us, overwrite_us, stock_us));
      EXPECT_GT(ratio.expected, last);
      EXPECT_LT(ratio.low, ratio.expected);
      EXPECT_GT(ratio.high, ratio.expected);
      last = ratio.expected;
    }
  }
}

TEST(DoctorVerdictTest, ADiskThatWandersWidensTheBandAndNotTheMedian) {
  CostFacts steady = CostsOf(245, 115, 240, 11);
  CostFacts wandering = steady;
  for (size_t i = 0; i < 4; ++i) {
    wandering.rounds[i].stock_sync *= 3;
    wandering.rounds[10 - i].durable_overwrite *= 3;
  }
  const SpeedRatio narrow = PredictSynced({}, steady);
  const SpeedRatio wide = PredictSynced({}, wandering);
  EXPECT_NEAR(wide.expected, narrow.expected, 1e-9);
  EXPECT_LT(wide.low, 0.6 * narrow.low);
  EXPECT_GT(wide.high, 1.8 * narrow.high);
}

TEST(DoctorVerdictTest, RoundsWithoutAFigureAreLeftOut) {
  CostFacts costs = CostsOf(245, 115, 240, 3);
  costs.rounds.push_back({245, 0, 240});
  EXPECT_NEAR(PredictSynced({}, costs).expected, 2.0, 1e-9);
  EXPECT_EQ(PredictSynced({}, CostFacts()).expected, 0);
}

TEST(DoctorVerdictTest, InMemoryThereIsNothingToGain) {
  DoctorFacts facts = Healthy();
  facts.file_system.in_memory = true;
  facts.costs = CostsOf(20, 1, 1);  // even if the figures happen to look like it
  const DoctorVerdict verdict = JudgeFacts(facts);
  EXPECT_EQ(verdict.outlook, Outlook::kNoGain);
  EXPECT_FALSE(verdict.fine());
  EXPECT_NE(verdict.headline.find("don't: nothing to gain here, because /db is in memory"),
            std::string::npos)
      << verdict.headline;
}

TEST(DoctorVerdictTest, CopyOnWriteSyncsAsStockDoesWhateverOverwritesCost) {
  DoctorFacts facts = Healthy();
  facts.file_system.type = "btrfs";
  facts.file_system.copy_on_write = true;
  facts.file_system.direct_io.works = false;  // nobody asks for it there
  const DoctorVerdict verdict = JudgeFacts(facts);
  EXPECT_EQ(verdict.outlook, Outlook::kNoGain);
  EXPECT_EQ(verdict.synced.expected, 1.0);
  EXPECT_NE(verdict.headline.find("btrfs"), std::string::npos);
  EXPECT_TRUE(AnyHas(verdict.reasons, "Writes without sync: not slower"));
  EXPECT_TRUE(verdict.options.empty());
}

TEST(DoctorVerdictTest, NoGainSaysWhy) {
  DoctorFacts facts = Healthy();
  facts.costs = CostsOf(12, 10, 12);
  EXPECT_NE(JudgeFacts(facts).headline.find("RocksDB's own work"), std::string::npos);
  facts.costs = CostsOf(200, 205, 200);
  const DoctorVerdict verdict = JudgeFacts(facts);
  EXPECT_EQ(verdict.outlook, Outlook::kNoGain);
  EXPECT_NE(verdict.headline.find("200 µs"), std::string::npos) << verdict.headline;
  EXPECT_NE(verdict.headline.find("205 µs"), std::string::npos) << verdict.headline;
}

TEST(DoctorVerdictTest, ABusyMachineGivesNoVerdictWhereFiguresDecide) {
  DoctorFacts facts = Healthy();
  facts.costs.processor_wait = 0.08;
  EXPECT_EQ(JudgeFacts(facts).outlook, Outlook::kGain);
  facts.costs.processor_wait = 0.2;
  const DoctorVerdict verdict = JudgeFacts(facts);
  EXPECT_EQ(verdict.outlook, Outlook::kUnsure);
  EXPECT_FALSE(verdict.fine());
  EXPECT_NE(verdict.headline.find("20 %"), std::string::npos) << verdict.headline;

  facts.file_system.copy_on_write = true;
  EXPECT_EQ(JudgeFacts(facts).outlook, Outlook::kNoGain);
  facts.file_system.copy_on_write = false;
  facts.file_system.in_memory = true;
  EXPECT_EQ(JudgeFacts(facts).outlook, Outlook::kNoGain);
}

TEST(DoctorVerdictTest, WhatIsRefusedBecomesAnOption) {
  DoctorFacts facts = Healthy();
  facts.file_system.direct_io = {false, "Invalid argument (errno 22)", false, 0, 0};
  facts.process.io_uring = false;
  facts.process.io_uring_refusal = "io_uring_setup: Operation not permitted";
  const DoctorVerdict verdict = JudgeFacts(facts);
  EXPECT_EQ(verdict.outlook, Outlook::kGain);
  EXPECT_FALSE(verdict.fine());
  EXPECT_EQ(ValueOf(verdict, "direct_io"), "false");
  EXPECT_EQ(ValueOf(verdict, "io_uring"), "false");
  EXPECT_NE(verdict.options.back().reason.find("Operation not permitted"), std::string::npos);
}

TEST(DoctorVerdictTest, AnAlignmentThatIsTooCoarseIsNamed) {
  DoctorFacts facts = Healthy();
  facts.file_system.direct_io = {false, "Invalid argument (errno 22)", true, 4096, 16384};
  const DoctorVerdict verdict = JudgeFacts(facts);
  ASSERT_EQ(ValueOf(verdict, "direct_io"), "false");
  EXPECT_NE(verdict.options.front().reason.find("16384"), std::string::npos);
}

TEST(DoctorVerdictTest, AFrontierThatSavesNothingIsTurnedOff) {
  DoctorFacts facts = Healthy();
  facts.costs = CostsOf(245, 115, 116);
  EXPECT_EQ(ValueOf(JudgeFacts(facts), "frontier_bytes"), "0");
  facts.costs = CostsOf(245, 115, 130);
  EXPECT_EQ(ValueOf(JudgeFacts(facts), "frontier_bytes"), "unset");
  facts.costs = CostsOf(245, 115, 116, 5);  // too few to be sure
  EXPECT_EQ(ValueOf(JudgeFacts(facts), "frontier_bytes"), "unset");
  facts.costs = CostsOf(115, 115, 116);  // no gain: nothing to set
  EXPECT_EQ(ValueOf(JudgeFacts(facts), "frontier_bytes"), "unset");
}

TEST(DoctorVerdictTest, SmallLimitsAreToBeRaised) {
  const auto only_change = [](const DoctorFacts& facts) {
    const DoctorVerdict verdict = JudgeFacts(facts);
    EXPECT_EQ(verdict.to_change.size(), 1U);
    EXPECT_FALSE(verdict.fine());
    return verdict.to_change.empty() ? "" : verdict.to_change.front();
  };
  DoctorFacts facts = Healthy();
  facts.process.open_files_max = 1023;
  EXPECT_NE(only_change(facts).find("ulimit -n"), std::string::npos);
  facts = Healthy();
  facts.process.file_size_max_bytes = 64 << 20;
  EXPECT_NE(only_change(facts).find("67108864"), std::string::npos);
  facts = Healthy();
  facts.file_system.free_bytes = 100 << 20;
  EXPECT_NE(only_change(facts).find("100 MiB"), std::string::npos);

  facts = Healthy();  // at the limits
  facts.process.open_files_max = 1024;
  facts.process.file_size_max_bytes = uint64_t{1} << 30;
  facts.file_system.free_bytes = uint64_t{256} << 20;
  EXPECT_TRUE(JudgeFacts(facts).fine());
  facts.process.open_files_max.reset();
  facts.process.file_size_max_bytes.reset();
  EXPECT_TRUE(JudgeFacts(facts).fine());
}

TEST(DoctorVerdictTest, WithoutMappingsOrLocksThePluginCarriesNothing) {
  for (const bool mapping : {true, false}) {
    DoctorFacts facts = Healthy();
    facts.file_system.shared_mapping = mapping;
    facts.file_system.posix_locks = !mapping;
    const DoctorVerdict verdict = JudgeFacts(facts);
    EXPECT_EQ(verdict.outlook, Outlook::kNotReached);
    EXPECT_NE(verdict.headline.find(mapping ? "locks" : "mappings"), std::string::npos);
    EXPECT_EQ(verdict.synced.high, 1);
  }
  DoctorFacts facts = Healthy();
  facts.file_system.posix_locks.reset();  // not known is not refused
  EXPECT_EQ(JudgeFacts(facts).outlook, Outlook::kGain);
}

TEST(DoctorVerdictTest, ToKnowIsNotToDo) {
  DoctorFacts facts = Healthy();
  facts.file_system.durable_flag = false;
  facts.file_system.allocates_ahead = false;
  facts.file_system.birth_times = false;
  facts.file_system.flock_locks = false;
  facts.process.boot_id = false;
  facts.process.ring_memory = false;
  facts.device.io_limits = {"io.max: rbps=max wbps=1048576"};
  const DoctorVerdict verdict = JudgeFacts(facts);
  EXPECT_TRUE(verdict.fine());
  for (const char* words : {"RWF_DSYNC", "fallocate", "birth times", "flock", "boot id",
                            "ring_directory", "wbps=1048576"}) {
    EXPECT_TRUE(AnyHas(verdict.notes, words)) << words;
  }
  facts.process.ring_memory = true;
  facts.process.ring_memory_free_bytes = 10 << 20;
  EXPECT_TRUE(AnyHas(JudgeFacts(facts).notes, "/dev/shm has 10 MiB free"));
}

TEST(DoctorVerdictTest, LargeBlobsWithoutJournalAreWarnedOf) {
  DoctorFacts facts = Healthy();
  facts.file_system.journal = false;
  EXPECT_FALSE(AnyHas(JudgeFacts(facts).notes, "blob_files=false"));
  facts.rocksdb.fast_checksum = true;
  EXPECT_TRUE(AnyHas(JudgeFacts(facts).notes, "blob_files=false"));
  facts.file_system.journal.reset();  // unknown
  EXPECT_FALSE(AnyHas(JudgeFacts(facts).notes, "blob_files=false"));
}

ProgramLinkage LinkedTo(RocksDbLinkage rocksdb, const std::string& soname = "") {
  ProgramLinkage program;
  program.path = "/usr/bin/service";
  program.rocksdb = rocksdb;
  program.soname = soname;
  return program;
}

TEST(DoctorVerdictTest, ProgramsThatPreloadingReaches) {
  DoctorFacts facts = Healthy();
  facts.program = LinkedTo(RocksDbLinkage::kShared, "librocksdb.so.7.8");
  DoctorVerdict verdict = JudgeFacts(facts);
  EXPECT_TRUE(verdict.fine());
  EXPECT_TRUE(AnyHas(verdict.notes, "Preloading reaches"));
  facts.program->through = "/usr/lib/libservice.so";
  EXPECT_TRUE(AnyHas(JudgeFacts(facts).notes, "by /usr/lib/libservice.so"));

  facts.program = LinkedTo(RocksDbLinkage::kNone);
  facts.program->unfound = {"libgone.so.1"};
  verdict = JudgeFacts(facts);
  EXPECT_EQ(verdict.outlook, Outlook::kGain);
  EXPECT_TRUE(AnyHas(verdict.notes, "No RocksDB is in /usr/bin/service"));
  EXPECT_TRUE(AnyHas(verdict.notes, "libgone.so.1"));
}

TEST(DoctorVerdictTest, ProgramsThatItDoesNotReach) {
  const auto headline = [](const ProgramLinkage& program) {
    DoctorFacts facts = Healthy();
    facts.program = program;
    const DoctorVerdict verdict = JudgeFacts(facts);
    EXPECT_EQ(verdict.outlook, Outlook::kNotReached);
    EXPECT_FALSE(verdict.fine());
    EXPECT_EQ(verdict.headline.compare(0, 6, "don't:"), 0) << verdict.headline;
    return verdict.headline;
  };
  const auto has = [](const std::string& text, const char* words) {
    return text.find(words) != std::string::npos;
  };
  EXPECT_TRUE(has(headline(LinkedTo(RocksDbLinkage::kShared, "librocksdb.so.9.10")),
                  "librocksdb.so.9.10, and this plugin to librocksdb.so.7.8"));
  EXPECT_TRUE(has(headline(LinkedTo(RocksDbLinkage::kExported)), "ROCKSDB_PLUGINS"));
  EXPECT_TRUE(has(headline(LinkedTo(RocksDbLinkage::kHidden)), "hidden symbols"));

  ProgramLinkage program = LinkedTo(RocksDbLinkage::kShared, "librocksdb.so.7.8");
  program.gets_privileges = true;
  EXPECT_TRUE(has(headline(program), "set-uid"));
  program = LinkedTo(RocksDbLinkage::kHidden);
  program.is_static = true;
  EXPECT_TRUE(has(headline(program), "statically as a whole"));
  program = LinkedTo(RocksDbLinkage::kShared, "librocksdb.so.7.8");
  program.file = "/opt/lib/librocksdb.so.7.8.1";
  program.version = "7.8.1";
  EXPECT_TRUE(
      has(headline(program), "it loads /opt/lib/librocksdb.so.7.8.1, and this plugin is for"));
  program = LinkedTo(RocksDbLinkage::kShared, "librocksdb.so.7.8");
  program.other_c_library = true;
  EXPECT_TRUE(has(headline(program), "musl"));
  program.other_machine = true;
  EXPECT_TRUE(has(headline(program), "another processor"));
}

TEST(DoctorVerdictTest, ALibraryWithoutTypeinfoIsRefusedByAPluginThatNeedsIt) {
  DoctorFacts facts = Healthy();
  facts.program = LinkedTo(RocksDbLinkage::kShared, "librocksdb.so.7.8");
  facts.program->file = "/opt/lib/librocksdb.so.7.8";
  EXPECT_TRUE(JudgeFacts(facts).fine()) << "this plugin needs none";
  facts.rocksdb.has_typeinfo = true;
  EXPECT_NE(JudgeFacts(facts).headline.find("without RTTI"), std::string::npos);
  facts.program->has_typeinfo = true;
  EXPECT_TRUE(JudgeFacts(facts).fine());
}

TEST(DoctorVerdictTest, SentencesEndOnceAndHaveNoFormatLeftInThem) {
  DoctorFacts facts = Healthy();
  facts.process.io_uring = false;
  facts.process.open_files_max = 12;
  facts.file_system.durable_flag = false;
  const DoctorVerdict verdict = JudgeFacts(facts);
  std::vector<std::string> all = verdict.reasons;
  all.insert(all.end(), verdict.to_change.begin(), verdict.to_change.end());
  all.insert(all.end(), verdict.notes.begin(), verdict.notes.end());
  for (const std::string& each : all) {
    EXPECT_EQ(each.find('%'), std::string::npos) << each;
    EXPECT_EQ(each.back(), '.') << each;
    EXPECT_NE(each[each.size() - 2], '.') << each;
  }
  EXPECT_NE(verdict.headline.back(), '.');
}

TEST(DoctorVerdictTest, EveryOutlookHasAName) {
  EXPECT_STREQ(NameOf(Outlook::kGain), "gain");
  EXPECT_STREQ(NameOf(Outlook::kNoGain), "no gain");
  EXPECT_STREQ(NameOf(Outlook::kNotReached), "not reached");
  EXPECT_STREQ(NameOf(Outlook::kUnsure), "unsure");
}

}  // namespace
}  // namespace bloom_lfs::tool

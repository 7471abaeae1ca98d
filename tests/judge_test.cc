// The judge against the table of lss/CRASHES.md, over all combinations of the facts. The test reads
// the table itself: what the document says is what is tested.
#include "lss/recovery/judge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace lss {
namespace {

std::string Trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(' ');
  return first == std::string::npos ? ""
                                    : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) {
    parts.push_back(Trimmed(part));
  }
  return parts;
}

// A row of the table: the words of each column, by its title.
using Row = std::map<std::string, std::string>;

std::vector<Row> ReadTable() {
  std::ifstream in(CRASHES_MD);
  std::vector<std::string> titles;
  std::vector<Row> rows;
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("| case |", 0) == 0) {
      titles = Split(line.substr(1), '|');
      std::getline(in, line);  // the rule below the titles
    } else if (!titles.empty() && line.rfind("| R", 0) == 0) {
      const std::vector<std::string> cells = Split(line.substr(1), '|');
      EXPECT_EQ(cells.size(), titles.size()) << line;
      Row row;
      for (size_t i = 0; i < std::min(cells.size(), titles.size()); ++i) {
        row[titles[i]] = cells[i];
      }
      rows.push_back(row);
    } else if (!titles.empty()) {
      break;
    }
  }
  return rows;
}

// The facts in the words of the table.
Row Words(const RingFacts& facts) {
  const std::map<HeaderState, const char*> header = {{HeaderState::kUnpublished, "unpublished"},
                                                     {HeaderState::kFutureVersion, "future"},
                                                     {HeaderState::kDamaged, "damaged"},
                                                     {HeaderState::kWhole, "whole"}};
  const std::map<TargetFound, const char*> target = {{TargetFound::kNone, "no file here"},
                                                     {TargetFound::kOther, "another file"},
                                                     {TargetFound::kSame, "this file"},
                                                     {TargetFound::kNotAFile, "no file at all"}};
  return {{"header", header.at(facts.header)},
          {"lock", facts.owner_alive ? "held" : "free"},
          {"boot", facts.same_boot ? "same" : "other"},
          {"words", facts.words_agree ? "agree" : "contradict"},
          {"names", target.at(facts.target)},
          {"closed", facts.closed ? "yes" : "no"},
          {"unwritten", facts.holds_unwritten ? "yes" : "no"},
          {"file", facts.file_agrees ? "agrees" : "differs"},
          {"gone on", facts.superseded ? "yes" : "no"}};
}

bool Matches(const Row& row, const Row& words) {
  return std::all_of(words.begin(), words.end(), [&](const auto& word) {
    const std::string& cell = row.at(word.first);
    return cell.empty() || cell == word.second;
  });
}

std::vector<RingFacts> AllFacts() {
  std::vector<RingFacts> all;
  for (int header = 0; header < 4; ++header) {
    for (int target = 0; target < 4; ++target) {
      for (unsigned bits = 0; bits < 128; ++bits) {
        RingFacts facts;
        facts.header = static_cast<HeaderState>(header);
        facts.target = static_cast<TargetFound>(target);
        facts.owner_alive = (bits & 1) != 0;
        facts.same_boot = (bits & 2) != 0;
        facts.words_agree = (bits & 4) != 0;
        facts.closed = (bits & 8) != 0;
        facts.holds_unwritten = (bits & 16) != 0;
        facts.file_agrees = (bits & 32) != 0;
        facts.superseded = (bits & 64) != 0;
        all.push_back(facts);
      }
    }
  }
  return all;
}

std::string Describe(const Row& words) {
  std::string text;
  for (const auto& [title, word] : words) {
    text += title + "=" + word + " ";
  }
  return text;
}

TEST(Judge, GivesTheFirstRowOfTheTableThatFitsForAllCombinationsOfFacts) {
  const std::vector<Row> table = ReadTable();
  ASSERT_GE(table.size(), static_cast<size_t>(kRingCases));
  const std::vector<RingFacts> all = AllFacts();
  ASSERT_EQ(all.size(), 2048U);
  std::set<RingCase> reached;
  for (const RingFacts& facts : all) {
    const Row words = Words(facts);
    const auto row = std::find_if(table.begin(), table.end(),
                                  [&](const Row& candidate) { return Matches(candidate, words); });
    ASSERT_NE(row, table.end()) << "no row for " << Describe(words);
    const RingCase verdict = Judge(facts);
    EXPECT_EQ(NameOf(verdict), row->at("case")) << Describe(words);
    reached.insert(verdict);
  }
  EXPECT_EQ(reached.size(), static_cast<size_t>(kRingCases))
      << "every case has facts that lead there";
}

TEST(Judge, EveryRowOfTheTableIsTheFirstForSomeFacts) {
  const std::vector<Row> table = ReadTable();
  std::set<size_t> first;
  for (const RingFacts& facts : AllFacts()) {
    const Row words = Words(facts);
    const auto row = std::find_if(table.begin(), table.end(),
                                  [&](const Row& candidate) { return Matches(candidate, words); });
    first.insert(static_cast<size_t>(row - table.begin()));
  }
  for (size_t i = 0; i < table.size(); ++i) {
    EXPECT_EQ(first.count(i), 1U) << "row " << i + 1 << ", " << table[i].at("case")
                                  << ", is shadowed by those above it";
  }
}

TEST(Judge, ReadersAndRecoveryDoWhatTheTableSays) {
  const std::map<ReadingRule, std::string> reading = {
      {ReadingRule::kFile, "the file"},
      {ReadingRule::kFileAndRing, "file and ring"},
      {ReadingRule::kWholeRecords, "whole records of the file"},
      {ReadingRule::kRefuse, "NotSupported"}};
  const std::map<RecoveryRule, std::string> recovery = {
      {RecoveryRule::kLeaveAlone, "nothing"},
      {RecoveryRule::kRemoveRing, "ring removed"},
      {RecoveryRule::kSetAside, "ring set aside"},
      {RecoveryRule::kReplay, "ring written to the file, ring removed"},
      {RecoveryRule::kTrim, "file cut behind its last whole record, ring removed"},
      {RecoveryRule::kSyncFile, "file synced, ring removed"},
      {RecoveryRule::kRefuse, "NotSupported"}};
  const std::vector<Row> table = ReadTable();
  for (int i = 0; i < kRingCases; ++i) {
    const auto ring_case = static_cast<RingCase>(i);
    for (const Row& row : table) {
      if (row.at("case") == NameOf(ring_case)) {
        EXPECT_EQ(row.at("reading"), reading.at(ReadingOf(ring_case))) << NameOf(ring_case);
        EXPECT_EQ(row.at("recovery"), recovery.at(RecoveryOf(ring_case))) << NameOf(ring_case);
      }
    }
  }
}

// What is left out of the gathering must not have mattered.
TEST(Judge, TheContentIsAskedForExactlyWhereItDecides) {
  for (const RingFacts& facts : AllFacts()) {
    std::set<RingCase> verdicts;
    for (const bool agrees : {false, true}) {
      for (const bool superseded : {false, true}) {
        RingFacts other = facts;
        other.file_agrees = agrees;
        other.superseded = superseded;
        verdicts.insert(Judge(other));
      }
    }
    EXPECT_EQ(HingesOnContent(facts), verdicts.size() > 1) << Describe(Words(facts));
  }
}

TEST(Judge, TheTargetIsLookedForExactlyWhereRecoveryNeedsIt) {
  for (const RingFacts& facts : AllFacts()) {
    std::set<RecoveryRule> rules;
    for (const TargetFound target : {TargetFound::kNone, TargetFound::kOther, TargetFound::kSame}) {
      RingFacts other = facts;
      other.target = target;
      rules.insert(RecoveryOf(Judge(other)));
    }
    if (facts.target != TargetFound::kNotAFile && !HingesOnTarget(facts)) {
      EXPECT_EQ(rules.size(), 1U) << Describe(Words(facts));
    }
    EXPECT_FALSE(HingesOnTarget(facts) && facts.owner_alive) << "a live owner's file may vanish";
    EXPECT_FALSE(HingesOnTarget(facts) && facts.header != HeaderState::kWhole)
        << "only a whole header names a file";
  }
}

TEST(Judge, EveryCaseHasItsName) {
  for (int i = 0; i < kRingCases; ++i) {
    const std::string name = NameOf(static_cast<RingCase>(i));
    EXPECT_EQ(name.rfind("R" + std::to_string(i + 1) + " ", 0), 0U) << name;
  }
}

}  // namespace
}  // namespace lss

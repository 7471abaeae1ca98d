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
                                                     {TargetFound::kNamed, "a copy"},
                                                     {TargetFound::kSame, "this file"},
                                                     {TargetFound::kNotAFile, "no file at all"}};
  const std::map<ContentFound, const char*> content = {{ContentFound::kOpaque, "opaque"},
                                                       {ContentFound::kDamaged, "damaged"},
                                                       {ContentFound::kNotWhole, "not whole"},
                                                       {ContentFound::kWhole, "whole"}};
  return {{"trusted", facts.trusted ? "yes" : "no"},
          {"header", header.at(facts.header)},
          {"owner", facts.owner_alive ? "alive" : "dead"},
          {"boot", facts.same_boot ? "same" : "other"},
          {"words", facts.words_agree ? "agree" : "contradict"},
          {"names", target.at(facts.target)},
          {"closed", facts.closed ? "yes" : "no"},
          {"unwritten", facts.holds_unwritten ? "yes" : "no"},
          {"file", facts.file_agrees ? "agrees" : "differs"},
          {"gone on", facts.superseded ? "yes" : "no"},
          {"content", content.at(facts.content)},
          {"adds", facts.adds ? "yes" : "no"}};
}

bool Matches(const Row& row, const Row& words) {
  return std::all_of(row.begin(), row.end(), [&](const auto& cell) {
    const auto word = words.find(cell.first);
    return cell.second.empty() || word == words.end() || cell.second == word->second;
  });
}

std::vector<RingFacts> AllFacts() {
  std::vector<RingFacts> all;
  for (int header = 0; header < 4; ++header) {
    for (int target = 0; target < 5; ++target) {
      for (int content = 0; content < 4; ++content) {
        for (unsigned bits = 0; bits < 512; ++bits) {
          RingFacts facts;
          facts.header = static_cast<HeaderState>(header);
          facts.target = static_cast<TargetFound>(target);
          facts.content = static_cast<ContentFound>(content);
          facts.owner_alive = (bits & 1) != 0;
          facts.same_boot = (bits & 2) != 0;
          facts.words_agree = (bits & 4) != 0;
          facts.closed = (bits & 8) != 0;
          facts.holds_unwritten = (bits & 16) != 0;
          facts.file_agrees = (bits & 32) != 0;
          facts.superseded = (bits & 64) != 0;
          facts.adds = (bits & 128) != 0;
          facts.trusted = (bits & 256) != 0;
          all.push_back(facts);
        }
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
  ASSERT_EQ(all.size(), 40960U);
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
      {ReadingRule::kProven, "file and what is proven of the ring"},
      {ReadingRule::kWholeRecords, "whole records of the file"},
      {ReadingRule::kRefuse, "NotSupported"}};
  const std::map<RecoveryRule, std::string> recovery = {
      {RecoveryRule::kLeaveAlone, "nothing"},
      {RecoveryRule::kRemoveRing, "ring removed"},
      {RecoveryRule::kSetAside, "ring set aside"},
      {RecoveryRule::kReplay, "ring written to the file, ring removed"},
      {RecoveryRule::kReplayProven, "what is proven written to the file, ring removed"},
      {RecoveryRule::kTrim, "file cut behind its last whole record, ring removed"},
      {RecoveryRule::kTrimAndSetAside, "file cut behind its last whole record, ring set aside"},
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
TEST(Judge, TheContentIsAskedForWhereverItDecides) {
  for (const RingFacts& facts : AllFacts()) {
    if (HingesOnContent(facts)) {
      continue;
    }
    std::set<RingCase> verdicts;
    for (unsigned bits = 0; bits < 32; ++bits) {
      RingFacts other = facts;
      other.file_agrees = (bits & 1) != 0;
      other.superseded = (bits & 2) != 0;
      other.adds = (bits & 4) != 0;
      other.content = static_cast<ContentFound>(bits >> 3);
      verdicts.insert(Judge(other));
    }
    EXPECT_EQ(verdicts.size(), 1U) << Describe(Words(facts));
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

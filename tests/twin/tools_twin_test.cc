// The distribution's ldb and sst_dump on databases that are alive, killed or closed. On the
// plugin's side it is preloaded into them.

#include <gtest/gtest.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <regex>
#include <stdexcept>
#include <string>
#include <vector>

#include "lss/base/crc32c.h"
#include "tests/support/child_process.h"
#include "tests/support/files.h"
#include "tests/twin/twin_database.h"

namespace bloom_lfs::test {
namespace {

const TwinDatabase::Families kFamilies = {rocksdb::kDefaultColumnFamilyName, "idle"};

// Everything a tool prints, its errors included.
std::string Run(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> out(::popen(("(" + command + ") 2>&1").c_str(), "r"),
                                                  ::pclose);
  if (out == nullptr) throw std::runtime_error("cannot run " + command);
  std::string text;
  std::string piece(1 << 16, '\0');
  while (const size_t n = ::fread(piece.data(), 1, piece.size(), out.get())) {
    text.append(piece, 0, n);
  }
  return text;
}

std::string WithoutAddresses(const TwinSide& side, std::string text) {
  const std::string directory = side / "";
  for (size_t at = text.find(directory); at != std::string::npos; at = text.find(directory, at)) {
    text.replace(at, directory.size(), "<dir>/");
  }
  static const std::regex env(R"(options\.env is 0x[0-9a-f]+)");
  return std::regex_replace(text, env, "options.env is <address>");
}

enum class Tools { kAsTheSide, kStock };

void SayTool(TwinSide& side, const std::string& tool, const std::string& arguments,
             Tools tools = Tools::kAsTheSide) {
  // Leaks of programs that we did not build are not ours to report.
  const bool preload =
      tools == Tools::kAsTheSide && side.with() == With::kPlugin && PluginUnderTest();
  const std::string program = preload ? "ASAN_OPTIONS=detect_leaks=0 LD_PRELOAD=" BLOOM_LFS_PRELOAD
                                        " " +
                                            tool + " '--fs_uri=" + FsUri() + "' "
                                      : tool + " ";
  std::string text = WithoutAddresses(side, Run(program + arguments + "; echo exit code $?"));
  const uint32_t crc = lss::Crc32c(0, text.data(), text.size());
  if (text.size() > 2000) text.replace(300, text.size() - 600, "\n[...]\n");
  side.Say(tool + " " + WithoutAddresses(side, arguments),
           text + "checksum " + std::to_string(crc));
}

// What only reads. `table` is one of the database's table files.
void SayReadingTools(TwinSide& side, const std::string& table, Tools tools = Tools::kAsTheSide) {
  const std::string db = "--db=" + (side / "db ");
  for (const char* command :
       {"scan", "--hex scan", "get row1000003", "get no_such_row", "--column_family=idle scan",
        "list_column_families", "list_live_files_metadata", "manifest_dump", "dump --count_only",
        "idump --count_only", "approxsize --from=a --to=z", "checkconsistency",
        "get_property rocksdb.num-entries-active-mem-table"}) {
    SayTool(side, "ldb", db + command, tools);
  }
  SayTool(side, "ldb", db + "--secondary_path=" + (side / "secondary ") + "scan", tools);
  for (const std::string& log : LogFiles(side / "db")) {
    SayTool(side, "ldb", "dump_wal --header --print_value --walfile=" + (side / ("db/" + log)),
            tools);
  }
  for (const char* command : {"check", "scan", "verify", "identify"}) {
    SayTool(side, "sst_dump", std::string("--command=") + command + " --file=" + (side / "db"),
            tools);
  }
  SayTool(side, "sst_dump", "--command=scan --file=" + table, tools);
}

std::string FirstTable(const std::string& directory) {
  for (const auto& [name, facts] : ListTree(directory)) {
    if (name.size() > 4 && name.substr(name.size() - 4) == ".sst") return directory + "/" + name;
  }
  throw std::runtime_error("no table in " + directory);
}

// Two logs (the first because "idle" needs it) and one table.
void Fill(TwinDatabase* db) {
  db->Write(0, 5, 50, 1);
  db->Write(0, 30, 2000);
  db->SwitchLog();
  db->Write(20, 60, 2000);
  db->Write(60, 62, 300'000);
}

// What was synced is in the files, for whoever looks: before the zeros that a busy log has behind
// its end.
void WriteSynced(TwinDatabase* db) {
  for (uint64_t row = 62; row < 70; ++row) db->Write(row, row + 1, 3000, 0, /*sync=*/true);
}

// A living writer goes on with its info log, and may write out at any time what its rings have.
Tree WithoutFilesBeingWritten(Tree tree) {
  for (auto& [name, facts] : tree) {
    if (name == "LOG" || name.find(".log") != std::string::npos ||
        name.find(".bloom_lfs") != std::string::npos) {
      facts = FileFacts();
    }
  }
  return tree;
}

TEST(ToolsTwinTest, BesideALivingWriter) {
  ExpectTwins([](TwinSide& side) {
    TwinDatabase db(side, TwinOptions(side), side / "db", kFamilies);
    Fill(&db);
    const Tree before = WithoutFilesBeingWritten(ListTree(side / "db"));
    SayReadingTools(side, FirstTable(side / "db"));
    EXPECT_EQ(Difference(before, WithoutFilesBeingWritten(ListTree(side / "db"))), "");
    db.Write(62, 65);
    SayTool(side, "ldb", "--db=" + (side / "db ") + "scan --no_value");
    SayTool(side, "ldb", "dump_wal --header --walfile=" + NewestLog(side / "db"));
  });
}

TEST(ToolsTwinTest, WithoutThePluginBesideALivingWriterThatHasSynced) {
  ExpectTwins([](TwinSide& side) {
    TwinDatabase db(side, TwinOptions(side), side / "db", kFamilies);
    Fill(&db);
    WriteSynced(&db);
    SayReadingTools(side, FirstTable(side / "db"), Tools::kStock);
  });
}

TEST(ToolsTwinTest, AfterACleanClose) {
  ExpectTwins([](TwinSide& side) {
    {
      TwinDatabase db(side, TwinOptions(side), side / "db", kFamilies);
      Fill(&db);
    }
    AwaitEndOfRings(side / "db");
    SayReadingTools(side, FirstTable(side / "db"));
  });
}

// --- killed ---

int VictimMain(const std::vector<std::string>& args) {
  TwinSide side(args.at(1) == "plugin" ? With::kPlugin : With::kStock, args.at(0));
  TwinDatabase db(side, TwinOptions(side), side / "db", kFamilies);
  Fill(&db);
  if (args.at(2) == "synced") WriteSynced(&db);
  Report("written");
  for (;;) ::pause();
}

const RegisterChild kVictim("victim", VictimMain);

void KillVictim(TwinSide& side, const std::string& state = "unsynced") {
  ChildProcess victim("victim", {side / ".", side.name(), state});
  if (victim.Hear() != "written") throw std::runtime_error("the victim died too early");
  victim.Kill();
}

TEST(ToolsTwinTest, ReadersOfAKilledDatabaseSeeEverythingAndModifyNothing) {
  ExpectTwins([](TwinSide& side) {
    KillVictim(side);
    const Tree before = ListTree(side / "db");
    SayReadingTools(side, FirstTable(side / "db"));
    EXPECT_EQ(Difference(before, ListTree(side / "db")), "");
    TwinDatabase(side, TwinOptions(side), side / "db", kFamilies).SayContents("afterwards");
  });
}

TEST(ToolsTwinTest, WithoutThePluginOnAKilledDatabaseThatHasSynced) {
  ExpectTwins([](TwinSide& side) {
    KillVictim(side, "synced");
    SayReadingTools(side, FirstTable(side / "db"), Tools::kStock);
    const std::string db = "--db=" + (side / "db ");
    SayTool(side, "ldb", db + "put a b", Tools::kStock);
    SayTool(side, "ldb", db + "scan --no_value", Tools::kStock);
    SayTool(side, "ldb", db + "--column_family=idle scan", Tools::kStock);
    // And back: the ring that the killed process has left counts no more.
    SayTool(side, "ldb", db + "put c d");
    SayTool(side, "ldb", db + "scan --no_value");
  });
}

TEST(ToolsTwinTest, WritersOnAKilledDatabaseFindEverything) {
  // Not create_column_family or drop_column_family: ldb 7.8 refuses --fs_uri with them.
  for (const char* command : {"put a b", "compact", "deleterange row1000000 row1000009"}) {
    SCOPED_TRACE(command);
    ExpectTwins([&](TwinSide& side) {
      KillVictim(side);
      const std::string db = "--db=" + (side / "db ");
      SayTool(side, "ldb", db + command);
      SayTool(side, "ldb", db + "scan --no_value");
      SayTool(side, "ldb", db + "--column_family=idle scan");
    });
  }
}

TEST(ToolsTwinTest, CheckpointAndBackupOfAKilledDatabaseAreComplete) {
  ExpectTwins([](TwinSide& side) {
    KillVictim(side);
    const std::string db = "--db=" + (side / "db ");
    SayTool(side, "ldb", db + "checkpoint --checkpoint_dir=" + (side / "checkpoint"));
    SayTool(side, "ldb", "--db=" + (side / "checkpoint ") + "scan");
    SayTool(side, "ldb", db + "backup --stderr_log_level=4 --backup_dir=" + (side / "backup"));
    SayTool(side, "ldb",
            "--db=" + (side / "restored ") +
                "restore --stderr_log_level=4 --backup_dir=" + (side / "backup"));
    SayTool(side, "ldb", "--db=" + (side / "restored ") + "scan");
  });
}

}  // namespace
}  // namespace bloom_lfs::test

// Checkpoints of a database in use, opened by others while it goes on.

#include <gtest/gtest.h>
#include <rocksdb/metadata.h>
#include <rocksdb/utilities/checkpoint.h>
#include <sys/stat.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/files.h"
#include "tests/support/test_env.h"
#include "tests/support/twin.h"
#include "tests/support/twin_database.h"

namespace bloom_lfs::test {
namespace {

using rocksdb::Checkpoint;

constexpr uint64_t kFlushAlways = 0;
constexpr uint64_t kFlushNever = 1ull << 40;

struct Origin {
  const char* name;
  uint64_t log_size_for_flush;
  bool separate_wal_dir;
  bool blobs;
};

const std::vector<std::string>& MoreFamilies() {
  static const std::vector<std::string> names = {"idle"};
  return names;
}

rocksdb::Options OptionsOf(rocksdb::Env* env, const Origin& origin, const std::string& wal_dir) {
  return QuietOptions(env, [&](rocksdb::Options* options) {
    if (origin.separate_wal_dir) options->wal_dir = wal_dir;
    options->enable_blob_files = origin.blobs;
    options->min_blob_size = 500;
    options->blob_file_size = 100 << 10;
  });
}

// Three live WALs, of which the last one is partly synced, and tables or tables and blob files.
void Fill(QuietDatabase& db) {
  PutRows(db.get(), db.family(1), {0, 50});
  for (uint32_t round = 0; round < 2; ++round) {
    PutRows(db.get(), db.family(0), {0, 80, round});
    db.Flush();
  }
  PutRows(db.get(), db.family(0), {40, 120, 2, 10000, 25});
}

std::string MakeCheckpoint(TwinSide& side, QuietDatabase& db, const Origin& origin,
                           const std::string& name) {
  Checkpoint* created = nullptr;
  Require(Checkpoint::Create(db.get(), &created));
  const std::unique_ptr<Checkpoint> checkpoint(created);
  uint64_t sequence_number = 0;
  side.Say("checkpoint",
           checkpoint->CreateCheckpoint(side / name, origin.log_size_for_flush, &sequence_number));
  side.Say("checkpoint again", checkpoint->CreateCheckpoint(side / name));  // it is there
  side.Say("sequence number", sequence_number);
  AwaitQuiet(db.get());
  return side / name;
}

// Copies are opened by both, for reading and for writing, while the origin is still open.
void OpenCopies(TwinSide& side, const Origin& origin, const std::string& checkpoint) {
  for (const With with : {With::kStock, With::kPlugin}) {
    const TestEnv env(with);
    const std::string copy = checkpoint + "-for-" + Name(with);
    CopyTree(checkpoint, copy);  // as tools do that know nothing of RocksDB
    const rocksdb::Options options = OptionsOf(env.get(), origin, copy);
    for (const Access access : {Access::kReadOnly, Access::kReadWrite}) {
      QuietDatabase db(options, copy, MoreFamilies(), access);
      db.SayContents(side, std::string("as opened with ") + Name(with));
      if (access == Access::kReadWrite) PutRows(db.get(), db.family(0), {0, 30, 8});
    }
  }
}

class CheckpointTwinTest : public testing::TestWithParam<Origin> {};
INSTANTIATE_TEST_SUITE_P(
    All, CheckpointTwinTest,
    testing::Values(Origin{"Flushed", kFlushAlways, false, false},
                    Origin{"WithLogs", kFlushNever, false, false},
                    Origin{"WithLogsOfAnotherDirectory", kFlushNever, true, false},
                    Origin{"FlushedFromAnotherDirectory", kFlushAlways, true, false},
                    Origin{"BlobsFlushed", kFlushAlways, false, true},
                    Origin{"BlobsWithLogs", kFlushNever, false, true}),
    [](const auto& param_info) { return param_info.param.name; });

TEST_P(CheckpointTwinTest, EverybodyOpensItWhileTheOriginGoesOn) {
  ExpectTwins([](TwinSide& side) {
    const Origin& origin = GetParam();
    const rocksdb::Options options = OptionsOf(side.env(), origin, side / "wal");
    std::string checkpoint;
    {
      QuietDatabase db(options, side / "db", MoreFamilies());
      Fill(db);
      checkpoint = MakeCheckpoint(side, db, origin, "checkpoint");
      PutRows(db.get(), db.family(0), {100, 150, 3, 10000, 10});  // not in the checkpoint
      OpenCopies(side, origin, checkpoint);
      {
        // And itself, whose files are links to those of the origin.
        QuietDatabase linked(OptionsOf(side.env(), origin, checkpoint), checkpoint, MoreFamilies());
        linked.SayContents(side, "in the checkpoint");
        PutRows(linked.get(), linked.family(1), {0, 70, 9});
        linked.Flush(1);
      }
      PutRows(db.get(), db.family(1), {30, 60, 4});
      db.SayContents(side, "in the origin");
    }
    const QuietDatabase reopened(options, side / "db", MoreFamilies());
    reopened.SayContents(side, "in the origin, reopened");
    const QuietDatabase again(OptionsOf(side.env(), origin, checkpoint), checkpoint,
                              MoreFamilies());
    again.SayContents(side, "in the checkpoint, reopened");
  });
}

uint64_t LinksOf(const std::string& path) {
  struct stat facts {};
  Require(::stat(path.c_str(), &facts) == 0 ? rocksdb::Status::OK()
                                            : rocksdb::Status::NotFound(path));
  return facts.st_nlink;
}

TEST(CheckpointFilesTwinTest, BlobFilesAndClosedLogsAreLinkedAndTheLastLogIsCopied) {
  ExpectTwins([](TwinSide& side) {
    const Origin origin = {"", kFlushNever, false, true};
    QuietDatabase db(OptionsOf(side.env(), origin, ""), side / "db", MoreFamilies());
    Fill(db);
    const std::string checkpoint = MakeCheckpoint(side, db, origin, "checkpoint");
    for (const auto& [name, facts] : ListTree(checkpoint)) {
      if (name.find(".log") == std::string::npos && name.find(".blob") == std::string::npos) {
        continue;
      }
      // The bytes as the kernel shows them now, with everything still open.
      side.Say(name + " has " + std::to_string(LinksOf(checkpoint + "/" + name)) + " links and " +
                   std::to_string(facts.size) + " bytes with checksum",
               facts.crc);
    }
  });
}

TEST(ExportTwinTest, AnExportedColumnFamilyIsImportedElsewhere) {
  ExpectTwins([](TwinSide& side) {
    const rocksdb::Options options = QuietOptions(side.env());
    QuietDatabase db(options, side / "db", MoreFamilies());
    Fill(db);
    Checkpoint* created = nullptr;
    Require(Checkpoint::Create(db.get(), &created));
    const std::unique_ptr<Checkpoint> checkpoint(created);
    rocksdb::ExportImportFilesMetaData* exported = nullptr;
    side.Say("export", checkpoint->ExportColumnFamily(db.family(0), side / "exported", &exported));
    const std::unique_ptr<rocksdb::ExportImportFilesMetaData> metadata(exported);
    PutRows(db.get(), db.family(0), {0, 10, 5});  // not exported
    QuietDatabase other(options, side / "other");
    PutRows(other.get(), other.family(0), {0, 10, 6});
    rocksdb::ColumnFamilyHandle* imported = nullptr;
    side.Say("import",
             other->CreateColumnFamilyWithImport(
                 options, "imported", rocksdb::ImportColumnFamilyOptions(), *metadata, &imported));
    PutRows(other.get(), imported, {5, 15, 7});
    side.SayContents("imported", other.get(), imported);
    Require(other->DestroyColumnFamilyHandle(imported));
    AwaitQuiet(db.get());
  });
}

}  // namespace
}  // namespace bloom_lfs::test

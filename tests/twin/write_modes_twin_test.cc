// The ways RocksDB has of getting a batch into the WAL.

#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <memory>

#include "tests/support/database.h"
#include "tests/support/twin.h"
#include "tests/support/workload.h"

namespace bloom_lfs::test {
namespace {

void WriteAndReopen(TwinSide& side, const Tweak& tweak) {
  rocksdb::Options options;
  options.env = side.env();
  options.create_if_missing = true;
  options.write_buffer_size = 256 << 10;
  tweak(&options);
  const auto open = [&] {
    rocksdb::DB* db = nullptr;
    Require(rocksdb::DB::Open(options, side / "db", &db));
    return std::unique_ptr<rocksdb::DB>(db);
  };
  std::unique_ptr<rocksdb::DB> db = open();
  for (uint64_t i = 0; i < 600; ++i) {
    rocksdb::WriteOptions write;
    write.sync = i % 50 == 0;
    Require(db->Put(write, "key" + std::to_string(i % 400), MakeValue(i, i % 3000)));
  }
  side.SayContents("before closing", db.get());
  db.reset();
  db = open();
  side.SayContents("after reopening", db.get());
}

TEST(WriteModesTwinTest, TwoWriteQueues) {
  ExpectTwins([](TwinSide& side) {
    WriteAndReopen(side, [](rocksdb::Options* options) { options->two_write_queues = true; });
  });
}

}  // namespace
}  // namespace bloom_lfs::test

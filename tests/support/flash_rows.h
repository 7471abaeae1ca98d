// Rows whose bytes follow from their number, ten to a block, and a database for them.
#pragma once

#include <rocksdb/cache.h>
#include <rocksdb/options.h>
#include <rocksdb/secondary_cache.h>
#include <rocksdb/table.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <random>
#include <string>

namespace bloom_lfs {

inline std::string RowKey(uint64_t number) {
  char key[24];
  snprintf(key, sizeof(key), "%016llu", static_cast<unsigned long long>(number));
  return key;
}

inline std::string RowValue(uint64_t number) {
  std::string value;
  std::mt19937_64 random(number);
  while (value.size() < 400) {
    value += static_cast<char>('a' + random() % 26);
  }
  return value;
}

// A block cache of 1 MiB over the tier, or, if that is null, without one.
inline rocksdb::Options OptionsOver(const std::shared_ptr<rocksdb::SecondaryCache>& tier) {
  rocksdb::LRUCacheOptions cache;
  cache.capacity = 1 << 20;
  cache.num_shard_bits = 0;
  cache.secondary_cache = tier;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(cache);
  rocksdb::Options options;
  options.create_if_missing = true;
  options.compression = rocksdb::kNoCompression;
  options.write_buffer_size = 256 << 10;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

}  // namespace bloom_lfs

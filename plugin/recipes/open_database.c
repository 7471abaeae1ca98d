/* Opens a database with the plugin through RocksDB's C interface: open_database DIRECTORY */
#include <rocksdb/c.h>
#include <stdio.h>
#include <unistd.h>

static int failed(const char* path, const char* error) {
  if (error != NULL) {
    fprintf(stderr, "%s: %s\n", path, error);
  }
  return error != NULL;
}

int main(int argc, char** argv) {
  const char* path = argc > 1 ? argv[1] : "database";
  char* error = NULL;
  rocksdb_options_t* defaults = rocksdb_options_create();
  rocksdb_options_t* options = rocksdb_options_create();
  rocksdb_get_options_from_string(defaults, "env=bloom_lfs;create_if_missing=true", options,
                                  &error);
  if (failed(path, error)) {
    return 1;
  }
  rocksdb_t* db = rocksdb_open(options, path, &error);
  if (failed(path, error)) {
    return 1;
  }
  rocksdb_writeoptions_t* write = rocksdb_writeoptions_create();
  rocksdb_put(db, write, "key", 3, "value", 5, &error);
  if (failed(path, error)) {
    return 1;
  }
  /* While a log is live, its ring is beside it. */
  char rings[4096];
  snprintf(rings, sizeof(rings), "%s/.bloom_lfs", path);
  const int at_work = access(rings, F_OK) == 0;
  printf("%s: bloom_lfs is %s\n", path, at_work ? "at work" : "not in use");

  rocksdb_writeoptions_destroy(write);
  rocksdb_close(db);
  rocksdb_options_destroy(options);
  rocksdb_options_destroy(defaults);
  return at_work ? 0 : 1;
}

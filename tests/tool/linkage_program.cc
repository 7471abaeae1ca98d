// A program that has what doctor looks for in a RocksDB, and nothing else of it.
namespace rocksdb {

class FileSystem {
 public:
  [[gnu::noinline]] static int Default();
};
int FileSystem::Default() { return 0; }

}  // namespace rocksdb

int main() { return rocksdb::FileSystem::Default(); }

// A program that has RocksDB by a library of its own.
int SizeOfRocksDbsVersion();

int main() { return SizeOfRocksDbsVersion() > 0 ? 0 : 1; }

// A service that uses RocksDB and has never heard of the plugin. Also as a library, for programs
// that load RocksDB late.
#pragma once

// The FileSystem's name, for callers that must not link RocksDB.
extern "C" const char* DefaultFileSystemName();

//   name                  prints the names of the default FileSystem, of what it wraps, of what
//                         "bloom_lfs" gives and of what that wraps
//   checksums             prints what RocksDB says of its CRC-32C, and the CRCs of some inputs
//   hold DB ROWS          writes rows, prints "rings=<number>" and waits to be killed, or for the
//   end
//                         of its input
//   check DB ROWS         exit code 0 if the rows are there
//   fork DB ROWS          touches RocksDB, forks, and the child does "hold"
//   run DB COMMAND        runs a shell command while a database is open, exits as it did
extern "C" int ServiceMain(int argc, char** argv);

// The checksum of WAL, MANIFEST and blob records, CRC-32C, by the processor's own instruction.
//
// RocksDB decides when it is compiled whether it may use that instruction, and a distribution
// compiles for the oldest x86-64 there is: its RocksDB looks tables up, which costs more than
// everything else between a large Put and the log (figures in plugin/README.md). So the loader
// stands in for rocksdb::crc32c::Extend(). The result is the same to the bit: the files are the
// same, and nothing depends on which of the two computed them.
//
// x86-64 only. Elsewhere RocksDB asks the processor itself.
#pragma once

namespace bloom_lfs::loader {

// Called when a RocksDB has been found to be one the plugin is built for; from then on this library
// computes for every caller in the process. Before, and without, RocksDB's own code does, or tables
// of ours if it cannot be found. Does nothing if the processor lacks the instruction, if RocksDB
// says that it uses it itself, or if BLOOM_LFS_CRC32C is "0" or "false". `name_function`: that
// RocksDB's kNameOfChecksumSymbol, null if it has none. Any thread.
void ComputeChecksumsOurselves(const void* name_function);

// What RocksDB says of its own code: std::string rocksdb::crc32c::IsFastCrc32Supported().
inline constexpr char kNameOfChecksumSymbol[] = "_ZN7rocksdb6crc32c20IsFastCrc32SupportedB5cxx11Ev";

}  // namespace bloom_lfs::loader

// The databases that a host has open, by the names its script gives them.
//
// Every function does one command and gives the answer. What goes wrong is a std::runtime_error
// with the words for the answer.
#pragma once

#include <rocksdb/db.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/field/host/command.h"

namespace field {

class Databases {
 public:
  ~Databases();

  // open NAME PATH [read_only] [noflush] [compress] [blobs] [no_fallocate] [mode=MODE] [buffer=MIB]
  //   [wal_dir=PATH] [secondary=PATH] [cf=NAME] [by=POLICY] [buffers=N]
  std::string Open(const Command& command);
  // close NAME
  std::string Close(const Command& command);

  // The database with the name in word 0.
  rocksdb::DB* Get(const Command& command) const;
  // Its column family of the setting cf.
  rocksdb::ColumnFamilyHandle* Family(const Command& command) const;

 private:
  struct OpenDatabase {
    std::unique_ptr<rocksdb::DB> db;
    std::map<std::string, rocksdb::ColumnFamilyHandle*> families;
  };
  static OpenDatabase DoOpen(const Command& command);

  std::map<std::string, OpenDatabase> open_;
};

// Throws unless `status` is OK. A full disk is "NoSpace", whatever the words around it.
void Require(const rocksdb::Status& status, const std::string& before = "");
std::string Words(const rocksdb::Status& status);

}  // namespace field

# Asks the RocksDB that the plugin is built for how it was built.
#
# Sets what find_rocksdb.cmake sets, and CMAKE_CXX_STANDARD unless the user has. Adds -fno-rtti to all that follows where
# RocksDB was built so.

include(${CMAKE_CURRENT_LIST_DIR}/find_rocksdb.cmake)
if(BLOOM_LFS_ROCKSDB_PROBLEM)
  message(FATAL_ERROR "${BLOOM_LFS_ROCKSDB_PROBLEM}")
endif()

# RocksDB's headers need C++20 from 10.10 on.
if(NOT DEFINED CMAKE_CXX_STANDARD)
  set(CMAKE_CXX_STANDARD 17)
  if(BLOOM_LFS_ROCKSDB_VERSION VERSION_GREATER_EQUAL 10.10)
    set(CMAKE_CXX_STANDARD 20)
  endif()
endif()

# --- with or without RTTI ---

# A class of ours that is derived from one of RocksDB's refers to that one's typeinfo, unless it has none itself.
function(bloom_lfs_derived_class_links out flag)
  try_compile(_links SOURCE_FROM_CONTENT rocksdb_probe.cc "#include <rocksdb/file_system.h>
class Derived : public rocksdb::FileSystemWrapper {
 public:
  using rocksdb::FileSystemWrapper::FileSystemWrapper;
  const char* Name() const override { return \"derived\"; }
};
int main() { return Derived(rocksdb::FileSystem::Default()).Name() == nullptr; }
"
    NO_CACHE COMPILE_DEFINITIONS ${flag} LINK_LIBRARIES RocksDB::rocksdb-shared
    CXX_STANDARD ${CMAKE_CXX_STANDARD} CXX_STANDARD_REQUIRED ON OUTPUT_VARIABLE _said)
  set(${out} ${_links} PARENT_SCOPE)
  set(BLOOM_LFS_PROBE_SAID "${_said}" PARENT_SCOPE)
endfunction()

bloom_lfs_derived_class_links(BLOOM_LFS_LINKS_WITH_RTTI "")
if(NOT BLOOM_LFS_LINKS_WITH_RTTI)
  bloom_lfs_derived_class_links(BLOOM_LFS_LINKS_WITHOUT_RTTI -fno-rtti)
  if(NOT BLOOM_LFS_LINKS_WITHOUT_RTTI)
    message(FATAL_ERROR "a class derived from RocksDB ${BLOOM_LFS_ROCKSDB_VERSION}'s FileSystemWrapper does not link, with "
                        "RTTI or without; use the compiler and standard library that RocksDB was built with, or give "
                        "another -DCMAKE_CXX_STANDARD (now ${CMAKE_CXX_STANDARD}). The linker said:\n${BLOOM_LFS_PROBE_SAID}")
  endif()
  add_compile_options(-fno-rtti)
endif()
message(STATUS "RocksDB ${BLOOM_LFS_ROCKSDB_VERSION}, C++${CMAKE_CXX_STANDARD}, headers in ${BLOOM_LFS_ROCKSDB_HEADERS}")

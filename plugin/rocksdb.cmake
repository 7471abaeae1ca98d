# Which RocksDB the plugin is built for: finds one, and asks it how it was built.
#
# Looked for, in this order: what find_package() finds (an install prefix or a distribution's package, see CMAKE_PREFIX_PATH),
# a tree that RocksDB was built in (the same variable, or RocksDB_ROOT: the source directory of `make shared_lib`, or the
# build directory of CMake), and what pkg-config knows.
#
# Sets: target RocksDB::rocksdb-shared, BLOOM_LFS_ROCKSDB_VERSION (major.minor), CMAKE_CXX_STANDARD unless the user has.
# Adds -fno-rtti to all that follows where RocksDB was built so.

set(_remedy "build a shared RocksDB, 7.8 to 11.8, or install librocksdb-dev, and give its install prefix or build tree: \
-DCMAKE_PREFIX_PATH=DIR. For a static RocksDB build the plugin into it: plugin/recipes/README.md")

# --- where it is ---

# A build tree of CMake has a package file that cannot be used: its list of targets comes with the installation.
set(_places ${RocksDB_ROOT} $ENV{RocksDB_ROOT} ${CMAKE_PREFIX_PATH})
set(_is_tree FALSE)
foreach(_place IN LISTS _places)
  if(EXISTS "${_place}/RocksDBConfig.cmake" AND NOT EXISTS "${_place}/RocksDBTargets.cmake")
    set(_is_tree TRUE)
  endif()
endforeach()
if(NOT _is_tree)
  find_package(RocksDB CONFIG QUIET)
endif()

if(TARGET RocksDB::rocksdb AND NOT TARGET RocksDB::rocksdb-shared)
  message(FATAL_ERROR "RocksDB in ${RocksDB_DIR} has a static library only; ${_remedy}")
endif()
if(NOT TARGET RocksDB::rocksdb-shared)
  pkg_check_modules(_rocksdb_pc QUIET rocksdb)
  find_path(BLOOM_LFS_ROCKSDB_INCLUDE rocksdb/version.h HINTS ${_places} ${_rocksdb_pc_INCLUDE_DIRS}
            PATH_SUFFIXES include ../include)
  find_library(BLOOM_LFS_ROCKSDB_LIBRARY NAMES librocksdb.so HINTS ${_places} ${_rocksdb_pc_LIBRARY_DIRS}
               PATH_SUFFIXES lib lib64 build)
  if(NOT BLOOM_LFS_ROCKSDB_INCLUDE OR NOT BLOOM_LFS_ROCKSDB_LIBRARY)
    message(FATAL_ERROR "no RocksDB found (headers: ${BLOOM_LFS_ROCKSDB_INCLUDE}, library: ${BLOOM_LFS_ROCKSDB_LIBRARY}); "
                        "${_remedy}")
  endif()
  execute_process(COMMAND ${CMAKE_READELF} -d ${BLOOM_LFS_ROCKSDB_LIBRARY} OUTPUT_VARIABLE _dynamic)
  if(NOT _dynamic MATCHES "SONAME[^[]*\\[([^]]+)\\]")
    message(FATAL_ERROR "${BLOOM_LFS_ROCKSDB_LIBRARY} has no soname, so the loader cannot tell it from others; ${_remedy}")
  endif()
  get_filename_component(_include ${BLOOM_LFS_ROCKSDB_INCLUDE} REALPATH)
  add_library(RocksDB::rocksdb-shared SHARED IMPORTED)
  set_target_properties(RocksDB::rocksdb-shared PROPERTIES
    IMPORTED_LOCATION ${BLOOM_LFS_ROCKSDB_LIBRARY} IMPORTED_SONAME ${CMAKE_MATCH_1}
    INTERFACE_INCLUDE_DIRECTORIES ${_include})
endif()
get_target_property(_headers RocksDB::rocksdb-shared INTERFACE_INCLUDE_DIRECTORIES)

# --- which version ---

find_file(BLOOM_LFS_ROCKSDB_VERSION_HEADER rocksdb/version.h HINTS ${_headers} REQUIRED NO_CACHE)
file(STRINGS ${BLOOM_LFS_ROCKSDB_VERSION_HEADER} _lines REGEX "^#define ROCKSDB_(MAJOR|MINOR) ")
string(REGEX MATCHALL "[0-9]+" _numbers "${_lines}")
list(JOIN _numbers "." BLOOM_LFS_ROCKSDB_VERSION)

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
message(STATUS "RocksDB ${BLOOM_LFS_ROCKSDB_VERSION}, C++${CMAKE_CXX_STANDARD}, headers in ${_headers}")

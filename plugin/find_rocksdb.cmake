# Finds a shared RocksDB. Used by this project's build, and by those that find_package(bloom_lfs), so that both see the
# same one.
#
# Looked for in the places that the user names (CMAKE_PREFIX_PATH, RocksDB_ROOT), and then where the system has things. A
# place is an install prefix, with or without RocksDB's CMake package, or a tree that RocksDB was built in: the source
# directory of `make shared_lib`, or the build directory of CMake. The system's: what find_package() finds, then what
# pkg-config knows. A target RocksDB::rocksdb-shared that is there already is taken.
#
# Sets: target RocksDB::rocksdb-shared, BLOOM_LFS_ROCKSDB_VERSION (major.minor), BLOOM_LFS_ROCKSDB_HEADERS; or
# BLOOM_LFS_ROCKSDB_PROBLEM, which names the remedy. Never ends the caller's run.

set(BLOOM_LFS_ROCKSDB_PROBLEM "")
set(_bloom_lfs_remedy "build a shared RocksDB, 7.8 to 11.8, or install librocksdb-dev, and give its install prefix or build \
tree: -DCMAKE_PREFIX_PATH=DIR. For a static RocksDB build the plugin into it: plugin/recipes/README.md")

set(_bloom_lfs_places ${RocksDB_ROOT} $ENV{RocksDB_ROOT} ${CMAKE_PREFIX_PATH})
# Elsewhere than the last time: what was found then does not count.
if(NOT "${BLOOM_LFS_ROCKSDB_PLACES}" STREQUAL "${_bloom_lfs_places}")
  unset(BLOOM_LFS_ROCKSDB_INCLUDE CACHE)
  unset(BLOOM_LFS_ROCKSDB_LIBRARY CACHE)
  unset(RocksDB_DIR CACHE)
  set(BLOOM_LFS_ROCKSDB_PLACES "${_bloom_lfs_places}" CACHE INTERNAL "Where RocksDB was looked for")
endif()

# Finds a library and headers without a package, among `places` or, without any, where the system has them.
function(bloom_lfs_rocksdb_files places)
  if(places)
    set(only NO_DEFAULT_PATH)
  else()
    find_package(PkgConfig QUIET)
    if(PkgConfig_FOUND)
      pkg_check_modules(_rocksdb_pc QUIET rocksdb)
    endif()
  endif()
  find_path(BLOOM_LFS_ROCKSDB_INCLUDE rocksdb/version.h HINTS ${places} ${_rocksdb_pc_INCLUDE_DIRS}
            PATH_SUFFIXES include ../include ${only})
  find_library(BLOOM_LFS_ROCKSDB_LIBRARY NAMES librocksdb.so HINTS ${places} ${_rocksdb_pc_LIBRARY_DIRS}
               PATH_SUFFIXES lib lib64 lib/${CMAKE_LIBRARY_ARCHITECTURE} build ${only})
endfunction()

# A package in one of the places, then files there, then the system's package, then the system's files.
if(NOT TARGET RocksDB::rocksdb-shared AND _bloom_lfs_places)
  # A build tree of CMake has a package that cannot be used: its list of targets comes with the installation.
  set(_bloom_lfs_packages ${_bloom_lfs_places})
  foreach(_bloom_lfs_place IN LISTS _bloom_lfs_places)
    if(EXISTS "${_bloom_lfs_place}/RocksDBConfig.cmake" AND NOT EXISTS "${_bloom_lfs_place}/RocksDBTargets.cmake")
      list(REMOVE_ITEM _bloom_lfs_packages "${_bloom_lfs_place}")
    endif()
  endforeach()
  if(_bloom_lfs_packages)
    find_package(RocksDB CONFIG QUIET NO_DEFAULT_PATH PATHS ${_bloom_lfs_packages})
  endif()
  if(NOT RocksDB_FOUND)
    bloom_lfs_rocksdb_files("${_bloom_lfs_places}")
  endif()
endif()
if(NOT TARGET RocksDB::rocksdb-shared AND NOT RocksDB_FOUND
   AND NOT (BLOOM_LFS_ROCKSDB_INCLUDE AND BLOOM_LFS_ROCKSDB_LIBRARY))
  find_package(RocksDB CONFIG QUIET)
  if(NOT RocksDB_FOUND)
    bloom_lfs_rocksdb_files("")
  endif()
endif()

# What was found without a package, as a target.
function(bloom_lfs_rocksdb_from_files)
  if(NOT BLOOM_LFS_ROCKSDB_INCLUDE OR NOT BLOOM_LFS_ROCKSDB_LIBRARY)
    set(BLOOM_LFS_ROCKSDB_PROBLEM "no RocksDB found (headers: ${BLOOM_LFS_ROCKSDB_INCLUDE}, library: \
${BLOOM_LFS_ROCKSDB_LIBRARY}); ${_bloom_lfs_remedy}" PARENT_SCOPE)
    return()
  endif()
  execute_process(COMMAND ${CMAKE_READELF} -d ${BLOOM_LFS_ROCKSDB_LIBRARY} OUTPUT_VARIABLE dynamic)
  if(NOT dynamic MATCHES "SONAME[^[]*\\[([^]]+)\\]")
    set(BLOOM_LFS_ROCKSDB_PROBLEM "${BLOOM_LFS_ROCKSDB_LIBRARY} has no soname, so the loader cannot tell it from others; \
${_bloom_lfs_remedy}" PARENT_SCOPE)
    return()
  endif()
  set(soname ${CMAKE_MATCH_1})
  get_filename_component(include ${BLOOM_LFS_ROCKSDB_INCLUDE} REALPATH)
  add_library(RocksDB::rocksdb-shared SHARED IMPORTED GLOBAL)
  set_target_properties(RocksDB::rocksdb-shared PROPERTIES
    IMPORTED_LOCATION ${BLOOM_LFS_ROCKSDB_LIBRARY} IMPORTED_SONAME ${soname}
    INTERFACE_INCLUDE_DIRECTORIES ${include})
endfunction()

if(TARGET RocksDB::rocksdb AND NOT TARGET RocksDB::rocksdb-shared)
  set(BLOOM_LFS_ROCKSDB_PROBLEM "RocksDB in ${RocksDB_DIR} has a static library only; ${_bloom_lfs_remedy}")
elseif(NOT TARGET RocksDB::rocksdb-shared)
  bloom_lfs_rocksdb_from_files()
endif()

if(NOT BLOOM_LFS_ROCKSDB_PROBLEM)
  get_target_property(BLOOM_LFS_ROCKSDB_HEADERS RocksDB::rocksdb-shared INTERFACE_INCLUDE_DIRECTORIES)
  find_file(BLOOM_LFS_ROCKSDB_VERSION_HEADER rocksdb/version.h HINTS ${BLOOM_LFS_ROCKSDB_HEADERS} NO_CACHE)
  if(BLOOM_LFS_ROCKSDB_VERSION_HEADER)
    file(STRINGS ${BLOOM_LFS_ROCKSDB_VERSION_HEADER} _bloom_lfs_lines REGEX "^#define ROCKSDB_(MAJOR|MINOR) ")
    string(REGEX MATCHALL "[0-9]+" _bloom_lfs_numbers "${_bloom_lfs_lines}")
    list(JOIN _bloom_lfs_numbers "." BLOOM_LFS_ROCKSDB_VERSION)
  else()
    set(BLOOM_LFS_ROCKSDB_PROBLEM "no rocksdb/version.h in ${BLOOM_LFS_ROCKSDB_HEADERS}; ${_bloom_lfs_remedy}")
  endif()
endif()

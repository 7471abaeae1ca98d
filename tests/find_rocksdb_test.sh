#!/usr/bin/env bash
# The build finds RocksDB wherever somebody may have it, asks it how it was built, and says what to do where it
# cannot be used.
#
#   find_rocksdb_test.sh SOURCE     the repository; the RocksDB of the system serves as everybody's
set -euo pipefail

source=$(readlink -f "${1:?"find_rocksdb_test.sh needs the repository"}")
work=$(mktemp -d "$PWD/find_rocksdb_test.XXXXXX")
trap 'rm -rf "$work"' EXIT
unset CMAKE_PREFIX_PATH PKG_CONFIG_PATH RocksDB_ROOT LD_PRELOAD
cd "$work"

fail() {
  printf 'find_rocksdb_test: %s\n' "$1" >&2
  tail -n 40 output >&2
  exit 1
}

compiler=${CXX:-c++}
library=$(readlink -f "$("$compiler" -print-file-name=librocksdb.so)")
headers=$(dirname "$(dirname "$("$compiler" -x c++ -M - <<<'#include <rocksdb/version.h>' |
  grep -o '/[^ ]*rocksdb/version.h')")")

# A build that includes rocksdb.cmake and says what it got.
mkdir project
cat >project/CMakeLists.txt <<DONE
cmake_minimum_required(VERSION 3.25)
project(asks LANGUAGES CXX)
find_package(PkgConfig REQUIRED)
if(LONELY)
  set(CMAKE_FIND_USE_CMAKE_SYSTEM_PATH OFF)
  set(CMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH OFF)
  set(CMAKE_FIND_USE_PACKAGE_REGISTRY OFF)
endif()
include($source/plugin/rocksdb.cmake)
get_target_property(location RocksDB::rocksdb-shared LOCATION)
get_directory_property(options COMPILE_OPTIONS)
message(STATUS "got \${BLOOM_LFS_ROCKSDB_VERSION} C++\${CMAKE_CXX_STANDARD} [\${options}] \${location}")
DONE

# Without the system's places: there is no RocksDB then but what a case makes.
readonly lonely=-DLONELY=ON

configure() {
  [[ -n ${again:-} ]] || rm -rf "$work/configured"
  PKG_CONFIG_LIBDIR=${pkgconfig:-$work/nothing} cmake -S project -B "$work/configured" "$@" >output 2>&1
}

# finds CASE PATTERN ARGUMENTS...
finds() {
  local case=$1 pattern=$2
  shift 2
  configure "$@" || fail "$case: is not found"
  grep -E -- "-- got $pattern" output >/dev/null || fail "$case: not '$pattern'"
  echo "find_rocksdb_test: $case"
}

# refuses CASE WORDS ARGUMENTS...
refuses() {
  local case=$1 words=$2
  shift 2
  ! configure "$@" || fail "$case: is taken"
  tr -s ' \n' ' ' <output | grep -F -- "$words" >/dev/null || fail "$case: does not say '$words'"
  echo "find_rocksdb_test: $case"
}

# make_rocksdb DIRECTORY VERSION [PARENT]: a library and headers that say VERSION, the headers in PARENT/include.
make_rocksdb() {
  local directory=$work/$1 include=$work/${3:-$1}/include/rocksdb
  mkdir -p "$directory" "$include"
  cp "$library" "$directory/librocksdb.so"
  ln -s "$headers"/rocksdb/* "$include/"
  rm "$include/version.h"
  sed -E "s/^(#define ROCKSDB_MAJOR) .*/\1 ${2%.*}/; s/^(#define ROCKSDB_MINOR) .*/\1 ${2#*.}/" \
    "$headers/rocksdb/version.h" >"$include/version.h"
}

# A library in which nothing of RocksDB is.
empty_library() {
  "$compiler" -x c++ -shared -fPIC - -o "$1" "${@:2}" <<<'int nothing;'
}

version=$(sed -nE 's/^#define ROCKSDB_(MAJOR|MINOR) +([0-9]+).*/\2/p' "$headers/rocksdb/version.h" | paste -sd.)
finds "the system's package" "$version C\+\+(17|20) \[.*\] .*librocksdb"

make_rocksdb make_tree 9.7
finds "a tree of make" "9.7 C\+\+17 \[\] $work/make_tree/librocksdb.so" "$lonely" \
  -DCMAKE_PREFIX_PATH="$work/make_tree"
finds "RocksDB_ROOT" "9.7 C\+\+17 \[\] $work/make_tree/librocksdb.so" "$lonely" -DRocksDB_ROOT="$work/make_tree"

make_rocksdb cmake_tree/build 10.9 cmake_tree
touch cmake_tree/build/RocksDBConfig.cmake  # building writes it; its targets come with the installation
finds "a build tree of CMake" "10.9 C\+\+17 \[\] $work/cmake_tree/build/" "$lonely" \
  -DCMAKE_PREFIX_PATH="$work/cmake_tree/build"
finds "a build tree, the system having a package" "10.9 .*$work/cmake_tree/build/" \
  -DCMAKE_PREFIX_PATH="$work/cmake_tree/build"

make_rocksdb prefix/lib 10.10 prefix
finds "a prefix without a package" "10.10 C\+\+20 \[\] $work/prefix/lib/" "$lonely" -DCMAKE_PREFIX_PATH="$work/prefix"
finds "the same, the system having one" "10.10 .*$work/prefix/lib/" -DCMAKE_PREFIX_PATH="$work/prefix"
finds "a standard that the user chose" "10.10 C\+\+23 " "$lonely" -DCMAKE_PREFIX_PATH="$work/prefix" \
  -DCMAKE_CXX_STANDARD=23

again=yes finds "another place, in the same build directory" "9.7 .*$work/make_tree/" "$lonely" \
  -DCMAKE_PREFIX_PATH="$work/make_tree"

mkdir pc
cat >pc/rocksdb.pc <<DONE
prefix=$work/prefix
Name: rocksdb
Description: RocksDB
Version: 10.10.0
Libs: -L\${prefix}/lib -lrocksdb
Cflags: -I\${prefix}/include
DONE
pkgconfig=$work/pc finds "pkg-config" "10.10 C\+\+20 \[\] $work/prefix/lib/" "$lonely"

refuses "nothing" "and give its install prefix or build tree: -DCMAKE_PREFIX_PATH=DIR" "$lonely"

mkdir -p static/lib/cmake/RocksDB
echo 'add_library(RocksDB::rocksdb STATIC IMPORTED)' >static/lib/cmake/RocksDB/RocksDBConfig.cmake
refuses "a static library only" "has a static library only; build a shared RocksDB" "$lonely" \
  -DCMAKE_PREFIX_PATH="$work/static"

# What the system's RocksDB exports, but for the classes' typeinfo: what one exports that is built without RTTI.
make_rocksdb plain 9.8
nm -D --defined-only "$library" | awk '{ sub(/@.*/, "", $3) } $3 !~ /^_ZT[IS]/ { print ".globl " $3 "\n" $3 ":" }
  END { print ".byte 0" }' >plain/names.s
rm plain/librocksdb.so
"$compiler" -shared plain/names.s -o plain/librocksdb.so -Wl,-z,noexecstack -Wl,-soname,librocksdb.so.9
finds "a RocksDB without RTTI" "9.8 C\+\+17 \[.*-fno-rtti.*\] $work/plain/librocksdb.so" "$lonely" \
  -DCMAKE_PREFIX_PATH="$work/plain"

make_rocksdb strange 9.8
empty_library strange/librocksdb.so -Wl,-soname,librocksdb.so.9
refuses "a library without the classes" "does not link, with RTTI or without; use the compiler" "$lonely" \
  -DCMAKE_PREFIX_PATH="$work/strange"
empty_library strange/librocksdb.so
refuses "a library without a soname" "has no soname, so the loader cannot tell it from others" "$lonely" \
  -DCMAKE_PREFIX_PATH="$work/strange"
echo "find_rocksdb_test: all passed"

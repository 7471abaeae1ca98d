# Debian packages: `cmake --build BUILD --target debs` puts them into BUILD/debs. Configure with
# -DCMAKE_INSTALL_PREFIX=/usr. Two builds of one commit give the same bytes.
#
# Version, date and maintainer are those of the first entry of `changelog`.

if(NOT TARGET bloom_lfs_tool)
  message(STATUS "The target debs is left out: it needs the tool bloom_lfs")
  return()
endif()

file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/changelog _trailer REGEX "^ -- " LIMIT_COUNT 1)
string(REGEX MATCH "^ -- (.*>)  (.*)$" _ "${_trailer}")
set(_maintainer "${CMAKE_MATCH_1}")
set(_date "${CMAKE_MATCH_2}")
execute_process(COMMAND date --utc --date=${_date} +%s OUTPUT_VARIABLE _epoch
                OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND date --utc --date=${_date} +%Y OUTPUT_VARIABLE DEBS_YEAR
                OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)

# --- what only packages have ----------------------------------------------------------------------

configure_file(${CMAKE_CURRENT_LIST_DIR}/copyright.in copyright @ONLY)
configure_file(${CMAKE_CURRENT_LIST_DIR}/systemd_drop_in.conf.in bloom_lfs.conf @ONLY)
find_program(GZIP gzip REQUIRED)
add_custom_command(OUTPUT changelog.gz
  COMMAND ${GZIP} -9n < ${CMAKE_CURRENT_LIST_DIR}/changelog > changelog.gz
  DEPENDS ${CMAKE_CURRENT_LIST_DIR}/changelog VERBATIM)
add_custom_command(OUTPUT bloom_lfs.1.gz completion
  COMMAND bloom_lfs_tool --man > bloom_lfs.1
  COMMAND ${GZIP} -9nf bloom_lfs.1
  COMMAND bloom_lfs_tool --completion > completion
  DEPENDS bloom_lfs_tool VERBATIM)
add_custom_target(debs_documents DEPENDS changelog.gz bloom_lfs.1.gz completion)

set(_components runtime tools dev)
set(_name_runtime libbloom-lfs)
set(_name_tools bloom-lfs-tools)
set(_name_dev libbloom-lfs-dev)
foreach(component IN LISTS _components)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/copyright ${CMAKE_CURRENT_BINARY_DIR}/changelog.gz
          DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${_name_${component}}
          COMPONENT ${component} EXCLUDE_FROM_ALL)
  install(FILES ${CMAKE_CURRENT_LIST_DIR}/lintian/${_name_${component}}
          DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides
          COMPONENT ${component} EXCLUDE_FROM_ALL OPTIONAL)
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/plugin/tool/README.md RENAME tool.md
        DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/bloom-lfs-tools COMPONENT tools EXCLUDE_FROM_ALL)
install(FILES ${PROJECT_SOURCE_DIR}/plugin/README.md RENAME operation.md
        DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/bloom-lfs-tools COMPONENT tools EXCLUDE_FROM_ALL)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/bloom_lfs.1.gz
        DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT tools EXCLUDE_FROM_ALL)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/completion RENAME bloom_lfs
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
        COMPONENT tools EXCLUDE_FROM_ALL)
install(FILES ${CMAKE_CURRENT_LIST_DIR}/grafana_dashboard.json
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bloom-lfs COMPONENT tools EXCLUDE_FROM_ALL)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/bloom_lfs.conf
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bloom-lfs/systemd COMPONENT tools EXCLUDE_FROM_ALL)

# --- cpack ----------------------------------------------------------------------------------------

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME bloom-lfs)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "${_maintainer}")
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/debs)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_ALL ${_components})
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_BINARY_DIR})
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS ON)
set(CPACK_COMPONENT_TOOLS_DEPENDS runtime)
set(CPACK_COMPONENT_DEV_DEPENDS runtime)
foreach(component IN LISTS _components)
  string(TOUPPER ${component} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${_name_${component}})
endforeach()
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION database)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
# The headers of the minor version that the plugin is built for, and no other's.
string(REGEX MATCH "^([0-9]+)\\.([0-9]+)" _ "${BLOOM_LFS_ROCKSDB_VERSION}")
math(EXPR _next_minor "${CMAKE_MATCH_2} + 1")
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS
    "librocksdb-dev (>= ${CMAKE_MATCH_1}.${CMAKE_MATCH_2}), librocksdb-dev (<< ${CMAKE_MATCH_1}.${_next_minor}~)")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_LIST_DIR}/triggers)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "write-ahead log for RocksDB that syncs faster")
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION
"Makes synced writes of programs that use RocksDB faster, and loses nothing
that a crash leaves behind. Databases keep their format: it can be switched
on and off at every restart.

This package holds the loader, for LD_PRELOAD, and the plugin.")
set(CPACK_COMPONENT_TOOLS_DESCRIPTION
"Looks into directories and processes that write with bloom_lfs, recovers,
and restores what a second place holds. With a drop-in for systemd and a
dashboard for Grafana.")
set(CPACK_COMPONENT_DEV_DESCRIPTION
"For programs that link the plugin: headers, and what CMake and pkg-config
need to find them.")
include(CPack)

add_custom_target(debs
  COMMAND ${CMAKE_COMMAND} -E env SOURCE_DATE_EPOCH=${_epoch} ${CMAKE_CPACK_COMMAND}
          --config ${CMAKE_BINARY_DIR}/CPackConfig.cmake
  WORKING_DIRECTORY ${CMAKE_BINARY_DIR} VERBATIM)
add_dependencies(debs bloom_lfs bloom_lfs_loader bloom_lfs_tool debs_documents)
if(TARGET bloom_lfs_nbd)
  add_dependencies(debs bloom_lfs_nbd)
endif()

# The one list of the plugin's sources, and RocksDB's in-tree "make" protocol.
#
# Read by three builds: RocksDB's Makefile, RocksDB's CMake (both with the repository cloned into
# RocksDB's plugin/bloom_lfs directory and ROCKSDB_PLUGINS=bloom_lfs), and our own CMakeLists.txt, which
# tells the store from the plugin by the directory.
#
# Assign the lists with ":=". RocksDB's CMake searches this text for a list assigned with a plain
# equals sign and would compile every file twice. It finds the registration function the same way, so
# that one does need the plain sign. Keep semicolons and square brackets out of this file: that
# search splits on them.

bloom_lfs_SOURCES := \
  lss/base/boot_id.cc \
  lss/base/check.cc \
  lss/base/crc32c.cc \
  lss/base/file_identity.cc \
  lss/base/fork_guard.cc \
  lss/base/file_system_kind.cc \
  lss/base/posix_file.cc \
  lss/base/status.cc \
  lss/base/unique_fd.cc \
  lss/base/zeros.cc \
  lss/dense_stream.cc \
  lss/device/async_writer.cc \
  lss/device/blocking_writer.cc \
  lss/device/file_device.cc \
  lss/device/remote_device.cc \
  lss/device/system_calls.cc \
  lss/device/uring_writer.cc \
  lss/device/write_chain.cc \
  lss/figures/board_copy.cc \
  lss/figures/figures_board.cc \
  lss/figures/stream_figures.cc \
  lss/log_structured_store.cc \
  lss/log_structured_store_prepare.cc \
  lss/pages/checkpoint_format.cc \
  lss/pages/checkpointer.cc \
  lss/pages/circular_device.cc \
  lss/pages/export_device.cc \
  lss/pages/frame_pool.cc \
  lss/pages/page_figures.cc \
  lss/pages/page_file.cc \
  lss/pages/page_file_export.cc \
  lss/pages/page_file_layout.cc \
  lss/pages/page_log.cc \
  lss/pages/page_record.cc \
  lss/pages/page_recovery.cc \
  lss/pages/page_store.cc \
  lss/pages/page_store_lookup.cc \
  lss/pages/page_store_options.cc \
  lss/pages/page_store_worker.cc \
  lss/pages/page_table.cc \
  lss/pages/page_writer.cc \
  lss/pages/private_directory.cc \
  lss/pages/read_queue.cc \
  lss/record_log.cc \
  lss/recovery/evidence.cc \
  lss/recovery/facts.cc \
  lss/recovery/judge.cc \
  lss/recovery/recovery.cc \
  lss/recovery/replay.cc \
  lss/recovery/ring_directory.cc \
  lss/reservation.cc \
  lss/ring/fault_handler.cc \
  lss/ring/flush_buffer.cc \
  lss/ring/flush_buffer_ring.cc \
  lss/ring/locate.cc \
  lss/ring/merged_read.cc \
  lss/ring/ring_access.cc \
  lss/ring/ring_budget.cc \
  lss/ring/ring_format.cc \
  lss/ring/ring_lock.cc \
  lss/ring/ring_memory.cc \
  lss/ring/ring_options.cc \
  lss/ring/ring_place.cc \
  lss/ring/ring_view.cc \
  lss/ring/shared_mapping.cc \
  lss/ring/signal_chain.cc \
  lss/ring/thaw_gate.cc \
  lss/runtime/flusher.cc \
  lss/runtime/maintenance.cc \
  lss/runtime/runtime.cc \
  lss/runtime/thread.cc \
  lss/runtime/ticker.cc \
  lss/second_place/doubled_stream.cc \
  lss/second_place/failover_stream.cc \
  lss/second_place/group_format.cc \
  lss/second_place/hand_off_queue.cc \
  lss/second_place/live_records.cc \
  lss/second_place/remote_place.cc \
  lss/second_place/side_appender.cc \
  lss/second_place/side_labels.cc \
  lss/second_place/side_log.cc \
  lss/second_place/side_place.cc \
  lss/second_place/side_scan.cc \
  lss/second_place/side_space.cc \
  lss/second_place/side_superblock.cc \
  lss/second_place/side_workers.cc \
  lss/second_place/uuid.cc \
  lss/stream/cache_policy.cc \
  lss/stream/flush_behavior.cc \
  lss/stream/flush_pipeline.cc \
  lss/stream/flush_pipeline_exclusive.cc \
  lss/stream/heat_policy.cc \
  lss/stream/space.cc \
  lss/stream/stability.cc \
  lss/stream/stream_options.cc \
  lss/stream/tail_writer.cc \
  lss/stream/tail_writer_cache.cc \
  lss/stream/tail_writer_past_ring.cc \
  plugin/blob_record.cc \
  plugin/blob_sizes.cc \
  plugin/blob_tail.cc \
  plugin/bloom_lfs_file_system.cc \
  plugin/database_locks.cc \
  plugin/default_file_system.cc \
  plugin/default_runtime.cc \
  plugin/directory_id.cc \
  plugin/directory_recovery.cc \
  plugin/figures/figures.cc \
  plugin/figures/figures_file.cc \
  plugin/figures/stream_figures_source.cc \
  plugin/figures/summary_logger.cc \
  plugin/file_creation.cc \
  plugin/file_kind.cc \
  plugin/file_source.cc \
  plugin/file_system_options.cc \
  plugin/flash/background_thread.cc \
  plugin/flash/blob_identity.cc \
  plugin/flash/blob_on_flash.cc \
  plugin/flash/blob_tier.cc \
  plugin/flash/compressed_blocks.cc \
  plugin/flash/flash_block_cache.cc \
  plugin/flash/flash_by_environment.cc \
  plugin/flash/flash_cache.cc \
  plugin/flash/flash_figures.cc \
  plugin/flash/flash_options.cc \
  plugin/flash/flash_registration.cc \
  plugin/flash/flash_stores.cc \
  plugin/flush_watch.cc \
  plugin/io_status.cc \
  plugin/live_stores.cc \
  plugin/log_beginning.cc \
  plugin/log_succession.cc \
  plugin/log_writer_intent.cc \
  plugin/number_set.cc \
  plugin/option_text.cc \
  plugin/patience.cc \
  plugin/plugin_options.cc \
  plugin/register.cc \
  plugin/second/doubled_log_file.cc \
  plugin/second/failover_log_file.cc \
  plugin/second/second_database.cc \
  plugin/second/second_figures.cc \
  plugin/second/second_marker.cc \
  plugin/second/second_place.cc \
  plugin/second/second_place_open.cc \
  plugin/second/second_recovery.cc \
  plugin/second/second_register.cc \
  plugin/shown_file.cc \
  plugin/sibling_files.cc \
  plugin/standard_error.cc \
  plugin/store_files.cc \
  plugin/wal_file.cc \
  plugin/wal_sequence.cc \
  plugin/wal_stale_piece.cc \
  plugin/wal_tail.cc \
  plugin/warning.cc

bloom_lfs_HEADERS := \
  plugin/bloom_lfs_file_system.h \
  plugin/plugin_options.h \
  plugin/register.h \
  plugin/rocksdb_features.h \
  plugin/rocksdb_versions.h

bloom_lfs_LDFLAGS := -luring
bloom_lfs_CXXFLAGS := -Iplugin/bloom_lfs

bloom_lfs_FUNC = register_bloom_lfs

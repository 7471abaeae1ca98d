// The parts of a page store, without the store: file, table, log, writer.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "lss/pages/checkpointer.h"
#include "lss/pages/page_file.h"
#include "lss/pages/page_log.h"
#include "lss/pages/page_recovery.h"
#include "lss/pages/page_space.h"
#include "lss/pages/page_writer.h"
#include "lss/runtime/runtime.h"
#include "tests/support/page_store_fixture.h"
#include "tests/support/temp_dir.h"

namespace lss::test {

class PagePartsFixture : public testing::Test {
 protected:
  ~PagePartsFixture() override { CloseParts(); }

  PageFileLayout layout() const { return PageFileLayout::For(64ULL << 20, 4096); }
  // Opens the file and makes an empty table.
  void OpenFile() {
    std::unique_ptr<PageFile> file;
    const Status status = PageFile::Open(directory_ / "tier", layout(), nullptr, &file);
    ASSERT_TRUE(status.ok()) << status.ToString();
    std::unique_ptr<PageTable> table;
    ASSERT_TRUE(PageTable::Create(layout().buckets, &table).ok());
    space_ = std::make_unique<PageSpace>(std::move(file), std::move(table), 4096, 8 << 20);
  }
  void OpenLog(uint64_t origin, PageWriter::Options options = {}) {
    const Status status = PageLog::Open(&runtime_, space_->file.get(), origin, {}, &log_);
    ASSERT_TRUE(status.ok()) << status.ToString();
    writer_ = std::make_unique<PageWriter>(space_.get(), log_.get(), &counters_, options);
  }
  void CloseParts() {
    writer_.reset();
    if (log_ != nullptr) {
      EXPECT_TRUE(log_->Close().ok());
    }
    log_.reset();
    space_.reset();
  }
  // As PageStore::Insert.
  void Put(uint64_t number, bool was_ghost = false) {
    const std::string bytes = BytesOf(number);
    const uint32_t at = space_->frames.Take(static_cast<uint32_t>(bytes.size()));
    ASSERT_NE(at, FramePool::kNone);
    Frame& frame = space_->frames.frame(at);
    frame.key = KeyOf(number);
    frame.was_ghost = was_ghost;
    memcpy(frame.bytes.get(), bytes.data(), bytes.size());
    const uint64_t hash = HashOf(frame.key);
    const auto in = space_->table->Insert(hash, PageWord::Memory(TagOf(hash), at));
    ASSERT_TRUE(in.done);
    frame.index = in.index;
    space_->queue.Push(at);
  }
  // The word of a page; empty if the table does not know it.
  PageWord WordOf(uint64_t number) const {
    const auto candidates = space_->table->Find(HashOf(KeyOf(number)));
    return candidates.count == 0 ? PageWord() : candidates.begin()->word;
  }
  // Everything that is in memory is on flash when it returns.
  void WriteOut() {
    ASSERT_TRUE(writer_->Step(1, true).ok());
    ASSERT_TRUE(log_->Flush().ok());
    while (!writer_->idle()) {
      writer_->NoteArrivals();
      ASSERT_TRUE(log_->error().ok());
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  }
  uint64_t CountOnFlash(uint64_t from, uint64_t to) const {
    uint64_t count = 0;
    for (uint64_t number = from; number < to; ++number) {
      count += WordOf(number).on_flash() ? 1 : 0;
    }
    return count;
  }

  bloom_lfs::test::TempDir directory_;
  Runtime runtime_;
  PageCounters counters_;
  std::atomic<bool> stop_{false};
  std::unique_ptr<PageSpace> space_;
  std::unique_ptr<PageLog> log_;
  std::unique_ptr<PageWriter> writer_;
};

}  // namespace lss::test

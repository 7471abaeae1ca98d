#include "lss/pages/checkpointer.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace lss {

void Checkpointer::Begin(uint64_t recovery_start, uint64_t log_end) {
  next_ = {file_->store_id(), newest_.sequence + 1, table_->word_count(), recovery_start, log_end};
  next_block_ = 0;
  running_ = true;
}

Status Checkpointer::Step() {
  if (next_block_ < CheckpointBlocks(next_.words)) {
    Status status = WriteBlock();
    running_ = status.ok();
    return status;
  }
  running_ = false;
  Status status = file_->device()->Sync();
  if (status.ok()) {
    status = WriteHead(next_);
  }
  return status;
}

Status Checkpointer::WriteEmpty() {
  if (newest_.sequence > 0) {
    return Status::Ok();
  }
  return WriteHead({file_->store_id(), 1, 0, 0, 0});
}

// Only what is on flash: a page in memory is found by the scan, or lost.
Status Checkpointer::WriteBlock() {
  if (!buffer_.Reserve(kCheckpointBlockBytes)) {
    return Status::FromErrno("write a checkpoint to", file_->path(), -1, ENOMEM);
  }
  char* const block = buffer_.data();
  const uint64_t first = next_block_ * kCheckpointBlockWords;
  const uint64_t count = std::min(kCheckpointBlockWords, next_.words - first);
  memset(block, 0, kCheckpointBlockBytes);
  for (uint64_t i = 0; i < count; ++i) {
    const PageWord word = table_->Load(first + i);
    const uint64_t bits = word.on_flash() ? word.bits() : 0;
    memcpy(block + i * sizeof(bits), &bits, sizeof(bits));
  }
  SealCheckpointBlock(next_.sequence, static_cast<uint32_t>(next_block_), block);
  const uint64_t at = file_->layout().checkpoint_begin(slot_) + CheckpointBlockAt(next_block_);
  ++next_block_;
  return WriteAt(at, kCheckpointBlockBytes);
}

Status Checkpointer::WriteHead(const CheckpointHead& head) {
  if (!buffer_.Reserve(kPageBytes)) {
    return Status::FromErrno("write a checkpoint to", file_->path(), -1, ENOMEM);
  }
  EncodeCheckpointHead(head, buffer_.data());
  Status status = WriteAt(file_->layout().checkpoint_begin(slot_), kPageBytes);
  if (status.ok()) {
    status = file_->device()->Sync();
  }
  if (status.ok()) {
    newest_ = head;
    slot_ = 1 - slot_;
    counters_->checkpoints.Add(1);
  }
  return status;
}

Status Checkpointer::WriteAt(uint64_t offset, uint64_t bytes) {
  const iovec piece = {buffer_.data(), bytes};
  counters_->written_bytes.Add(bytes);
  return file_->device()->Write({piece}, offset, WriteKind::kPlain);
}

}  // namespace lss

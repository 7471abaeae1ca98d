#include "lss/second_place/side_appender.h"

namespace lss {

SideAppender::SideAppender(const StreamName& name, const SecondParts& parts)
    : name_(name), parts_(parts) {
  parts_.log->Enter(name_);
}

SideAppender::~SideAppender() {
  if (!fork_guard_.InForkedChild()) {  // the log is the parent's, and may be locked
    parts_.log->Leave(name_);
  }
}

Status SideAppender::Append(const std::string& bytes, Address end) {
  if (bytes.empty()) {
    return Status::Ok();
  }
  const SideRecord record = {name_, end - bytes.size(), {bytes.data(), bytes.size()}};
  Status status = parts_.log->Append(record, &group_);
  while (status.code() == Status::Code::kNoSpace && parts_.make_room != nullptr &&
         parts_.make_room()) {
    status = parts_.log->Append(record, &group_);
  }
  // Relaxed: a figure
  parts_.figures->doubled_bytes.fetch_add(bytes.size(), std::memory_order_relaxed);
  return status;
}

}  // namespace lss

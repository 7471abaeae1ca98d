#include "plugin/log_writer_intent.h"

namespace bloom_lfs {
namespace {

thread_local std::optional<LogWriterIntent> t_intent;

}  // namespace

void NoteLogWriterIntent(const LogWriterIntent& intent) { t_intent = intent; }

std::optional<LogWriterIntent> TakeLogWriterIntent() {
  const std::optional<LogWriterIntent> intent = t_intent;
  t_intent.reset();
  return intent;
}

}  // namespace bloom_lfs

// Where a store says what it cannot return as an error.
#pragma once

#include <functional>
#include <string>

namespace lss {

// Called with one finished line (no newline) when something falls back or is repaired. May be
// called from any thread, and must not block for long. Null: nobody wants to know.
//
// A line may end with " [place]", where this was first met; a sink that says each thing once
// compares lines without it.
using WarningSink = std::function<void(const std::string&)>;

}  // namespace lss

// Names that are drawn and not given: of side logs, and of databases for as long as they are open.
//
// Thread safety: from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace lss {

using Uuid = std::array<uint8_t, 16>;

// Any 16 bytes that nobody else has drawn.
Uuid DrawUuid();
std::string UuidText(const Uuid& uuid);
// False: the text is none.
bool ParseUuid(const std::string& text, Uuid* uuid);

}  // namespace lss

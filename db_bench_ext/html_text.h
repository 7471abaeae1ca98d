#pragma once

#include <string>
#include <string_view>

namespace bloom_lfs::bench {

// `text` as it may stand between tags and in quoted attributes, of HTML and of XML alike. Bytes
// that are no UTF-8 and control characters become U+FFFD.
std::string EscapeHtml(std::string_view text);

}  // namespace bloom_lfs::bench

// The address of an export, and what has to be true of one before libnbd sees it.
#pragma once

#include <string>

#include "lss/base/status.h"

namespace lss {

struct NbdUri {
  std::string text;          // as the user wrote it, for messages
  std::string for_libnbd;    // the same without the certificates' directory
  bool tls = false;          // nothing goes over the line in the clear
  std::string certificates;  // a directory; empty without TLS
};

// kInvalidArgument if the scheme is not one of ours, if TLS is asked for without a directory of
// certificates, or if checking the server's certificate is to be left out. Pure.
Status ParseNbdUri(const std::string& text, NbdUri* uri);

// Whether the file that says whom to trust can be read. libnbd does without it and then accepts
// any certificate, so this is asked before every connection. OK without TLS.
Status CheckCertificates(const NbdUri& uri);

}  // namespace lss

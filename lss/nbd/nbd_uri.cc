#include "lss/nbd/nbd_uri.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace lss {
namespace {

constexpr char kCertificates[] = "tls-certificates";
constexpr char kVerify[] = "tls-verify-peer";

bool BeginsWith(const std::string& text, const char* prefix) {
  return text.compare(0, std::strlen(prefix), prefix) == 0;
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  c = static_cast<char>(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// "%2F" becomes "/"; what is no escape stays as it is.
std::string Unescape(const std::string& text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size();
    const int high = escape ? HexValue(text[i + 1]) : -1;
    const int low = escape ? HexValue(text[i + 2]) : -1;
    if (high >= 0 && low >= 0) {
      plain += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  size_t from = 0;
  for (size_t to = text.find(separator); to != std::string::npos; to = text.find(separator, from)) {
    parts.push_back(text.substr(from, to - from));
    from = to + 1;
  }
  parts.push_back(text.substr(from));
  return parts;
}

Status Malformed(const std::string& text, const std::string& why) {
  return Status::InvalidArgument("open " + text + ": " + why);
}

}  // namespace

Status ParseNbdUri(const std::string& text, NbdUri* uri) {
  *uri = {};
  uri->text = text;
  uri->tls = BeginsWith(text, "nbds://");
  if (!uri->tls && !BeginsWith(text, "nbd://") && !BeginsWith(text, "nbd+unix://")) {
    return Malformed(text, "give an address that begins with nbd://, nbds:// or nbd+unix://");
  }
  const size_t question = text.find('?');
  uri->for_libnbd = text.substr(0, question);
  char joint = '?';
  for (const std::string& parameter :
       Split(question == std::string::npos ? "" : text.substr(question + 1), '&')) {
    const size_t equals = parameter.find('=');
    const std::string name = Unescape(parameter.substr(0, equals));
    if (name == kVerify) {
      return Malformed(text, "leave out tls-verify-peer: a server's certificate is always checked");
    }
    if (name == kCertificates) {
      uri->certificates = equals == std::string::npos ? "" : Unescape(parameter.substr(equals + 1));
    } else if (!parameter.empty()) {
      uri->for_libnbd += joint + parameter;
      joint = '&';
    }
  }
  if (uri->tls && uri->certificates.empty()) {
    return Malformed(text,
                     "TLS needs to know whom to trust; add ?tls-certificates=DIR, the directory "
                     "with ca-cert.pem");
  }
  if (!uri->tls && !uri->certificates.empty()) {
    return Malformed(text, "certificates are for TLS; write nbds:// instead of nbd://");
  }
  return Status::Ok();
}

Status CheckCertificates(const NbdUri& uri) {
  if (!uri.tls) {
    return Status::Ok();
  }
  const std::string file = uri.certificates + "/ca-cert.pem";
  if (access(file.c_str(), R_OK) == 0) {
    return Status::Ok();
  }
  const int error = errno;
  return Status::PermissionDenied("connect " + uri.text + ": cannot read " + file + " (" +
                                  strerrordesc_np(error) +
                                  "), so no certificate could be checked; put the certificate of "
                                  "the authority there that has signed the server's");
}

}  // namespace lss

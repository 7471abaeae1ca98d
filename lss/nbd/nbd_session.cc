#include "lss/nbd/nbd_session.h"

#include <libnbd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace lss {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kLookUp(100);  // for a change of mind

// Without libnbd's "nbd_function: " in front.
std::string LastText() {
  const char* const text = nbd_get_error();
  std::string what = text != nullptr ? text : "unknown error";
  if (what.compare(0, 4, "nbd_") == 0 && what.find(": ") != std::string::npos) {
    what.erase(0, what.find(": ") + 2);
  }
  return what;
}

Status LastError(const NbdUri& uri) {
  return NbdConnectError(uri.text, LastText(), nbd_get_errno());
}

bool Has(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

int64_t BlockSize(nbd_handle* handle, int kind, int64_t otherwise) {
  const int64_t bytes = nbd_get_block_size(handle, kind);
  return bytes > 0 ? bytes : otherwise;
}

bool IsFinished(nbd_handle* handle) {
  return nbd_aio_is_ready(handle) == 1 || nbd_aio_is_dead(handle) == 1 ||
         nbd_aio_is_closed(handle) == 1;
}

short EventsOf(nbd_handle* handle) {  // NOLINT(google-runtime-int): poll's type
  const unsigned direction = nbd_aio_get_direction(handle);
  int events = 0;
  events |= (direction & LIBNBD_AIO_DIRECTION_READ) != 0 ? POLLIN : 0;
  events |= (direction & LIBNBD_AIO_DIRECTION_WRITE) != 0 ? POLLOUT : 0;
  return static_cast<short>(events);  // NOLINT(google-runtime-int): poll's type
}

// One of the two: the first may have changed what the second would mean. Reading comes first, as it
// is about older requests.
int NotifyOf(nbd_handle* handle, int events) {
  const unsigned direction = nbd_aio_get_direction(handle);
  if ((events & (POLLIN | POLLHUP | POLLERR)) != 0 &&
      (direction & LIBNBD_AIO_DIRECTION_READ) != 0) {
    return nbd_aio_notify_read(handle);
  }
  if ((events & (POLLOUT | POLLHUP | POLLERR)) != 0 &&
      (direction & LIBNBD_AIO_DIRECTION_WRITE) != 0) {
    return nbd_aio_notify_write(handle);
  }
  return 0;
}

}  // namespace

Status NbdConnectError(const std::string& uri, const std::string& text, int error_number) {
  const std::string what = "connect " + uri + ": " + text;
  if (Has(text, "no export named")) {
    return Status::InvalidArgument(what + "; name one that it has (nbdinfo --list shows them)");
  }
  if (Has(text, "certificate")) {
    return Status::PermissionDenied(
        what +
        "; the server's certificate must be for the host's name as it stands in the "
        "address, valid today, and signed by the authority in tls-certificates=DIR");
  }
  if (Has(text, "server refused TLS")) {
    return Status::PermissionDenied(what +
                                    "; start the server with TLS and a certificate, or "
                                    "write nbd:// if the line is trusted");
  }
  if (Has(text, "requires TLS")) {
    return Status::PermissionDenied(what + "; write nbds://, with ?tls-certificates=DIR");
  }
  if (Has(text, "NBD URI") || Has(text, "parse")) {
    return Status::InvalidArgument(what +
                                   "; an address is nbd://host[:port]/export or "
                                   "nbd+unix:///export?socket=PATH");
  }
  if (Has(text, "getaddrinfo")) {
    return Status::IoError(what + "; correct the host's name or the resolver");
  }
  if (error_number == EACCES || error_number == EPERM) {
    return Status::PermissionDenied(what + "; let this user connect to the server");
  }
  return Status::IoError(what + "; start the server there, or correct the address");
}

Status NbdSession::Connect(const NbdUri& uri, const Limits& limits,
                           std::unique_ptr<NbdSession>* session) {
  Status status = CheckCertificates(uri);
  if (!status.ok()) {
    return status;
  }
  nbd_handle* const handle = nbd_create();
  if (handle == nullptr) {
    return LastError(uri);
  }
  std::unique_ptr<NbdSession> fresh(new NbdSession(handle));
  status = fresh->Negotiate(uri, limits);
  if (status.ok()) {
    status = fresh->Examine(uri);
  }
  if (status.ok()) {
    *session = std::move(fresh);
  }
  return status;
}

Status NbdSession::Negotiate(const NbdUri& uri, const Limits& limits) {
  const auto deadline = Clock::now() + limits.connect;
  if ((uri.tls && nbd_set_tls_certificates(handle_, uri.certificates.c_str()) != 0) ||
      nbd_aio_connect_uri(handle_, uri.for_libnbd.c_str()) != 0) {
    return LastError(uri);
  }
  DetectDeadPeer(limits.dead_peer);
  while (!IsFinished(handle_)) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    // Relaxed: a hint, and nothing is read because of it.
    if (left.count() <= 0 ||
        (limits.give_up != nullptr && limits.give_up->load(std::memory_order_relaxed))) {
      return Status::IoError(
          "connect " + uri.text + ": no answer within " + std::to_string(limits.connect.count()) +
          " ms (" + nbd_connection_state(handle_) +
          "); check that the server runs and that no firewall drops the packets");
    }
    pollfd polled = {nbd_aio_get_fd(handle_), EventsOf(handle_), 0};
    (void)poll(&polled, 1, static_cast<int>(std::min(left, kLookUp).count()) + 1);
    if (polled.revents != 0 && NotifyOf(handle_, polled.revents) != 0) {
      return LastError(uri);
    }
  }
  if (nbd_aio_is_ready(handle_) != 1) {
    return NbdConnectError(uri.text, "the server closed the connection", ECONNRESET);
  }
  DetectDeadPeer(limits.dead_peer);  // of several addresses of a host, the last
  return Status::Ok();
}

Status NbdSession::Examine(const NbdUri& uri) {
  const std::string what = "open " + uri.text + ": ";
  if (uri.tls && (nbd_get_tls_negotiated(handle_) != 1 || nbd_get_tls_verify_peer(handle_) != 1)) {
    return Status::PermissionDenied(what + "no TLS with a checked certificate came about");
  }
  if (nbd_is_read_only(handle_) != 0) {
    return Status::PermissionDenied(what +
                                    "the export is read-only; start the server without "
                                    "its option for that (nbdkit -r, qemu-nbd --read-only)");
  }
  facts_.size = static_cast<uint64_t>(std::max<int64_t>(nbd_get_size(handle_), 0));
  facts_.fua = nbd_can_fua(handle_) == 1;
  facts_.flush = nbd_can_flush(handle_) == 1;
  facts_.alignment = static_cast<uint64_t>(BlockSize(handle_, LIBNBD_SIZE_MINIMUM, 1));
  constexpr int64_t kAlwaysAllowed = 32 << 20;  // by the protocol, if the server says nothing
  facts_.largest_request = PageFloor(static_cast<uint64_t>(
      std::min(BlockSize(handle_, LIBNBD_SIZE_MAXIMUM, kAlwaysAllowed), kAlwaysAllowed)));
  if (facts_.size < 2 * kPageBytes) {
    return Status::InvalidArgument(what + "the export has " + std::to_string(facts_.size) +
                                   " bytes, and two pages of 4096 are the least; make it larger");
  }
  if (facts_.alignment > kPageBytes || facts_.largest_request == 0) {
    return Status::NotSupported(what + "the server wants requests of at least " +
                                std::to_string(facts_.alignment) +
                                " bytes and no more than its maximum, and ours are multiples of "
                                "4096; set its block size to 4096 or less");
  }
  if (!facts_.fua && !facts_.flush) {
    return Status::NotSupported(what +
                                "the server offers neither flush nor FUA, so nothing could "
                                "be made durable there; use one that does");
  }
  return Status::Ok();
}

// None of it is there for Unix sockets, and none of it is needed.
void NbdSession::DetectDeadPeer(std::chrono::milliseconds after) const {
  const int fd = nbd_aio_get_fd(handle_);
  const int on = 1;
  const int probes = 3;
  const int step = std::max(1, static_cast<int>(after.count() / 1000) / (probes + 1));
  const auto timeout = static_cast<unsigned>(after.count());
  (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &step, sizeof(step));
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &step, sizeof(step));
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
  (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
}

NbdSession::~NbdSession() { Close(); }

void NbdSession::Close() {
  nbd_close(handle_);
  handle_ = nullptr;
}

// libnbd finds the end itself, and takes its hands off the requests' memory.
void NbdSession::HangUp(const std::string& cause) {
  if (cause_.empty()) {
    cause_ = cause;
  }
  (void)shutdown(nbd_aio_get_fd(handle_), SHUT_RDWR);
}

bool NbdSession::alive() const {
  return handle_ != nullptr && !server_ends_ && nbd_aio_is_dead(handle_) == 0 &&
         nbd_aio_is_closed(handle_) == 0;
}

void NbdSession::NoteFailure() {
  if (cause_.empty()) {
    cause_ = LastText();
  }
}

// Runs inside the calls that Begin, Notify and Close make.
int NbdSession::OnAnswer(void* request, int* error) {
  auto* const answered = static_cast<NbdRequest*>(request);
  const bool ends = *error == ESHUTDOWN;
  answered->error = ends || *error == ENOTCONN ? NbdRequest::kLost : *error;
  if (ends) {
    answered->session->server_ends_ = true;
    answered->session->cause_ = "the server is shutting down";
  }
  answered->session->answered_.push_back(answered);
  return 1;  // nobody asks libnbd about it any more
}

void NbdSession::Begin(NbdRequest* request) {
  request->session = this;
  request->error = 0;
  if (!alive()) {
    request->error = NbdRequest::kLost;
    answered_.push_back(request);
    return;
  }
  const nbd_completion_callback answer = {&NbdSession::OnAnswer, request, nullptr};
  int64_t cookie = -1;
  switch (request->kind) {
    case NbdRequest::Kind::kRead:
      cookie = nbd_aio_pread(handle_, request->data, request->length, request->offset, answer, 0);
      break;
    case NbdRequest::Kind::kWrite:
      cookie = nbd_aio_pwrite(handle_, request->data, request->length, request->offset, answer,
                              request->fua ? LIBNBD_CMD_FLAG_FUA : 0);
      break;
    case NbdRequest::Kind::kFlush:
      cookie = nbd_aio_flush(handle_, answer, 0);
      break;
  }
  if (cookie < 0) {
    const int error = nbd_get_errno();
    NoteFailure();
    request->error = alive() ? (error != 0 ? error : EIO) : NbdRequest::kLost;
    answered_.push_back(request);
  }
}

std::vector<NbdRequest*> NbdSession::TakeAnswered() { return std::exchange(answered_, {}); }

int NbdSession::fd() const { return nbd_aio_get_fd(handle_); }

short NbdSession::events() const { return EventsOf(handle_); }  // NOLINT(google-runtime-int)

void NbdSession::Notify(int events) {
  if (NotifyOf(handle_, events) != 0) {
    NoteFailure();
  } else if (cause_.empty() && !alive()) {
    cause_ = "the server closed the connection";
  }
}

bool NbdSession::WantsAttention() const {
  return !answered_.empty() || !alive() || (events() & POLLOUT) != 0;
}

}  // namespace lss

#include "transport/channel.hpp"

#include <linux/errqueue.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/generic/datagram_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>
#include <utility>

#include "transport/fork_gate.hpp"

namespace event_metrics::inline v0::transport {
namespace {

namespace asio = boost::asio;
using Protocol = asio::generic::datagram_protocol;

// What the kernel keeps of a refused datagram: 576 and 1280 bytes of an ICMP message, or an IPv4 packet if that is
// less, without their headers.
constexpr std::size_t headers_ipv4 = 56;
constexpr std::size_t quoted_ipv4 = 576 - headers_ipv4;
constexpr std::size_t quoted_ipv6 = 1184;

constexpr int most_self_connected = 4;  // sockets in a row
constexpr int most_answers = 64;        // that are read at once

std::error_code last_error() noexcept { return {errno, std::generic_category()}; }

// Asio knows the system's numbers under a category of its own.
std::error_code standard(const boost::system::error_code& error) noexcept {
  return {error.value(), std::generic_category()};
}

// What the kernel says of a datagram that it gives back; it comes with each.
std::error_code reason(msghdr& message) noexcept {
  for (cmsghdr* each = CMSG_FIRSTHDR(&message); each != nullptr; each = CMSG_NXTHDR(&message, each)) {
    const bool ipv4 = each->cmsg_level == IPPROTO_IP && each->cmsg_type == IP_RECVERR;
    if (!ipv4 && (each->cmsg_level != IPPROTO_IPV6 || each->cmsg_type != IPV6_RECVERR)) continue;
    sock_extended_err error;
    std::memcpy(&error, CMSG_DATA(each), sizeof error);
    return {static_cast<int>(error.ee_errno), std::generic_category()};
  }
  return {ECONNREFUSED, std::generic_category()};
}

using Inode = std::pair<dev_t, ino_t>;

Inode inode_of(const std::string& path) noexcept {
  struct stat file {};
  return ::stat(path.c_str(), &file) == 0 ? Inode{file.st_dev, file.st_ino} : Inode{};
}
// Of a socket it is one that no other has, as long as there is a descriptor of it.
Inode inode_of(int descriptor) noexcept {
  struct stat file {};
  return ::fstat(descriptor, &file) == 0 ? Inode{file.st_dev, file.st_ino} : Inode{};
}

// Descriptors 0 to 2, where they are free: to be held while others are made, which then come behind them. What a
// service writes to its standard error must not go to the agent.
class StandardDescriptors {
 public:
  StandardDescriptors() noexcept {
    while (count_ < held_.size()) {
      const int next = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      if (next < 0) return;
      if (next > STDERR_FILENO) {
        (void)::close(next);
        return;
      }
      held_[count_++] = next;
    }
  }
  ~StandardDescriptors() {
    for (std::size_t i = 0; i < count_; ++i) (void)::close(held_[i]);
  }
  StandardDescriptors(const StandardDescriptors&) = delete;
  StandardDescriptors& operator=(const StandardDescriptors&) = delete;

 private:
  std::array<int, STDERR_FILENO + 1> held_;
  std::size_t count_ = 0;
};

// One for the process, never destroyed: Asio keeps a descriptor in it. A forked child goes on with its parent's. What
// Asio changes there, it changes under no_fork(): when it makes a socket and when it closes one.
asio::io_context& context() {
  static constinit asio::io_context* made = nullptr;
  if (made == nullptr) made = new asio::io_context{1};
  return *made;
}

bool ask_for_refusals(int socket, int family) noexcept {
  const int on = 1;
  return family == AF_INET6 ? ::setsockopt(socket, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on) == 0
                            : ::setsockopt(socket, IPPROTO_IP, IP_RECVERR, &on, sizeof on) == 0;
}

// What an agent answers would take the room that refusals need.
bool drop_answers(int socket) noexcept {
  sock_filter none{BPF_RET | BPF_K, 0, 0, 0};
  const sock_fprog program{1, &none};
  return ::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

std::size_t bytes_quoted_by(int socket, int family) noexcept {
  if (family == AF_INET6) return quoted_ipv6;
  int packet = 0;
  socklen_t size = sizeof packet;
  const bool known = ::getsockopt(socket, IPPROTO_IP, IP_MTU, &packet, &size) == 0;
  return known ? std::clamp(static_cast<std::size_t>(packet), headers_ipv4, headers_ipv4 + quoted_ipv4) - headers_ipv4
               : quoted_ipv4;
}

// With nobody at its port, a socket may be given that port for its own.
bool leads_to_itself(int socket) noexcept {
  Endpoint own;
  Endpoint peer;
  own.size = peer.size = sizeof own.address;
  return ::getsockname(socket, reinterpret_cast<sockaddr*>(&own.address), &own.size) == 0 &&
         ::getpeername(socket, reinterpret_cast<sockaddr*>(&peer.address), &peer.size) == 0 && own == peer;
}

}  // namespace

bool nobody_listens(std::error_code error) noexcept {
  return error == std::errc::connection_refused || error == std::errc::no_such_file_or_directory;
}

struct Channel::Socket {
  std::optional<Protocol::socket> socket;
  int descriptor = -1;
  Inode own_inode;  // of the descriptor
  bool tells_refusals = false;
  bool drops_answers = false;
  std::size_t quoted = 0;
  std::size_t most_quoted = quoted_ipv6;  // by what has come back from this peer
  Inode peer_inode;                       // of the path
  std::array<char, quoted_ipv6> quote;

  /// Where the kernel does not tell inodes it is taken for granted.
  bool is_ours() const noexcept { return own_inode == Inode{} || own_inode == inode_of(descriptor); }
  std::error_code make(int family);
  std::error_code connect(const Endpoint& endpoint, const std::string& path);
  std::error_code connect_udp(const Endpoint& endpoint);
  std::error_code connect_to(const Endpoint& endpoint);
  void close() noexcept;
};

// The descriptor is made here because Asio's own open() lets it survive an exec.
std::error_code Channel::Socket::make(int family) {
  const std::lock_guard lock{no_fork()};
  const StandardDescriptors held;
  socket.emplace(context());
  descriptor = ::socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return last_error();
  own_inode = inode_of(descriptor);
  if (own_inode == Inode{} && errno == EBADF) return last_error();  // closed already, by somebody who closes all
  boost::system::error_code error;
  socket->assign(Protocol{family, 0}, descriptor, error);
  if (!error) return {};
  (void)::close(descriptor);
  return standard(error);
}

std::error_code Channel::Socket::connect(const Endpoint& endpoint, const std::string& path) {
  if (endpoint.family() != AF_UNIX) {
    for (int tried = 0; tried < most_self_connected; ++tried) {
      const std::error_code error = connect_udp(endpoint);
      if (error || !leads_to_itself(descriptor)) return error;
      close();  // an agent may want its port
    }
    return std::make_error_code(std::errc::connection_refused);
  }
  if (const std::error_code error = make(AF_UNIX)) return error;
  tells_refusals = false;
  peer_inode = inode_of(path);  // before connecting: a socket that comes in between is found by the next moved()
  return connect_to(endpoint);
}

std::error_code Channel::Socket::connect_udp(const Endpoint& endpoint) {
  const int family = endpoint.family();
  if (const std::error_code error = make(family)) return error;
  tells_refusals = ask_for_refusals(descriptor, family);
  drops_answers = drop_answers(descriptor);
  const std::error_code error = connect_to(endpoint);
  quoted = bytes_quoted_by(descriptor, family);
  return error;
}

std::error_code Channel::Socket::connect_to(const Endpoint& endpoint) {
  boost::system::error_code error;
  socket->connect(Protocol::endpoint{&endpoint.address, endpoint.size}, error);
  return error ? standard(error) : std::error_code{};
}

void Channel::Socket::close() noexcept {
  const std::lock_guard lock{no_fork()};
  boost::system::error_code ignored;  // nothing was buffered that could be lost
  if (is_ours()) {
    socket->close(ignored);
  } else {
    (void)socket->release(ignored);
  }
}

Channel::Channel(Address address) : resolver_{std::move(address)}, socket_{std::make_unique<Socket>()} {}
Channel::~Channel() { close(); }

bool Channel::is_open() const noexcept { return socket_->socket && socket_->socket->is_open(); }

bool Channel::refresh(Resolver::Clock::time_point now) noexcept {
  const bool looked_up = resolver_.refresh(now);
  if (!is_open()) return false;
  for (int read = 0; read < most_answers && tells_refusals() && !socket_->drops_answers; ++read) {
    if (::recv(socket_->descriptor, nullptr, 0, MSG_DONTWAIT | MSG_TRUNC) < 0) break;
  }
  return (looked_up && went_on_) || std::ranges::find(resolver_.endpoints(), peer_) == resolver_.endpoints().end();
}

std::error_code Channel::open() noexcept {
  std::error_code error = resolver_.error();  // should there be no endpoint yet
  const std::vector<Endpoint>& endpoints = resolver_.endpoints();
  const auto next = next_ ? std::ranges::find(endpoints, *std::exchange(next_, std::nullopt)) : endpoints.end();
  went_on_ = false;
  const std::size_t first = next == endpoints.end() ? 0 : static_cast<std::size_t>(next - endpoints.begin());
  for (std::size_t tried = 0; tried < endpoints.size(); ++tried) {
    const Endpoint& endpoint = endpoints[(first + tried) % endpoints.size()];
    close();
    try {
      error = socket_->connect(endpoint, address().host);
    } catch (const boost::system::system_error& failure) {
      error = standard(failure.code());
    } catch (const std::exception&) {
      error = std::make_error_code(std::errc::not_enough_memory);
    }
    if (!error) {
      if (endpoint != peer_) socket_->most_quoted = quoted_ipv6;
      peer_ = endpoint;
      went_on_ = next != endpoints.end() && endpoint != endpoints.front();
      return error;
    }
    resolver_.doubt();
  }
  close();
  return error;
}

void Channel::close() noexcept {
  if (is_open()) socket_->close();
}

bool Channel::has_next() const noexcept {
  const auto present = std::ranges::find(resolver_.endpoints(), peer_);
  return present != resolver_.endpoints().end() && present + 1 != resolver_.endpoints().end();
}

void Channel::go_on() noexcept {
  if (has_next()) next_ = *(std::ranges::find(resolver_.endpoints(), peer_) + 1);
}

bool Channel::lost() noexcept {
  if (!is_open() || socket_->is_ours()) return false;
  close();
  return true;
}

void Channel::close_in_child() const noexcept {
  if (socket_->own_inode != Inode{} && socket_->is_ours()) (void)::close(socket_->descriptor);
}

bool Channel::moved() const noexcept {
  if (address().kind != Address::Kind::unix_datagram) return false;
  const Inode now = inode_of(address().host);
  return now != Inode{} && now != socket_->peer_inode;
}

Verdict Channel::send(std::string_view datagram) noexcept {
  // Asio's own send() waits where the system refuses the ioctl() with which Asio wants to be told not to.
  const ssize_t sent = ::send(socket_->descriptor, datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  error_ = sent < 0 ? last_error() : std::error_code{};
  if (!error_) return Verdict::accepted;
  if (error_ != std::errc::resource_unavailable_try_again) resolver_.doubt();
  switch (error_.value()) {
    case EAGAIN:
    case ENOBUFS:
      return Verdict::later;
    case EMSGSIZE:
      return Verdict::too_big;
    case ECONNREFUSED:
    case ENOTCONN:
    case EPIPE:
    case ECONNRESET:
      return Verdict::refused;
    default:
      return Verdict::broken;
  }
}

bool Channel::tells_refusals() const noexcept { return socket_->tells_refusals; }
std::size_t Channel::quoted_bytes() const noexcept { return std::min(socket_->quoted, socket_->most_quoted); }
void Channel::quotes_less(std::size_t bytes) noexcept { socket_->most_quoted = std::min(socket_->most_quoted, bytes); }

std::optional<std::string_view> Channel::next_refusal() noexcept {
  if (!tells_refusals() || !is_open()) return std::nullopt;
  iovec bytes{socket_->quote.data(), socket_->quote.size()};
  alignas(cmsghdr) std::array<char, 512> control;
  for (;;) {
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t size = ::recvmsg(socket_->descriptor, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
    if (size >= 0) {
      resolver_.doubt();
      error_ = reason(message);
      return std::string_view{socket_->quote.data(), static_cast<std::size_t>(size)};
    }
    if (errno != EINTR) return std::nullopt;
  }
}

}  // namespace event_metrics::inline v0::transport

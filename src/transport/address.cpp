#include "transport/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace event_metrics::inline v0::transport {
namespace {

// One byte is the NUL at the end.
constexpr std::size_t longest_path = sizeof(sockaddr_un::sun_path) - 1;

// Never repeats the text: whoever writes an address wrongly may have written a password or a token into it.
struct Refusal {
  std::string_view field;

  [[noreturn]] void operator()(std::string_view advice) const {
    throw std::invalid_argument(std::string(field) + " is not the address of an agent: " + std::string(advice));
  }
};

constexpr bool is_control(char c) noexcept { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

constexpr bool is_host_byte(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

bool is_ipv6(std::string_view text) {
  const std::size_t zone = text.find('%');
  if (zone != std::string_view::npos && !std::ranges::all_of(text.substr(zone + 1), is_host_byte)) return false;
  in6_addr ignored{};
  return ::inet_pton(AF_INET6, std::string(text.substr(0, zone)).c_str(), &ignored) == 1;
}

std::uint16_t read_port(std::string_view digits, const Refusal& refuse) {
  std::uint16_t port = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, port);
  if (error != std::errc{} || stop != end || port == 0) {
    refuse("write a port from 1 to 65535 after the host, as in udp://127.0.0.1:8125");
  }
  return port;
}

Address read_udp(std::string_view rest, const Refusal& refuse) {
  const bool bracketed = rest.starts_with('[');
  if (!bracketed && std::ranges::count(rest, ':') > 1) {
    refuse("write an IPv6 address in brackets, as in udp://[::1]:8125");
  }
  const std::size_t end = bracketed ? rest.find(']') : rest.find(':');
  const std::string_view host = rest.substr(0, end).substr(bracketed ? 1 : 0);
  if (bracketed && (end == std::string_view::npos || !is_ipv6(host))) {
    refuse("write an IPv6 address between the brackets, as in udp://[::1]:8125");
  }
  if (host.empty() || (!bracketed && !std::ranges::all_of(host, is_host_byte))) {
    refuse("write a host name or an IP address after udp://, as in udp://127.0.0.1:8125");
  }
  std::string_view port = end == std::string_view::npos ? "" : rest.substr(end + (bracketed ? 1 : 0));
  if (!port.starts_with(':')) refuse("write the port after the host, as in udp://127.0.0.1:8125");
  port.remove_prefix(1);
  const std::string name(host);
  const std::uint16_t number = read_port(port, refuse);
  return {Address::Kind::udp, name, number,
          "udp://" + (bracketed ? '[' + name + ']' : name) + ':' + std::to_string(number)};
}

Address read_unix(std::string_view path, const Refusal& refuse) {
  if (!path.starts_with('/') || path == "/") {
    refuse("write the socket's absolute path, as in unix:///var/run/datadog/dsd.socket");
  }
  if (path.size() > longest_path) {
    refuse("write a path of at most " + std::to_string(longest_path) + " bytes, the most that a unix socket can have");
  }
  if (path.ends_with(' ')) refuse("write the socket's path without a blank at its end");
  return {Address::Kind::unix_datagram, std::string(path), 0, "unix://" + std::string(path)};
}

}  // namespace

Address parse_address(std::string_view text, std::string_view field) {
  const Refusal refuse{field};
  if (std::ranges::any_of(text, is_control)) refuse("write it without control characters");

  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) refuse("write udp://host:port or unix:///path");
  const std::string_view scheme = text.substr(0, colon);
  const std::string_view rest = text.substr(colon + 3);
  if (scheme == "udp") {
    if (rest.find('@') != std::string_view::npos) refuse("write udp://host:port without user info");
    return read_udp(rest, refuse);
  }
  if (scheme == "unix" || scheme == "unixgram") return read_unix(rest, refuse);
  if (scheme == "unixstream") {
    refuse("unixstream:// is a stream socket, which is not supported; write unix:///path for a datagram socket");
  }
  refuse("write udp://host:port or unix:///path, in lower case; no other scheme is known");
}

}  // namespace event_metrics::inline v0::transport

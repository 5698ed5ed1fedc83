#include "transport/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>

#include "base/refuse.hpp"

namespace event_metrics::inline v0::transport {
namespace {

// One byte is the NUL at the end.
constexpr std::size_t longest_path = sizeof(sockaddr_un::sun_path) - 1;

// Never repeats the text: whoever writes an address wrongly may have written a password or a token into it.
[[noreturn]] void refuse_address(std::string_view field, std::string_view advice) {
  refuse(field, "is not the address of an agent", advice);
}

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

std::uint16_t read_port(std::string_view digits, std::string_view field) {
  std::uint16_t port = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, port);
  if (error != std::errc{} || stop != end || port == 0) {
    refuse_address(field, "write a port from 1 to 65535 after the host, as in udp://127.0.0.1:8125");
  }
  return port;
}

Address read_udp(std::string_view rest, std::string_view field) {
  const bool bracketed = rest.starts_with('[');
  if (!bracketed && std::ranges::count(rest, ':') > 1) {
    refuse_address(field, "write an IPv6 address in brackets, as in udp://[::1]:8125");
  }
  const std::size_t end = bracketed ? rest.find(']') : rest.find(':');
  const std::string_view host = rest.substr(0, end).substr(bracketed ? 1 : 0);
  if (bracketed && (end == std::string_view::npos || !is_ipv6(host))) {
    refuse_address(field, "write an IPv6 address between the brackets, as in udp://[::1]:8125");
  }
  if (host.empty() || (!bracketed && !std::ranges::all_of(host, is_host_byte))) {
    refuse_address(field, "write a host name or an IP address after udp://, as in udp://127.0.0.1:8125");
  }
  std::string_view port = end == std::string_view::npos ? "" : rest.substr(end + (bracketed ? 1 : 0));
  if (!port.starts_with(':')) refuse_address(field, "write the port after the host, as in udp://127.0.0.1:8125");
  port.remove_prefix(1);
  const std::string name(host);
  const std::uint16_t number = read_port(port, field);
  return {Address::Kind::udp, name, number,
          "udp://" + (bracketed ? '[' + name + ']' : name) + ':' + std::to_string(number)};
}

Address read_unix(std::string_view path, std::string_view field) {
  if (!path.starts_with('/') || path == "/") {
    refuse_address(field, "write the socket's absolute path, as in unix:///var/run/datadog/dsd.socket");
  }
  if (path.size() > longest_path) {
    refuse_address(field, "write a path of at most " + std::to_string(longest_path) +
                              " bytes, the most that a unix socket can have");
  }
  if (path.ends_with(' ')) refuse_address(field, "write the socket's path without a blank at its end");
  return {Address::Kind::unix_datagram, std::string(path), 0, "unix://" + std::string(path)};
}

}  // namespace

Address parse_address(std::string_view text, std::string_view field) {
  if (std::ranges::any_of(text, is_control)) refuse_address(field, "write it without control characters");

  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) refuse_address(field, "write udp://host:port or unix:///path");
  const std::string_view scheme = text.substr(0, colon);
  const std::string_view rest = text.substr(colon + 3);
  if (scheme == "udp") {
    if (rest.find('@') != std::string_view::npos) refuse_address(field, "write udp://host:port without user info");
    return read_udp(rest, field);
  }
  if (scheme == "unix" || scheme == "unixgram") return read_unix(rest, field);
  if (scheme == "unixstream") {
    refuse_address(
        field, "unixstream:// is a stream socket, which is not supported; write unix:///path for a datagram socket");
  }
  refuse_address(field, "write udp://host:port or unix:///path, in lower case; no other scheme is known");
}

}  // namespace event_metrics::inline v0::transport

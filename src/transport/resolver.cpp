#include "transport/resolver.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "base/own_thread.hpp"
#include "transport/fork_gate.hpp"

namespace event_metrics::inline v0::transport {
namespace {

// Beside getaddrinfo's own numbers, which are negative.
enum Progress : int { awaited = 1, overdue, crowded };
static_assert(EAI_NONAME < 0);

class ResolverCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "resolver"; }
  std::string message(int value) const override {
    if (value == awaited) return "the host name has not been resolved yet";
    if (value == overdue) return "the resolver does not answer";
    if (value == crowded) return "the resolver does not answer what was asked before";
    return std::string{"the host name does not resolve: "} + ::gai_strerror(value);
  }
  std::error_condition default_error_condition(int value) const noexcept override {
    if (value == awaited) return std::errc::operation_in_progress;
    if (value == overdue || value == crowded) return std::errc::timed_out;
    return {value, *this};
  }
};

// Never destroyed: a client that is leaked on purpose may tell an error while the process exits.
union LastingCategory {
  ResolverCategory category;
  constexpr LastingCategory() noexcept : category{} {}
  ~LastingCategory() {}  // NOLINT(modernize-use-equals-default): would be deleted
};
constinit LastingCategory resolver;

std::error_code resolver_error(int value) noexcept { return {value, resolver.category}; }

Endpoint endpoint(const void* address, std::size_t size) noexcept {
  Endpoint made;
  std::memcpy(&made.address, address, size);
  made.size = static_cast<socklen_t>(size);
  return made;
}

Endpoint unix_endpoint(const std::string& path) noexcept {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return endpoint(&address, offsetof(sockaddr_un, sun_path) + path.size() + 1);
}

// An IPv4 address in IPv6 clothes would be refused in the error queue of the wrong family.
Endpoint udp_endpoint(const addrinfo& found) noexcept {
  sockaddr_in6 v6{};
  if (found.ai_family != AF_INET6) return endpoint(found.ai_addr, found.ai_addrlen);
  std::memcpy(&v6, found.ai_addr, sizeof v6);
  if (!IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) return endpoint(&v6, sizeof v6);
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = v6.sin6_port;
  std::memcpy(&v4.sin_addr, v6.sin6_addr.s6_addr + 12, sizeof v4.sin_addr);
  return endpoint(&v4, sizeof v4);
}

// IPv4 first: agents listen on 127.0.0.1 by default, while `localhost` may name ::1 before it.
std::vector<Endpoint> udp_endpoints(const addrinfo* found) {
  std::vector<Endpoint> endpoints;
  for (const bool ipv4 : {true, false}) {
    for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
      const Endpoint made = udp_endpoint(*each);
      if ((made.family() == AF_INET) == ipv4) endpoints.push_back(made);
    }
  }
  return endpoints;
}

}  // namespace

bool Endpoint::operator==(const Endpoint& other) const noexcept {
  return size == other.size && std::memcmp(&address, &other.address, size) == 0;
}

struct Resolver::Answer {
  std::vector<Endpoint> endpoints;
  std::error_code error;  // if there are none
};

// All that its thread may touch: the resolver may be gone, and the process may be running its last destructors.
struct Resolver::LookUp {
  explicit LookUp(Address sought) : address{std::move(sought)} {}

  const Address address;
  std::optional<LookUpPlace> place{std::in_place};  // until it has ended
  Answer answer;                                    // the thread's until `answered`
  std::atomic<bool> answered = false;               // release after the answer, acquire before it is taken
};

Resolver::Resolver(Address address) : address_{std::move(address)}, error_{resolver_error(awaited)} {
  const Clock::time_point now = Clock::now();
  since_ = now;
  if (address_.kind == Address::Kind::unix_datagram) {
    take({{unix_endpoint(address_.host)}, {}});
    lasting_ = true;
    return;
  }
  Answer numeric = ask(address_, AI_NUMERICHOST);
  if (numeric.endpoints.empty()) {
    (void)begin(now);
  } else {
    take(std::move(numeric));
    lasting_ = address_.host.find('%') == std::string::npos;  // an interface may come back with another number
  }
}
Resolver::~Resolver() = default;

// No AI_ADDRCONFIG: it hides ::1 where no other interface has an IPv6 address. What has no route fails to connect.
Resolver::Answer Resolver::ask(const Address& address, int flags) noexcept {
  try {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_DGRAM;
    hints.ai_flags = AI_NUMERICSERV | flags;
    addrinfo* found = nullptr;
    const int failure = ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
    if (failure == EAI_SYSTEM && errno != 0) return {{}, {errno, std::generic_category()}};
    if (failure != 0) return {{}, resolver_error(failure)};
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{found, &::freeaddrinfo};
    return {udp_endpoints(found), {}};
  } catch (const std::exception&) {
    return {{}, std::make_error_code(std::errc::not_enough_memory)};
  }
}

void Resolver::take(Answer answer) noexcept {
  error_ = answer.error;
  if (!error_) endpoints_ = std::move(answer.endpoints);
}

bool Resolver::refresh(Clock::time_point now) noexcept {
  if (lasting_) return false;
  if (look_up_ != nullptr && look_up_->answered.load(std::memory_order_acquire)) {
    take(std::move(look_up_->answer));
    look_up_.reset();
    since_ = now;
    return true;
  }
  if (error_ == std::errc::operation_in_progress && now - since_ > patience) {
    error_ = resolver_error(look_up_ != nullptr ? overdue : crowded);
  }
  if (look_up_ != nullptr) return false;
  const bool troubled = doubted_ || error_;
  if (now - since_ < (troubled ? pause_ : longest_trusted) || !begin(now)) return false;
  pause_ = troubled ? std::min(2 * pause_, longest_pause) : shortest_pause;
  return false;
}

bool Resolver::begin(Clock::time_point now) noexcept {
  try {
    auto look_up = std::make_shared<LookUp>(address_);
    if (!look_up->place->had()) return false;
    own_thread("event-metr-dns", [look_up] {
      {
        const ForkGate gate;
        look_up->answer = ask(look_up->address, 0);
      }
      look_up->place.reset();
      look_up->answered.store(true, std::memory_order_release);
    }).detach();
    look_up_ = std::move(look_up);
  } catch (const std::system_error& failure) {
    error_ = failure.code();
  } catch (const std::exception&) {
    error_ = std::make_error_code(std::errc::not_enough_memory);
  }
  since_ = now;
  doubted_ = false;
  return true;
}

}  // namespace event_metrics::inline v0::transport

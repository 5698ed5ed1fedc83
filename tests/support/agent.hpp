// support/agent.hpp - an agent for tests: a real socket, a thread that reads it, and what the lines add up to.

#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <variant>
#include <vector>

#include "statsd_line.hpp"

namespace support {

/// What the lines add up to. Keys are `name` or `name#tags`.
struct Tally {
  std::map<std::string, std::int64_t> counters;
  std::map<std::string, std::map<std::int64_t, std::uint64_t>> timings;  // value to weight
  std::map<std::string, std::int64_t> gauges;
  std::vector<std::string> malformed;

  std::int64_t counter(const std::string& key) const { return counters.contains(key) ? counters.at(key) : 0; }
  /// Of all series with this name, whatever their tags.
  std::int64_t counter_sum(std::string_view name) const {
    std::int64_t sum = 0;
    for (const auto& [key, value] : counters) {
      if (key == name || key.starts_with(std::string{name} + "#")) sum += value;
    }
    return sum;
  }
  std::uint64_t timing_count(const std::string& key) const {
    std::uint64_t sum = 0;
    if (timings.contains(key)) {
      for (const auto& [value, weight] : timings.at(key)) sum += weight;
    }
    return sum;
  }
  std::uint64_t timing_count_sum(std::string_view name) const {
    std::uint64_t sum = 0;
    for (const auto& [key, values] : timings) {
      if (key == name || key.starts_with(std::string{name} + "#")) sum += timing_count(key);
    }
    return sum;
  }

  void read_datagram(std::string_view datagram) {
    while (!datagram.empty()) {
      const std::string_view text = statsd_line::next_line(datagram);
      const statsd_line::Result result = statsd_line::parse(text);
      const auto* line = std::get_if<statsd_line::Line>(&result);
      if (line == nullptr || !count(*line)) malformed.emplace_back(text);
    }
  }

 private:
  /// False for what the library never sends: fractions, rates of 1, rates of anything but a duration.
  bool count(const statsd_line::Line& line) {
    std::int64_t value = 0;
    const char* const end = line.value.data() + line.value.size();
    if (const auto read = std::from_chars(line.value.data(), end, value); read.ptr != end) return false;
    std::string key{line.name};
    for (const statsd_line::Tag& tag : line.tags) {
      key += (&tag == &line.tags.front() ? "#" : ",") + std::string{tag.key};
      if (!tag.value.empty()) key += ":" + std::string{tag.value};
    }
    if (line.rate == 1) return false;
    if (line.type == "ms" || line.type == "d") {
      timings[key][value] += line.weight();
    } else if (line.type == "c" && !line.rate) {
      counters[key] += value;
    } else if (line.type == "g" && !line.rate) {
      gauges[key] = value;  // the sign is the dialect's: 0 first, where it means a change
    } else {
      return false;
    }
    return true;
  }
};

class Agent {
 public:
  enum class Way { udp4, localhost, udp6, unix_datagram };

  /// Binds to a free port of loopback or to a path of its own, or to what address() of an earlier one was (of which
  /// Way::localhost takes the port alone), and reads from now on.
  explicit Agent(Way way = Way::udp4, const std::string& address = {}) : way_{way} {
    if (!address.empty() && way == Way::unix_datagram) path_ = address.substr(address.find("//") + 2);
    if (!address.empty() && way != Way::unix_datagram) {
      port_ = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
      in_addr host{};
      const std::string text = address.substr(6, address.rfind(':') - 6);
      if (way == Way::udp4 && ::inet_pton(AF_INET, text.c_str(), &host) == 1) ipv4_ = ntohl(host.s_addr);
    }
    const int family = way == Way::unix_datagram ? AF_UNIX : way == Way::udp6 ? AF_INET6 : AF_INET;
    socket_ = ::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int buffer = 8 << 20;
    (void)::setsockopt(socket_, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
    if (socket_ < 0 || !bind()) throw std::system_error{errno, std::generic_category(), "bind"};
    register_before_fork();
    start();
  }
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;
  ~Agent() {
    stop();
    (void)::close(socket_);
    {
      const std::lock_guard lock{all_mutex};
      std::erase(all, this);
    }
    if (!path_.empty()) (void)::unlink(path_.c_str());
  }

  std::string address() const {
    if (way_ == Way::unix_datagram) return "unix://" + path_;
    if (way_ == Way::udp6) return "udp://[::1]:" + std::to_string(port_);
    char host[INET_ADDRSTRLEN];
    const in_addr address{htonl(ipv4_)};
    return std::string{"udp://"} + ::inet_ntop(AF_INET, &address, host, sizeof host) + ':' + std::to_string(port_);
  }

  /// For a forked child that reads in its place.
  int socket() const noexcept { return socket_; }

  sockaddr_in ipv4() const {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(ipv4_);
    return address;
  }

  void start() {
    stopping_ = false;
    reader_ = std::thread{[this] { read(); }};
  }
  /// Stops reading; what has arrived stays in the socket.
  void stop() {
    stopping_ = true;
    if (reader_.joinable()) reader_.join();
  }

  /// Goes away without losing anything in between: refuses what comes from now on, and reads what came before.
  void leave() {
    stop();
    if (way_ == Way::unix_datagram) {
      (void)::shutdown(socket_, SHUT_RD);
    } else {
      sockaddr_in6 unused{};  // long enough for both; nobody sends from port 9
      unused.sin6_family = static_cast<sa_family_t>(way_ == Way::udp6 ? AF_INET6 : AF_INET);
      unused.sin6_port = htons(9);
      if (way_ == Way::udp6) {
        unused.sin6_addr = in6addr_loopback;
      } else {
        reinterpret_cast<sockaddr_in&>(unused).sin_addr.s_addr = htonl(ipv4_);
      }
      (void)::connect(socket_, reinterpret_cast<const sockaddr*>(&unused),
                      way_ == Way::udp6 ? sizeof unused : sizeof(sockaddr_in));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{20});  // for what was on its way, on a busy machine
    while (read_one()) continue;
  }

  std::vector<std::string> datagrams() const {
    const std::lock_guard lock{mutex_};
    return datagrams_;
  }
  Tally tally() const {
    const std::lock_guard lock{mutex_};
    return tally_;
  }

  /// Waits until `done` of the tally, for half a minute at most; returns whether it came to that.
  template <class Done>
  bool wait_for(Done done) const {
    std::unique_lock lock{mutex_};
    return arrived_.wait_for(lock, std::chrono::seconds{30}, [&] { return done(tally_); });
  }
  bool wait_for_datagrams(std::size_t count) const {
    return wait_for([this, count](const Tally&) { return datagrams_.size() >= count; });
  }

 private:
  // An address of loopback for each process: what one leaves behind, no agent of another test is given meanwhile.
  static std::uint32_t own_ipv4() {
    return (127U << 24U) | ((static_cast<std::uint32_t>(::getpid()) & 0xffffU) << 8U) | 1U;
  }

  // A fork waits while an agent takes a datagram in: see wait_until_other_threads_sleep().
  void register_before_fork() {
    static const int registered = ::pthread_atfork(
        [] {
          all_mutex.lock();
          for (const Agent* const agent : all) agent->mutex_.lock();
        },
        [] { after_fork(); }, [] { after_fork(); });
    const std::lock_guard lock{all_mutex};
    if (registered == 0) all.push_back(this);
  }
  static void after_fork() {
    for (const Agent* const agent : all) agent->mutex_.unlock();
    all_mutex.unlock();
  }

  bool bind() {
    if (way_ == Way::unix_datagram) {
      if (path_.empty()) {
        char folder[] = "/tmp/event-metrics-XXXXXX";
        if (::mkdtemp(folder) == nullptr) return false;
        path_ = std::string{folder} + ".sock";
        (void)::rmdir(folder);
      }
      sockaddr_un address{};
      address.sun_family = AF_UNIX;
      std::memcpy(address.sun_path, path_.c_str(), path_.size() + 1);
      return ::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    }
    sockaddr_in6 address{};  // long enough for both
    socklen_t size = sizeof address;
    address.sin6_port = htons(port_);  // at the same place in both
    if (way_ != Way::udp6) {
      auto& v4 = reinterpret_cast<sockaddr_in&>(address);
      v4.sin_family = AF_INET;
      v4.sin_addr.s_addr = htonl(ipv4_);
      size = sizeof v4;
    } else {
      address.sin6_family = AF_INET6;
      address.sin6_addr = in6addr_loopback;
    }
    if (::bind(socket_, reinterpret_cast<sockaddr*>(&address), size) != 0) return false;
    if (::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0) return false;
    port_ = ntohs(address.sin6_port);
    return true;
  }

  void read() {
    while (!stopping_) {
      pollfd readable{socket_, POLLIN, 0};
      if (::poll(&readable, 1, 20) == 1) (void)read_one();
    }
  }

  bool read_one() {
    const ssize_t size = ::recv(socket_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (size <= 0) return false;
    const std::lock_guard lock{mutex_};
    datagrams_.emplace_back(buffer_, 0, static_cast<std::size_t>(size));
    tally_.read_datagram(datagrams_.back());
    arrived_.notify_all();
    return true;
  }

  static inline std::mutex all_mutex;
  static inline std::vector<Agent*> all;

  Way way_;
  std::uint32_t ipv4_ = way_ == Way::localhost ? INADDR_LOOPBACK : own_ipv4();  // a forked child asks for it as well
  int socket_ = -1;
  std::uint16_t port_ = 0;
  std::string path_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  mutable std::condition_variable arrived_;
  std::vector<std::string> datagrams_;
  Tally tally_;
  std::string buffer_ = std::string(65536, '\0');  // of whoever reads
  std::thread reader_;
};

}  // namespace support

#include "workload.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <stdexcept>
#include <thread>

namespace bench {

benchmark::internal::Benchmark* add(const std::string& name, std::function<void(benchmark::State&)> run) {
  return benchmark::RegisterBenchmark(name.c_str(), std::move(run))
      ->UseManualTime()
      ->ComputeStatistics("min", [](const std::vector<double>& v) { return *std::min_element(v.begin(), v.end()); });
}

std::vector<std::string> urls(std::size_t count) {
  if (count > 10'000) throw std::invalid_argument{"urls: the number in the host has four digits"};
  std::vector<std::string> result;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string digits = std::to_string(10'000 + i).substr(1);
    result.push_back("https://hooks-" + digits + ".example.com/T000/B0000");
    if (result.back().size() != 41) throw std::logic_error{"urls: not 41 bytes"};
  }
  return result;
}

std::vector<Delivery> deliveries(std::size_t endpoints) {
  std::vector<Delivery> result(std::max<std::size_t>(endpoints, 8192));
  std::mt19937_64 random{2026};
  std::lognormal_distribution<double> microseconds{std::log(120'000.0), 0.5};
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = {static_cast<std::uint32_t>(i % endpoints), static_cast<std::uint32_t>(microseconds(random))};
  }
  std::shuffle(result.begin(), result.end(), random);
  return result;
}

namespace {

// NOLINTNEXTLINE: the sockets API's own idiom
sockaddr* raw(sockaddr_in& address) { return reinterpret_cast<sockaddr*>(&address); }

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

}  // namespace

SilentAgent::SilentAgent() : socket_{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)} {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(socket_, raw(address), size) != 0 || ::getsockname(socket_, raw(address), &size) != 0) {
    throw std::runtime_error{"no socket on 127.0.0.1"};
  }
  port_ = ntohs(address.sin_port);
}
SilentAgent::~SilentAgent() { ::close(socket_); }

void SilentAgent::refuse() {
  sockaddr_in itself = loopback(port_);
  if (::connect(socket_, raw(itself), sizeof itself) != 0) throw std::runtime_error{"no socket that refuses"};
}

Pinned::Pinned(int thread) : before_{} {
  ::pthread_getaffinity_np(::pthread_self(), sizeof before_, &before_);
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<unsigned>(thread) % std::max(1U, std::thread::hardware_concurrency()), &one);
  ::pthread_setaffinity_np(::pthread_self(), sizeof one, &one);
}
Pinned::~Pinned() { ::pthread_setaffinity_np(::pthread_self(), sizeof before_, &before_); }

event_metrics::EventMetrics& SharedClient::join(const benchmark::State& state) {
  if (state.thread_index() == 0) {
    client_ = backend_.make();
    shared_ = client_.get();
    shared_.notify_all();
  }
  shared_.wait(nullptr);
  return *shared_;
}

void SharedClient::leave(const benchmark::State& state) {
  if (state.thread_index() != 0) return;
  shared_ = nullptr;
  warm_ = false;
  client_.reset();
}

Clock clock_for(int threads) {
  return static_cast<unsigned>(threads) <= std::thread::hardware_concurrency() ? Clock::wall : Clock::cpu;
}

std::chrono::nanoseconds now(Clock clock) {
  timespec time{};
  ::clock_gettime(clock == Clock::wall ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

double nanoseconds_per_tick() {
  static const double result = [] {
    const std::chrono::nanoseconds start = now(Clock::wall);
    const std::uint64_t first = ticks();
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
    const std::chrono::nanoseconds elapsed = now(Clock::wall) - start;
    return static_cast<double>(elapsed.count()) / static_cast<double>(ticks() - first);
  }();
  return result;
}

}  // namespace bench

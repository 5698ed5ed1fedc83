// What every benchmark here does alike: what is delivered, where to, on which core, and how its time is taken.

#pragma once

#include <benchmark/benchmark.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backends.hpp"
#include "shapes.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace bench {

/// Each program defines it and adds its benchmarks there; main() is the same for all.
void register_benchmarks();

/// A benchmark whose repetitions are reported with their minimum beside Google Benchmark's median, and whose time is
/// what it says itself.
benchmark::internal::Benchmark* add(const std::string& name, std::function<void(benchmark::State&)> run);

/// `count` URLs of 41 bytes, at most 10,000. Each has its characters in an allocation of its own.
std::vector<std::string> urls(std::size_t count);

struct Delivery {
  std::uint32_t endpoint;  ///< or the URL of one, where it has several
  std::uint32_t microseconds;
  std::chrono::nanoseconds duration() const { return std::chrono::microseconds{microseconds}; }
};

/// 8192 deliveries, or as many as there are endpoints if more: each endpoint equally often, in an order that no branch
/// predictor learns; durations log-normal with median 120 ms and sigma 0.5. The same in every run.
std::vector<Delivery> deliveries(std::size_t endpoints);

/// Endpoints and deliveries to them, gone round for ever.
class Workload {
 public:
  explicit Workload(std::size_t endpoints) : Workload{endpoints, bench::deliveries(endpoints)} {}
  Workload(std::size_t endpoints, std::vector<Delivery> deliveries)
      : endpoints_{endpoints}, urls_{urls(endpoints)}, deliveries_{std::move(deliveries)} {}
  Workload(std::size_t endpoints, const Shape& shape)
      : endpoints_{endpoints}, urls_{urls(shape, endpoints)}, deliveries_{bench::deliveries(urls_.size())} {}

  std::size_t endpoints() const { return endpoints_; }
  /// Of deliveries until the first comes again.
  std::int64_t size() const { return static_cast<std::int64_t>(deliveries_.size()); }

  const Delivery& delivery(std::int64_t number) const {
    return deliveries_[static_cast<std::size_t>(number) % deliveries_.size()];
  }
  const std::string& url(const Delivery& delivery) const { return urls_[delivery.endpoint]; }

  /// Calls `call(url, duration)` for `count` deliveries from a place that is another one for each thread.
  template <class Call>
  void deliver(std::int64_t count, int thread, Call call) const {
    std::size_t next = static_cast<std::size_t>(thread) * 1021 % deliveries_.size();
    for (std::int64_t i = 0; i < count; ++i) {
      const Delivery& delivery = deliveries_[next];
      call(url(delivery), delivery.duration());
      if (++next == deliveries_.size()) next = 0;
    }
  }

 private:
  std::size_t endpoints_;
  std::vector<std::string> urls_;
  std::vector<Delivery> deliveries_;
};

/// Bound and never read: datagrams are accepted until its buffer is full and dropped by the kernel from then on.
class SilentAgent {
 public:
  SilentAgent();
  SilentAgent(const SilentAgent&) = delete;
  SilentAgent& operator=(const SilentAgent&) = delete;
  ~SilentAgent();

  std::string address() const { return "udp://127.0.0.1:" + std::to_string(port_); }

 protected:
  /// From then on whatever another socket sends is refused, as if no agent listened, while the port stays taken.
  void refuse();

 private:
  int socket_;
  int port_ = 0;
};

class RefusingAgent : public SilentAgent {
 public:
  RefusingAgent() { refuse(); }
};

/// Keeps the calling thread on one core while it lives; what it makes meanwhile, a client's thread too, stays there.
class Pinned {
 public:
  explicit Pinned(int thread);
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;
  ~Pinned();

 private:
  cpu_set_t before_;
};

/// One client for all threads of a benchmark. Made by its first thread, before any is pinned; gone after the loop.
class SharedClient {
 public:
  explicit SharedClient(Backend backend) : backend_{std::move(backend)} {}

  event_metrics::EventMetrics& join(const benchmark::State& state);

  /// Calls `deliver_all` until every cell that the loop will increment is the calling thread's own. A client of ours
  /// makes memory ready in its flushes, by what was taken since the last: for many threads or endpoints that takes
  /// several.
  template <class Deliver>
  void warm_up(const benchmark::State& state, std::size_t endpoints, Deliver deliver_all) {
    const std::size_t rounds = std::min<std::size_t>(endpoints * static_cast<std::size_t>(state.threads()) / 64, 8);
    deliver_all();
    if (state.thread_index() == 0) {
      for (std::size_t i = 0; i < rounds && flush(*client_, std::chrono::milliseconds{5}); ++i) deliver_all();
      warm_ = true;
    }
    while (!warm_) deliver_all();
    if (rounds > 0) deliver_all();
  }

  /// After the loop, behind whose end no thread calls any more.
  void leave(const benchmark::State& state);

 private:
  Backend backend_;
  std::unique_ptr<event_metrics::EventMetrics> client_;
  std::atomic<event_metrics::EventMetrics*> shared_{nullptr};
  std::atomic<bool> warm_{false};
};

enum class Clock : std::uint8_t { wall, cpu };

/// Wall time as long as each thread has a core, because it has a peer's waiting in it. With more threads than cores it
/// would be mostly the others' turns: then the CPU time of the calling thread.
Clock clock_for(int threads);

std::chrono::nanoseconds now(Clock clock);

/// The loop of a benchmark: calls `loop(count)`, which makes `count` calls, and reports the time of one call to the
/// thread that makes it. Google Benchmark divides the mean of the threads' times by the calls of all threads, which for
/// n threads is 1/n of what a call takes; hence the factor. (Its CPU time is summed over the threads and right.)
template <class Loop>
void measure(benchmark::State& state, Clock clock, Loop loop) {
  while (state.KeepRunningBatch(state.max_iterations)) {
    const std::chrono::nanoseconds start = now(clock);
    loop(state.max_iterations);
    const std::chrono::duration<double> elapsed = now(clock) - start;
    state.SetIterationTime(elapsed.count() * state.threads());
  }
}

/// For calls timed one by one. The fences keep the call's instructions between both readings, and cost 20 to 30 ns that
/// an empty timing shows as well.
inline std::uint64_t ticks() {
#if defined(__x86_64__)
  _mm_lfence();
  const std::uint64_t result = __builtin_ia32_rdtsc();
  _mm_lfence();
  return result;
#else
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

/// Measured once, against the steady clock.
double nanoseconds_per_tick();

}  // namespace bench

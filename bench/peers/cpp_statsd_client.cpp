#include <atomic>
#include <chrono>
#include <cpp-statsd-client/StatsdClient.hpp>
#include <string>
#include <string_view>

#include "../workload.hpp"
#include "peers.hpp"

namespace {

using namespace event_metrics;

class CppStatsdClient final : public EventMetrics {
 public:
  explicit CppStatsdClient(std::uint16_t port) : client_{"127.0.0.1", port, "notification", 1400, 1000} {}

  void record_delivery_success(std::string_view, std::chrono::nanoseconds duration) noexcept override {
    client_.increment(attempts_);
    client_.increment(successes_);
    client_.timing(duration_,
                   static_cast<unsigned>(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()));
  }
  void record_delivery_failure(std::string_view url, int) noexcept override { record_delivery_error(url); }
  void record_delivery_error(std::string_view) noexcept override {
    client_.increment(attempts_);
    client_.increment(failures_);
  }
  // It has no gauge that adds: the sum is the caller's.
  void increment_active_tasks() noexcept override { client_.gauge(active_tasks_, ++active_); }
  void decrement_active_tasks() noexcept override { client_.gauge(active_tasks_, --active_); }

 private:
  Statsd::StatsdClient client_;
  std::atomic<std::int64_t> active_{0};
  // Made once: a literal would become a std::string in each call.
  const std::string attempts_ = "delivery.attempts";
  const std::string successes_ = "delivery.successes";
  const std::string failures_ = "delivery.failures";
  const std::string duration_ = "delivery.duration";
  const std::string active_tasks_ = "active_tasks";
};

}  // namespace

std::unique_ptr<EventMetrics> bench::make_cpp_statsd_client_to(std::uint16_t port) {
  return std::make_unique<CppStatsdClient>(port);
}

std::unique_ptr<EventMetrics> bench::make_cpp_statsd_client() {
  static const SilentAgent agent;
  const std::string address = agent.address();
  return make_cpp_statsd_client_to(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
}

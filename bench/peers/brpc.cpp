#include <bvar/bvar.h>

#include <chrono>
#include <string_view>

#include "peers.hpp"

namespace {

using namespace event_metrics;

class Bvar final : public EventMetrics {
 public:
  void record_delivery_success(std::string_view, std::chrono::nanoseconds duration) noexcept override {
    attempts_ << 1;
    successes_ << 1;
    duration_ << std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  }
  void record_delivery_failure(std::string_view url, int) noexcept override { record_delivery_error(url); }
  void record_delivery_error(std::string_view) noexcept override {
    attempts_ << 1;
    failures_ << 1;
  }
  void increment_active_tasks() noexcept override { active_tasks_ << 1; }
  void decrement_active_tasks() noexcept override { active_tasks_ << -1; }

 private:
  bvar::Adder<std::int64_t> attempts_;
  bvar::Adder<std::int64_t> successes_;
  bvar::Adder<std::int64_t> failures_;
  bvar::LatencyRecorder duration_;
  bvar::Adder<std::int64_t> active_tasks_;
};

}  // namespace

std::unique_ptr<EventMetrics> bench::make_brpc() { return std::make_unique<Bvar>(); }

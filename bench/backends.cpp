#include "backends.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "event_metrics/noop_event_metrics.hpp"
#include "peers/peers.hpp"
#include "workload.hpp"

#ifdef EVENT_METRICS_BENCH_PROMETHEUS
#include <prometheus/collectable.h>
#include <prometheus/registry.h>

#include "event_metrics/prometheus_event_metrics.hpp"
#endif

namespace bench {
namespace {

using namespace event_metrics;
using namespace std::chrono_literals;

std::vector<Backend> all_backends() {
  std::vector<Backend> all{
      {"none", [] { return std::make_unique<NoOpEventMetrics>(); }},
      {"statsd", [] { return make_statsd(statsd_options()); }},
      {"statsd no label", [] { return make_statsd(statsd_options(), {.endpoint_label = EndpointLabel::none}); }},
  };
#ifdef EVENT_METRICS_BENCH_PROMETHEUS
  all.push_back({"prometheus",
                 [] { return std::make_unique<PrometheusEventMetrics>(std::make_shared<prometheus::Registry>()); }});
  all.push_back({"prometheus-cpp", make_prometheus_cpp});
  all.push_back({"prometheus-cpp by host", make_prometheus_cpp_by_host});
#endif
#ifdef EVENT_METRICS_BENCH_CPP_STATSD_CLIENT
  all.push_back({"cpp-statsd-client", make_cpp_statsd_client});
#endif
#ifdef EVENT_METRICS_BENCH_SPECTATOR_CPP
  all.push_back({"spectator-cpp", make_spectator_cpp});
#endif
#ifdef EVENT_METRICS_BENCH_BRPC
  all.push_back({"bvar", make_brpc});
#endif
#ifdef EVENT_METRICS_BENCH_OPENTELEMETRY_CPP
  all.push_back({"opentelemetry-cpp by host", make_opentelemetry_cpp});
#endif
  return all;
}

class UrlReader final : public EventMetrics {
 public:
  void record_delivery_success(std::string_view url, std::chrono::nanoseconds) noexcept override { read(url); }
  void record_delivery_failure(std::string_view url, int) noexcept override { read(url); }
  void record_delivery_error(std::string_view url) noexcept override { read(url); }
  void increment_active_tasks() noexcept override {}
  void decrement_active_tasks() noexcept override {}

 private:
  void read(std::string_view url) noexcept {
    std::array<std::uint64_t, 5> words{};
    if (url.size() < sizeof words) return;
    std::memcpy(words.data(), url.data(), sizeof words);
    for (const std::uint64_t word : words) seen_ ^= word;
    benchmark::DoNotOptimize(seen_);
  }

  std::uint64_t seen_ = 0;
};

auto find(std::string_view name) {
  return std::find_if(backends().begin(), backends().end(), [&](const Backend& each) { return each.name == name; });
}

}  // namespace

const std::vector<Backend>& backends() {
  static const std::vector<Backend> all = all_backends();
  return all;
}

const Backend& backend(std::string_view name) {
  if (!has_backend(name)) throw std::invalid_argument{"no backend " + std::string{name}};
  return *find(name);
}

bool has_backend(std::string_view name) { return find(name) != backends().end(); }

Backend backend_for(std::string_view name, std::size_t endpoints) {
  if (name != "statsd" || endpoints <= DeliveryOptions{}.max_endpoints) return backend(name);
  return {std::string{name}, [endpoints] {
            statsd::Options options = statsd_options();
            options.max_memory_bytes = 1U << 30U;
            return make_statsd(options, {.max_endpoints = endpoints});
          }};
}

Backend url_reader() {
  return {"url read", [] { return std::make_unique<UrlReader>(); }};
}

statsd::Options statsd_options() {
  static const SilentAgent agent;
  return {.agent = statsd::Agent::datadog,
          .address = agent.address(),
          .close_timeout = 0ms,
          .on_error = [](std::string_view) {}};
}

std::unique_ptr<EventMetrics> make_statsd(statsd::Options options, DeliveryOptions delivery) {
  return std::make_unique<StatsdEventMetrics>(std::move(options), delivery);
}

bool flush(EventMetrics& metrics, std::chrono::milliseconds timeout) {
  if (auto* statsd_metrics = dynamic_cast<StatsdEventMetrics*>(&metrics)) {
    statsd_metrics->flush(timeout);
    return true;
  }
#ifdef EVENT_METRICS_BENCH_PROMETHEUS
  if (auto* prometheus_metrics = dynamic_cast<PrometheusEventMetrics*>(&metrics)) {
    prometheus_metrics->update();
    return true;
  }
  if (const auto* collectable = dynamic_cast<const prometheus::Collectable*>(&metrics)) {
    collectable->Collect();
    return true;
  }
#endif
  return false;
}

}  // namespace bench

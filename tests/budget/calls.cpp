// Makes the calls that budget.py counts the instructions of, and says in which order.

#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "counted.hpp"
#include "event_metrics/noop_event_metrics.hpp"
#include "event_metrics/statsd_event_metrics.hpp"
#include "shapes.hpp"

namespace {

using namespace event_metrics;
using namespace std::chrono_literals;

constexpr std::size_t batch = 512;  // fits into an empty ring
static_assert(batch <= bench::Copies::batch);
constexpr std::size_t batches = 16;

struct Call {
  const char* name;
  void (*make)(EventMetrics& metrics, std::span<const Delivery> deliveries);
};
constexpr std::array<Call, 4> calls = {{{"success", counted_success},
                                        {"failure", counted_failure},
                                        {"error", counted_error},
                                        {"active_task", counted_active_task}}};
constexpr std::span<const Call> success_alone{calls.data(), 1};

// 41 bytes.
std::string url(std::size_t number, std::string_view behind_the_host) {
  return "https://hooks-" + std::to_string(number) + ".example.com" + std::string{behind_the_host} + "T0/secret0";
}

std::vector<std::string> urls() {
  std::vector<std::string> result;
  for (std::size_t i = 1000; i < 1016; ++i) result.push_back(url(i, "/"));
  return result;
}

/// None with a host, and none like another.
std::vector<std::string> invalid_urls() {
  constexpr std::array<std::string_view, 8> ends = {" ", "\n", "|", "\x7f", "\uff0f", "\u2044", "\xff", "%2F"};
  std::vector<std::string> result;
  for (std::size_t i = 0; i < batch * batches; ++i) result.push_back(url(1000 + i, ends[i % ends.size()]));
  return result;
}

/// In random order, durations log-normal with median 120 ms and sigma 0.5.
std::vector<Delivery> deliveries(const std::vector<std::string>& urls) {
  std::mt19937_64 random{2026};
  std::uniform_int_distribution<std::size_t> endpoint{0, urls.size() - 1};
  std::lognormal_distribution<double> nanoseconds{std::log(120e6), 0.5};
  std::vector<Delivery> result(batch * batches);
  for (Delivery& delivery : result) {
    delivery = {urls[endpoint(random)], std::chrono::nanoseconds{static_cast<std::int64_t>(nanoseconds(random))}};
  }
  return result;
}

StatsdEventMetrics client(DeliveryOptions delivery) {
  return StatsdEventMetrics{{.agent = statsd::Agent::datadog,
                             .address = "unix:///proc/no-agent",
                             .close_timeout = 0ms,
                             .own_thread = false,
                             .on_error = [](std::string_view) {}},
                            delivery};
}

/// Afterwards everything has been seen, with a full ring too: every cell is there.
void warm_up(EventMetrics& metrics, std::span<const Delivery> deliveries) {
  for (int i = 0; i < 2; ++i) {
    for (const Delivery& delivery : deliveries) metrics.record_delivery_success(delivery.url, delivery.duration);
  }
}

/// What each batch is made of is what `made_ready` returns for its deliveries.
template <class MadeReady>
void measure(const std::string& what, std::span<const Call> calls_to_make, EventMetrics& metrics,
             std::span<const Delivery> deliveries, MadeReady made_ready) {
  for (const Call& call : calls_to_make) {
    for (const std::size_t count : {batches / 8, batches}) {
      for (std::size_t i = 0; i < count; ++i) call.make(metrics, made_ready(deliveries.subspan(i * batch, batch)));
      std::printf("%s %s %zu\n", what.c_str(), call.name, count * batch);
      end_of_measurement();
    }
  }
}

constexpr auto as_they_are = [](std::span<const Delivery> deliveries) { return deliveries; };

/// Into the ring, with the URLs where they are and with copies of them. Each shape has a client of its own, made when
/// the one before is gone: of several clients at once, all but the first cost a little more.
bool measure_shape(const bench::Shape& shape) {
  constexpr std::size_t endpoints = 16;
  const std::vector<std::string> in_place = bench::urls(shape, endpoints);
  const std::vector<Delivery> all = deliveries(in_place);
  StatsdEventMetrics metrics = client({});
  warm_up(metrics, all);
  const std::string name{shape.name};
  measure(name + " in place", success_alone, metrics, all, [&](std::span<const Delivery> of_a_batch) {
    (void)metrics.poll();
    return of_a_batch;
  });
  bench::Copies copies;
  std::vector<Delivery> copied;
  measure(name + " copied", success_alone, metrics, all, [&](std::span<const Delivery> of_a_batch) {
    (void)metrics.poll();
    copies.begin_batch();
    copied.assign(of_a_batch.begin(), of_a_batch.end());
    for (Delivery& delivery : copied) delivery.url = copies.add(delivery.url);
    return std::span<const Delivery>{copied};
  });
  (void)metrics.flush(0ms);  // counts them
  return metrics.stats().endpoints == endpoints && metrics.stats().other == 0;
}

}  // namespace

int main() {
  const std::vector<std::string> endpoints = urls();
  const std::vector<Delivery> all = deliveries(endpoints);
  NoOpEventMetrics nothing;
  end_of_measurement();  // of nothing yet
  measure("nothing", calls, nothing, all, as_they_are);
  {
    StatsdEventMetrics metrics = client({});
    warm_up(metrics, all);
    measure("cells", calls, metrics, all, as_they_are);
    measure("ring", calls, metrics, all, [&](std::span<const Delivery> of_a_batch) {
      (void)metrics.poll();
      return of_a_batch;
    });
  }
  for (const bench::Shape& shape : bench::shapes) {
    if (!measure_shape(shape)) return 1;
  }
  // The others are gone: of several clients at once, all but the first cost a little more.
  StatsdEventMetrics full = client({.max_endpoints = 1});
  full.record_delivery_error("https://the-only-one.example.com/");
  warm_up(full, all);
  measure("other", calls, full, all, as_they_are);
  (void)full.flush(0ms);  // counts them
  if (full.stats().other + 1 != full.stats().recorded) return 1;
  const std::vector<std::string> without_host = invalid_urls();
  std::vector<Delivery> invalid = all;
  for (std::size_t i = 0; i < invalid.size(); ++i) invalid[i].url = without_host[i];
  measure("invalid", calls, full, invalid, as_they_are);
  return full.stats().endpoints == 1 ? 0 : 1;
}

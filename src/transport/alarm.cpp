#include "transport/alarm.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace event_metrics::inline v0::transport {

namespace asio = boost::asio;

struct Alarm::Timer {
  asio::io_context io{1};
  // Without work the io_context would stop by itself after the first sleep.
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  asio::steady_timer timer{io};
};

Alarm::Alarm() : timer_{std::make_unique<Timer>()} {}
Alarm::~Alarm() = default;

void Alarm::sleep_until(std::chrono::steady_clock::time_point when) {
  // A stopped io_context stays stopped, so a ring before the sleep is not lost.
  timer_->timer.expires_at(when);
  timer_->timer.async_wait([](const boost::system::error_code&) {});
  timer_->io.run_one();
}

void Alarm::ring() noexcept { timer_->io.stop(); }
bool Alarm::rung() const noexcept { return timer_->io.stopped(); }

}  // namespace event_metrics::inline v0::transport

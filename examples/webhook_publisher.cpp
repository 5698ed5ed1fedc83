// webhook_publisher - delivers events to five webhooks, records every delivery through EventMetrics, and compares what
// was recorded with what a StatsD receiver counted. Read demo/publisher.cpp first: it is what a service would look
// like.

#include <unistd.h>  // isatty

#include <algorithm>  // std::min
#include <atomic>     // shared by the workers
#include <chrono>     // timeouts
#include <csignal>    // Ctrl-C
#include <exception>  // std::exception
#include <iostream>   // progress, the report
#include <optional>   // the receiver
#include <span>       // argv
#include <stdexcept>  // std::invalid_argument
#include <string>     // events
#include <thread>     // workers
#include <vector>     // workers

#include "demo/arguments.hpp"
#include "demo/endpoints.hpp"
#include "demo/publisher.hpp"
#include "demo/receiver_process.hpp"
#include "demo/report.hpp"
#include "demo/tally.hpp"
#include "event_metrics/statsd_event_metrics.hpp"

namespace {

using namespace std::chrono_literals;
using demo::Arguments;
using demo::Counts;
using event_metrics::StatsdEventMetrics;

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler writes it");

/// Rewrites one line on a terminal; elsewhere says something at each quarter.
class Progress {
 public:
  Progress(std::uint64_t all, bool rewrites) : all_{all}, rewrites_{rewrites} {}
  ~Progress() {
    if (rewrites_) std::cerr << '\n';
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(std::uint64_t done) {
    const std::uint64_t quarters = done * 4 / all_;
    if (rewrites_ || quarters > quarters_shown_) {
      std::cerr << (rewrites_ ? "\r" : "") << done << " of " << all_ << " deliveries" << (rewrites_ ? "" : "\n");
    }
    quarters_shown_ = quarters;
  }

 private:
  std::uint64_t all_;
  bool rewrites_;
  std::uint64_t quarters_shown_ = 0;
};

/// Publishes events until all deliveries are made, or Ctrl-C ends it early. An event goes to each endpoint once.
void publish_all(demo::Publisher& publisher, std::span<const demo::Endpoint> endpoints, const Arguments& arguments) {
  std::atomic<std::uint64_t> begun{0};
  std::atomic<std::uint64_t> done{0};
  std::atomic<std::uint64_t> working{arguments.concurrency};
  const auto work = [&] {
    while (!interrupted) {
      const std::uint64_t first = begun.fetch_add(endpoints.size());
      if (first >= arguments.deliveries) break;
      const std::size_t count = std::min(endpoints.size(), arguments.deliveries - first);
      publisher.publish(R"({"event":"repository_created","id":)" + std::to_string(first / endpoints.size()) + "}",
                        endpoints.first(count));
      done += count;
    }
    --working;
  };

  Progress progress{arguments.deliveries, isatty(STDERR_FILENO) != 0 && !arguments.show_lines};
  std::vector<std::jthread> workers;
  for (std::uint64_t i = 0; i < arguments.concurrency; ++i) workers.emplace_back(work);
  while (working > 0) {
    std::this_thread::sleep_for(50ms);
    progress.show(done);
  }
}

int run(const Arguments& arguments) {
  std::optional<demo::ReceiverProcess> receiver;
  if (!arguments.address) receiver.emplace(arguments.agent, arguments.show_lines);
  std::signal(SIGINT, [](int) { interrupted = true; });

  demo::Endpoints endpoints{arguments.seed};
  Counts recorded;
  bool flushed = false;
  {
    StatsdEventMetrics statsd{
        {.agent = arguments.agent, .address = receiver ? receiver->address() : *arguments.address}};
    demo::TallyEventMetrics metrics{statsd};
    demo::Publisher publisher{metrics, 250ms};
    publish_all(publisher, endpoints.all(), arguments);
    flushed = statsd.flush(2s);
    recorded = metrics.counts();
  }

  if (!receiver) {
    std::cout << demo::report(recorded, std::nullopt) << "\nwhat was received, " << to_string(arguments.agent) << " at "
              << *arguments.address << " can tell; " << (flushed ? "all was sent" : "NOT ALL WAS SENT") << '\n';
    return flushed ? 0 : 1;
  }
  const Counts received = receiver->finish();
  const bool equal = agree(recorded, received);
  std::cout << demo::report(recorded, received) << '\n' << (equal ? "all equal" : "NOT EQUAL") << '\n';
  return equal ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::span<const char* const> words{argv + 1, static_cast<std::size_t>(argc - 1)};
    if (words.size() >= 2 && std::string_view{words[0]} == demo::receive_verb) {
      demo::receive(demo::agent_named(words[1]), words.size() == 3);
      return 0;
    }
    const Arguments arguments = demo::parse_arguments(words);
    if (arguments.help) {
      std::cout << demo::usage;
      return 0;
    }
    return run(arguments);
  } catch (const std::invalid_argument& wrong) {
    std::cerr << wrong.what() << "\n\n" << demo::usage;
    return 2;
  } catch (const std::exception& trouble) {
    std::cerr << trouble.what() << '\n';
    return 1;
  }
}

#include "demo/arguments.hpp"

#include <charconv>      // numbers
#include <stdexcept>     // std::invalid_argument
#include <system_error>  // std::errc

namespace demo {
namespace {

std::uint64_t number(const std::string& option, std::string_view text, std::uint64_t least, std::uint64_t most) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < least || number > most) {
    throw std::invalid_argument{option + " is '" + std::string{text} + "': give a number from " +
                                std::to_string(least) + " to " + std::to_string(most)};
  }
  return number;
}

}  // namespace

const std::string_view usage =
    "usage: webhook_publisher [option ...]\n"
    "\n"
    "Delivers events to five webhooks on this machine, sends what was recorded as StatsD lines, and compares it with\n"
    "what a receiver counted.\n"
    "\n"
    "  --deliveries N   how many HTTP requests (default 500)\n"
    "  --concurrency N  how many in flight at once (default 16)\n"
    "  --seed N         for the delays of the endpoints (default 1)\n"
    "  --show-lines     print the lines as the receiver gets them\n"
    "  --agent NAME     datadog (default), telegraf, statsd_exporter, etsy, graphite, plain, collectd, netdata,\n"
    "                   cloudwatch, vector or gostatsd\n"
    "  --address ADDR   send to the agent at udp://host:port or unix:///path, and compare nothing; needs --agent\n"
    "  --help           print this\n"
    "\n"
    "Exit status: 0 when all is equal (with --address: when all was sent), 1 when not, 2 for a wrong option.\n";

event_metrics::statsd::Agent agent_named(std::string_view name) {
  if (const auto agent = event_metrics::statsd::parse_agent(name)) return *agent;
  throw std::invalid_argument{
      "--agent is '" + std::string{name} +
      "': give datadog, telegraf, statsd_exporter, etsy, graphite, plain, collectd, netdata, cloudwatch, vector or "
      "gostatsd"};
}

Arguments parse_arguments(std::span<const char* const> words) {
  Arguments arguments;
  bool agent_given = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string option{words[i]};
    const auto value = [&] {
      if (++i == words.size()) throw std::invalid_argument{option + " needs a value"};
      return std::string_view{words[i]};
    };
    if (option == "--deliveries") {
      arguments.deliveries = number(option, value(), 1, 1'000'000);
    } else if (option == "--concurrency") {
      arguments.concurrency = number(option, value(), 1, 256);
    } else if (option == "--seed") {
      arguments.seed = number(option, value(), 0, UINT64_MAX);
    } else if (option == "--show-lines") {
      arguments.show_lines = true;
    } else if (option == "--agent") {
      arguments.agent = agent_named(value());
      agent_given = true;
    } else if (option == "--address") {
      arguments.address = value();
    } else if (option == "--help") {
      arguments.help = true;
    } else {
      throw std::invalid_argument{"there is no option '" + option + "'"};
    }
  }
  if (arguments.address && !agent_given)
    throw std::invalid_argument{"--address needs --agent: each reads its own lines"};
  if (arguments.address && arguments.show_lines) {
    throw std::invalid_argument{"--show-lines shows what the demo's own receiver gets: leave --address out"};
  }
  return arguments;
}

}  // namespace demo

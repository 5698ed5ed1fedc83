// statsd_tap - listens where an agent would and shows what arrives: does my service send, and what?

#include <poll.h>
#include <sys/signalfd.h>

#include <algorithm>  // columns
#include <array>      // what is waited for
#include <charconv>   // sums
#include <chrono>     // once a second
#include <csignal>    // Ctrl-C
#include <cstdint>    // counts
#include <exception>  // std::exception
#include <iostream>   // what is shown
#include <map>        // keys
#include <span>       // argv
#include <stdexcept>  // std::invalid_argument
#include <string>     // text
#include <variant>    // lines

#include "statsd_line.hpp"
#include "statsd_socket.hpp"

namespace {

using statsd_line::Line;
using statsd_line::Malformed;
using statsd_line::visible;

constexpr const char* usage =
    "usage: statsd_tap [udp://host:port | unix:///path] [--raw | --summary]\n"
    "\n"
    "Listens where a StatsD agent would (udp://127.0.0.1:8125) and shows what arrives, in columns. Ends with Ctrl-C.\n"
    "\n"
    "  --raw      lines as they came, bytes that are not printable as \\xNN\n"
    "  --summary  once a second how much has come for each key\n"
    "  --help     print this\n";

struct Arguments {
  std::string address = "udp://127.0.0.1:8125";
  bool raw = false;
  bool summary = false;
  bool help = false;
};

Arguments parse_arguments(std::span<const char* const> words) {
  Arguments arguments;
  for (const std::string word : words) {
    if (word == "--raw") {
      arguments.raw = true;
    } else if (word == "--summary") {
      arguments.summary = true;
    } else if (word == "--help") {
      arguments.help = true;
    } else if (word.starts_with("-")) {
      throw std::invalid_argument{"there is no option '" + word + "'"};
    } else {
      arguments.address = word;
    }
  }
  if (arguments.raw && arguments.summary) throw std::invalid_argument{"--raw and --summary exclude each other"};
  return arguments;
}

/// `next` in a column of its own, behind `width` bytes; nothing when it is empty.
void add_column(std::string& row, std::size_t width, const std::string& next) {
  if (next.empty()) return;
  row.resize(std::max(row.size() + 1, width), ' ');
  row += next;
}

std::string_view type_name(std::string_view type) {
  if (type == "c") return "counter";
  if (type == "g") return "gauge";
  if (type == "ms") return "timing";
  if (type == "h") return "histogram";
  if (type == "d") return "distribution";
  return "set";
}

std::string tags_of(const Line& line) {
  std::string text;
  for (const statsd_line::Tag& tag : line.tags) {
    if (!text.empty()) text += ' ';
    text += visible(tag.key);
    if (!tag.value.empty()) text += ':' + visible(tag.value);
  }
  return text;
}

/// What has come for one key.
struct Total {
  std::uint64_t lines = 0;
  std::uint64_t values = 0;  ///< what the lines stand for, by their rates
  double sum = 0;
  std::string last;
};

class Tap {
 public:
  explicit Tap(const Arguments& arguments) : arguments_{arguments} {}

  void read(std::string_view datagram) {
    ++datagrams_;
    while (!datagram.empty()) {
      const std::string_view text = statsd_line::next_line(datagram);
      const statsd_line::Result result = statsd_line::parse(text);
      if (const auto* line = std::get_if<Line>(&result)) {
        count(*line);
        if (!arguments_.summary) std::cout << (arguments_.raw ? visible(text) : columns(*line)) << '\n';
      } else {
        complain(std::get<Malformed>(result), text);
      }
    }
  }

  void show_summary() const {
    std::uint64_t lines = malformed_;
    for (const auto& [key, total] : totals_) lines += total.lines;
    std::cout << "\n" << datagrams_ << " datagrams, " << lines << " lines, " << malformed_ << " malformed\n";
    for (const auto& [key, total] : totals_) {
      const bool is_gauge = key.starts_with("gauge");
      const bool is_counter = key.starts_with("counter");
      std::string row = is_gauge     ? "last " + total.last
                        : is_counter ? "sum " + number(total.sum)
                                     : "count " + std::to_string(total.values);
      add_column(row, 17, key);
      std::cout << row << '\n';
    }
    std::cout << std::flush;
  }

 private:
  static std::string number(double value) {
    std::array<char, 400> text{};
    return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed).ptr};
  }

  static std::string key_of(const Line& line) {
    std::string key{type_name(line.type)};
    add_column(key, 13, visible(line.name));
    add_column(key, 54, tags_of(line));
    return key;
  }

  static std::string columns(const Line& line) {
    const std::string value = visible(line.value) + (line.type == "ms" ? " ms" : "") +
                              (line.rate ? " x " + std::to_string(line.weight()) : "");
    std::string row{type_name(line.type)};
    add_column(row, 13, visible(line.name));
    add_column(row, 54, value);
    add_column(row, 71, tags_of(line));
    return row;
  }

  void count(const Line& line) {
    Total& total = totals_[key_of(line)];
    double value = 0;
    const std::string_view digits = line.value.substr(line.value.starts_with('+') ? 1 : 0);
    (void)std::from_chars(digits.data(), digits.data() + digits.size(), value);  // of a set 0, which is not shown
    ++total.lines;
    total.values += line.weight();
    total.sum += value * static_cast<double>(line.weight());
    total.last = visible(line.value);
  }

  void complain(const Malformed& wrong, std::string_view text) {
    ++malformed_;
    std::cout << "malformed at column " << wrong.column << ", " << wrong.reason << ": " << visible(text) << '\n';
  }

  const Arguments& arguments_;
  std::map<std::string, Total> totals_;
  std::uint64_t datagrams_ = 0;
  std::uint64_t malformed_ = 0;
};

/// Ctrl-C and a polite kill, as something to wait for beside the socket.
int end_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  return signalfd(-1, &signals, SFD_CLOEXEC);
}

void listen(const Arguments& arguments) {
  using Clock = std::chrono::steady_clock;
  const int end = end_signals();
  statsd_socket::Socket socket{arguments.address};
  std::cout << "listening at " << socket.address() << std::endl;

  Tap tap{arguments};
  std::array<pollfd, 2> sources{{{socket.descriptor(), POLLIN, 0}, {end, POLLIN, 0}}};
  Clock::time_point next_summary = Clock::now() + std::chrono::seconds{1};
  bool news = false;
  while (sources[1].revents == 0) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_summary - Clock::now()).count();
    poll(sources.data(), sources.size(), arguments.summary ? static_cast<int>(std::max<std::int64_t>(left, 0)) : -1);
    while (const auto datagram = socket.receive()) {
      tap.read(*datagram);
      news = true;
    }
    std::cout << std::flush;
    if (arguments.summary && Clock::now() >= next_summary) {
      if (news) tap.show_summary();
      news = false;
      next_summary = Clock::now() + std::chrono::seconds{1};
    }
  }
  tap.show_summary();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Arguments arguments = parse_arguments({argv + 1, static_cast<std::size_t>(argc - 1)});
    if (arguments.help) {
      std::cout << usage;
    } else {
      listen(arguments);
    }
    return 0;
  } catch (const std::invalid_argument& wrong) {
    std::cerr << wrong.what() << "\n\n" << usage;
    return 2;
  } catch (const std::exception& trouble) {
    std::cerr << "statsd_tap: " << trouble.what() << '\n';
    return 1;
  }
}

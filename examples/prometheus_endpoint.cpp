// prometheus_endpoint - a service that Prometheus scrapes: /metrics on Boost.Beast, in the text format of
// prometheus-cpp.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <chrono>     // durations
#include <exception>  // std::exception
#include <iostream>   // deliveries, the address
#include <memory>     // sessions, the registry
#include <sstream>    // one delivery
#include <string>     // lines, pages
#include <thread>     // the reader
#include <utility>    // std::move

#include "event_metrics/prometheus_event_metrics.hpp"
#include "prometheus/registry.h"
#include "prometheus/text_serializer.h"

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using event_metrics::PrometheusEventMetrics;

constexpr const char* usage =
    R"(prometheus_endpoint [PORT]   serve /metrics on 127.0.0.1:PORT (9464 unless told, 0: any)
                             and record what standard input says, until it ends:
  success URL MILLISECONDS
  failure URL STATUS
  error URL
  begin                      a task begins
  end                        a task ends
)";

/// One connection, one answer. Its handlers keep it alive.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, const prometheus::Registry& registry, PrometheusEventMetrics& metrics)
      : stream_{std::move(socket)}, registry_{registry}, metrics_{metrics} {}

  void run() {
    stream_.expires_after(std::chrono::seconds{10});
    http::async_read(stream_, buffer_, request_, [self = shared_from_this()](error_code error, std::size_t) {
      if (!error) self->answer();
    });
  }

 private:
  void answer() {
    const bool known = request_.method() == http::verb::get && request_.target() == "/metrics";
    response_ = {known ? http::status::ok : http::status::not_found, request_.version()};
    response_.set(http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
    response_.keep_alive(false);
    if (known) {
      metrics_.update();  // or the page could lack the last second
      response_.body() = prometheus::TextSerializer{}.Serialize(registry_.Collect());
    }
    response_.prepare_payload();
    http::async_write(stream_, response_, [self = shared_from_this()](error_code, std::size_t) {});
  }

  beast::tcp_stream stream_;
  const prometheus::Registry& registry_;
  PrometheusEventMetrics& metrics_;
  beast::flat_buffer buffer_;
  http::request<http::empty_body> request_;
  http::response<http::string_body> response_;
};

void serve(tcp::acceptor& acceptor, const prometheus::Registry& registry, PrometheusEventMetrics& metrics) {
  acceptor.async_accept([&](error_code error, tcp::socket socket) {
    if (!error) std::make_shared<Session>(std::move(socket), registry, metrics)->run();
    serve(acceptor, registry, metrics);
  });
}

void record(event_metrics::EventMetrics& metrics, const std::string& line) {
  std::istringstream words{line};
  std::string what;
  std::string url;
  int number = 0;
  words >> what >> url >> number;
  if (what == "success") {
    metrics.record_delivery_success(url, std::chrono::milliseconds{number});
  } else if (what == "failure") {
    metrics.record_delivery_failure(url, number);
  } else if (what == "error") {
    metrics.record_delivery_error(url);
  } else if (what == "begin") {
    metrics.increment_active_tasks();
  } else if (what == "end") {
    metrics.decrement_active_tasks();
  } else {
    std::cerr << "not understood: " << line << '\n' << usage;
  }
}

void run(std::uint16_t port) {
  asio::io_context io;
  tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), port}};

  const auto registry = std::make_shared<prometheus::Registry>();
  PrometheusEventMetrics metrics{registry};
  serve(acceptor, *registry, metrics);
  std::cout << "http://127.0.0.1:" << acceptor.local_endpoint().port() << "/metrics" << std::endl;

  const std::jthread reader{[&] {
    for (std::string line; std::getline(std::cin, line);) record(metrics, line);
    io.stop();
  }};
  io.run();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::string port = argc > 1 ? argv[1] : "9464";
    if (argc > 2 || port.find_first_not_of("0123456789") != std::string::npos || std::stoul(port) > 65535) {
      std::cerr << usage;
      return 2;
    }
    run(static_cast<std::uint16_t>(std::stoul(port)));
  } catch (const std::exception& trouble) {
    std::cerr << trouble.what() << '\n';
    return 1;
  }
}

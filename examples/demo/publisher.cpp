#include "demo/publisher.hpp"

#include <algorithm>  // std::min
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <cstdio>     // a handler's complaint
#include <exception>  // what a handler throws
#include <future>     // use_future
#include <optional>   // no answer
#include <utility>    // std::move

namespace demo {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using event_metrics::ActiveTask;
using event_metrics::DeliveryAttempt;

/// Asynchronous, because only asynchronous operations of a tcp_stream end at its deadline.
template <class T>
T await(asio::io_context& io, std::future<T> result) {
  io.restart();
  io.run();
  return result.get();
}

/// The status of the answer; nothing if there was none: refused, timed out, broken off.
std::optional<int> post(std::string_view event, const Endpoint& endpoint, std::chrono::milliseconds timeout) {
  const Url url = split_url(endpoint.url);
  http::request<http::string_body> request{http::verb::post, url.target, 11, event};
  request.set(http::field::host, url.host);
  request.set(http::field::content_type, "application/json");
  request.prepare_payload();

  asio::io_context io;
  beast::tcp_stream stream{io};
  stream.expires_after(timeout);
  try {
    await(io, stream.async_connect({asio::ip::address_v4::loopback(), endpoint.port}, asio::use_future));
    await(io, http::async_write(stream, request, asio::use_future));

    beast::flat_buffer buffer;
    http::response<http::string_body> response;
    await(io, http::async_read(stream, buffer, response, asio::use_future));
    return static_cast<int>(response.result_int());
  } catch (const boost::system::system_error&) {
    return std::nullopt;
  }
}

}  // namespace

Url split_url(std::string_view url) {
  const std::size_t host = url.find("://") + 3;
  const std::size_t target = std::min(url.find('/', host), url.size());
  return {std::string{url.substr(host, target - host)}, target == url.size() ? "/" : std::string{url.substr(target)}};
}

Publisher::Publisher(event_metrics::EventMetrics& metrics, std::chrono::milliseconds timeout, AnswerHandler on_answer)
    : metrics_{metrics}, timeout_{timeout}, on_answer_{std::move(on_answer)} {}

void Publisher::publish(std::string_view event, std::span<const Endpoint> endpoints) {
  const ActiveTask task{metrics_};
  for (const Endpoint& endpoint : endpoints) {
    try {
      deliver(event, endpoint);
    } catch (const std::exception& trouble) {
      std::fprintf(stderr, "delivery broke off: %s\n", trouble.what());
    }
  }
}

void Publisher::deliver(std::string_view event, const Endpoint& endpoint) {
  DeliveryAttempt attempt{metrics_, endpoint.url};  // records an error if an exception ends it

  const std::optional<int> status = post(event, endpoint, timeout_);
  if (!status) return attempt.error();

  if (on_answer_) on_answer_(endpoint, *status);
  if (*status >= 200 && *status < 300) {
    attempt.success();
  } else {
    attempt.failure(*status);
  }
}

}  // namespace demo

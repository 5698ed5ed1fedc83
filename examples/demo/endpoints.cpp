#include "demo/endpoints.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <chrono>   // delays
#include <list>     // servers, which don't move
#include <random>   // delays
#include <thread>   // the servers' thread
#include <utility>  // std::move

namespace demo {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

/// One connection: reads a request, waits, answers, hangs up. Its handlers keep it alive.
class Session : public std::enable_shared_from_this<Session> {
 public:
  explicit Session(tcp::socket socket) : socket_{std::move(socket)}, timer_{socket_.get_executor()} {}

  void answer(http::status status, std::chrono::milliseconds delay) {
    read([status, delay](Session& self) { self.answer_after(delay, status); });
  }

  /// Waits for a second request, so that the connection lives until the client hangs up.
  void stay_silent() {
    read([](Session& self) { self.read([](Session&) {}); });
  }

 private:
  template <class Next>
  void read(Next next) {
    request_ = {};
    http::async_read(socket_, buffer_, request_, [self = shared_from_this(), next](error_code error, std::size_t) {
      if (!error) next(*self);
    });
  }
  void answer_after(std::chrono::milliseconds delay, http::status status) {
    response_ = {status, 11};
    response_.keep_alive(false);
    response_.prepare_payload();
    timer_.expires_after(delay);
    timer_.async_wait([self = shared_from_this()](error_code) {
      http::async_write(self->socket_, self->response_, [self](error_code, std::size_t) {});
    });
  }

  tcp::socket socket_;
  asio::steady_timer timer_;
  beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  http::response<http::empty_body> response_;
};

/// One endpoint: a port of its own, and what its temper does with a connection.
class Server {
 public:
  Server(asio::io_context& io, Temper temper, std::uint64_t seed)
      : temper_{temper}, acceptor_{io}, random_{seed + static_cast<std::uint64_t>(temper)} {
    const tcp::endpoint any_port{asio::ip::address_v4::loopback(), 0};
    acceptor_.open(any_port.protocol());
    acceptor_.bind(any_port);
    // A port that is bound but doesn't listen refuses, and nobody else can get it.
    if (temper == Temper::refusing) return;
    acceptor_.listen();
    accept();
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  void accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (!error) serve(*std::make_shared<Session>(std::move(socket)));
      accept();
    });
  }
  void serve(Session& session) {
    switch (temper_) {
      case Temper::healthy:
        return session.answer(http::status::ok, delay(1, 5));
      case Temper::slow:
        return session.answer(http::status::ok, delay(20, 180));
      case Temper::unavailable:
        return session.answer(http::status::service_unavailable, delay(1, 5));
      case Temper::silent:
        return session.stay_silent();
      case Temper::refusing:
        return;
    }
  }
  std::chrono::milliseconds delay(int from, int to) {
    return std::chrono::milliseconds{std::uniform_int_distribution{from, to}(random_)};
  }

  Temper temper_;
  tcp::acceptor acceptor_;
  std::mt19937_64 random_;
};

}  // namespace

class Endpoints::Servers {
 public:
  ~Servers() { io_.stop(); }

  std::uint16_t open(Temper temper, std::uint64_t seed) { return servers_.emplace_back(io_, temper, seed).port(); }
  void run() {
    thread_ = std::jthread{[this] { io_.run(); }};
  }

 private:
  asio::io_context io_;
  std::list<Server> servers_;
  std::jthread thread_;
};

Endpoints::Endpoints(std::uint64_t seed) : servers_{std::make_unique<Servers>()} {
  const auto open = [&](std::string url, Temper temper) {
    endpoints_.push_back({std::move(url), servers_->open(temper, seed)});
  };
  // The tokens are there to be missed on the wire: a label is the host alone.
  open("http://healthy.example/hooks/T0?token=secret", Temper::healthy);
  open("http://slow.example/hooks/T0?token=secret", Temper::slow);
  open("http://unavailable.example/hooks/T0?token=secret", Temper::unavailable);
  open("http://refusing.example/hooks/T0?token=secret", Temper::refusing);
  open("http://silent.example/hooks/T0?token=secret", Temper::silent);
  servers_->run();
}

Endpoints::~Endpoints() = default;

}  // namespace demo

// What a service or its host does with an Asio of its own: timers, and datagrams from one socket to another.

#include "asio_work.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>
#include <thread>

static_assert(BOOST_VERSION == 108100, "not the Boost that the service has");

int asio_work() {
  namespace asio = boost::asio;
  using asio::ip::udp;
  asio::io_context io;
  udp::socket receiver{io, udp::endpoint{asio::ip::address_v4::loopback(), 0}};
  udp::socket sender{io, udp::v4()};
  char byte = 0;
  int ticks = 0;
  int received = 0;
  asio::steady_timer timer{io, std::chrono::milliseconds{1}};
  timer.async_wait([&](boost::system::error_code error) {
    ticks += error ? 0 : 1;
    sender.async_send_to(asio::buffer("x", 1), receiver.local_endpoint(),
                         [](boost::system::error_code, std::size_t) {});
  });
  receiver.async_receive(asio::buffer(&byte, 1), [&](boost::system::error_code error, std::size_t size) {
    received += !error && size == 1 && byte == 'x' ? 1 : 0;
  });
  asio::post(io, [&] { ++ticks; });
  std::thread{[&] { io.run(); }}.join();
  if (ticks != 2 || received != 1) return 1;

  try {
    const udp::socket taken{io, receiver.local_endpoint()};
  } catch (const boost::system::system_error& failure) {
    return failure.code() == boost::system::errc::address_in_use ? 0 : 2;
  }
  return 3;
}

#include "statsd_socket.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>

#include "event_metrics/statsd_event_metrics.hpp"

namespace statsd_socket {
namespace {

using namespace std::chrono_literals;

std::string free_path() {
  char folder[] = "/tmp/event-metrics-XXXXXX";
  EXPECT_NE(::mkdtemp(folder), nullptr);
  return std::string{folder} + "/tap.sock";
}

void remove(const std::string& path) {
  (void)::unlink(path.c_str());
  (void)::rmdir(path.substr(0, path.rfind('/')).c_str());
}

void receives_at(const std::string& address) {
  Socket socket{address};
  EXPECT_EQ(socket.receive(), std::nullopt);
  event_metrics::StatsdEventMetrics metrics{
      {.agent = event_metrics::statsd::Agent::plain, .address = socket.address(), .own_thread = false}};
  metrics.record_delivery_error("https://a/");
  ASSERT_TRUE(metrics.flush(10s));
  const auto datagram = socket.receive();
  ASSERT_TRUE(datagram);
  EXPECT_TRUE(datagram->ends_with("notification.delivery.failures:1|c")) << *datagram;
}

TEST(StatsdSocket, ReceivesOverUdp) {
  receives_at("udp://127.0.0.1:0");
  receives_at("udp://localhost:0");
  receives_at("udp://[::1]:0");
}

TEST(StatsdSocket, ReceivesAtAPathAndTakesItAway) {
  const std::string path = free_path();
  receives_at("unix://" + path);
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
  remove(path);
}

TEST(StatsdSocket, TakesOverThePathOfADeadReceiver) {
  const std::string path = free_path();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int dead = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(::bind(dead, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_THROW(Socket{"unix://" + path}, std::system_error);  // it lives
  (void)::close(dead);
  receives_at("unix://" + path);
  remove(path);
}

TEST(StatsdSocket, LeavesAFileAlone) {
  const std::string path = free_path();
  std::ofstream{path} << "precious";
  EXPECT_THROW(Socket{"unix://" + path}, std::system_error);
  EXPECT_EQ(::access(path.c_str(), F_OK), 0);
  remove(path);
}

TEST(StatsdSocket, RefusesATakenPort) {
  const Socket first{"udp://127.0.0.1:0"};
  EXPECT_THROW(Socket{first.address()}, std::system_error);
}

TEST(StatsdSocket, RefusesWhatIsNoAddress) {
  for (const char* const address : {"", "127.0.0.1:8125", "tcp://127.0.0.1:1", "udp://127.0.0.1", "udp://:1",
                                    "udp://127.0.0.1:x", "unix://relative", "unix://"}) {
    EXPECT_THROW(Socket{address}, std::invalid_argument) << address;
  }
}

}  // namespace
}  // namespace statsd_socket

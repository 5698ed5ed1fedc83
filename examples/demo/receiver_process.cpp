#include "demo/receiver_process.hpp"

#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>         // buffers
#include <cerrno>        // errno
#include <csignal>       // Ctrl-C
#include <cstdio>        // shown lines
#include <string_view>   // datagrams
#include <system_error>  // failed calls
#include <vector>        // arguments

#include "demo/receiver.hpp"
#include "statsd_socket.hpp"

namespace demo {
namespace {

using event_metrics::statsd::Agent;

int check(int result, const char* call) {
  if (result < 0) throw std::system_error{errno, std::generic_category(), call};
  return result;
}

void write_all(int channel, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = send(channel, text.data(), text.size(), MSG_NOSIGNAL);
    check(static_cast<int>(written), "send to the other process");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

/// Up to and without `end`, or all that there is.
std::string read_until(int channel, char end) {
  std::string text;
  char byte = 0;
  while (recv(channel, &byte, 1, 0) == 1 && byte != end) text.push_back(byte);
  return text;
}

pid_t start_receiver(Agent agent, bool show_lines, int channel) {
  std::string verb{receive_verb};
  std::string name{to_string(agent)};
  std::string option{"--show-lines"};
  std::string program{"webhook_publisher"};
  std::vector<char*> arguments{program.data(), verb.data(), name.data()};
  if (show_lines) arguments.push_back(option.data());
  arguments.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, channel, STDIN_FILENO);
  pid_t pid = -1;
  const int error = posix_spawn(&pid, "/proc/self/exe", &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::system_error{error, std::generic_category(), "start the receiver"};
  return pid;
}

/// Reads until the socket is empty.
void drain(statsd_socket::Socket& udp, Receiver& receiver, bool show_lines) {
  while (const auto datagram = udp.receive()) {
    receiver.read(*datagram);
    if (show_lines) std::printf("%.*s\n", static_cast<int>(datagram->size()), datagram->data());
  }
  std::fflush(stdout);
}

}  // namespace

void receive(Agent agent, bool show_lines) {
  // Ctrl-C reaches every process of the terminal. This one still has to answer.
  std::signal(SIGINT, SIG_IGN);
  statsd_socket::Socket udp{"udp://127.0.0.1:0"};
  write_all(STDIN_FILENO, udp.address() + "\n");

  Receiver receiver{agent};
  std::array<pollfd, 2> sources{{{udp.descriptor(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
  while (sources[1].revents == 0) {
    poll(sources.data(), sources.size(), -1);
    drain(udp, receiver, show_lines);
  }
  // What was sent before the other side finished is in the socket by now: on loopback a send is an arrival.
  drain(udp, receiver, show_lines);
  write_all(STDIN_FILENO, to_text(receiver.counts()));
}

ReceiverProcess::ReceiverProcess(Agent agent, bool show_lines) {
  std::array<int, 2> channel{};
  check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel.data()), "socketpair");
  channel_ = channel[0];
  pid_ = start_receiver(agent, show_lines, channel[1]);
  close(channel[1]);
  address_ = read_until(channel_, '\n');
  if (address_.empty()) throw std::runtime_error{"the receiver did not start"};
}

ReceiverProcess::~ReceiverProcess() {
  close(channel_);
  waitpid(pid_, nullptr, 0);
}

Counts ReceiverProcess::finish() {
  shutdown(channel_, SHUT_WR);
  return counts_from_text(read_until(channel_, '\0'));
}

}  // namespace demo

// support/process.hpp - a program that a test starts, reads and ends: by its pid, and with the test if that dies first.

#pragma once

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace support {

/// Asks until `done`, for `limit` at most; returns whether it came to that.
template <class Done>
bool eventually(Done done, std::chrono::seconds limit = std::chrono::seconds{60}) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
  return true;
}

/// Where `program` is: on the path or where daemons live, which is on the path of root alone.
inline std::optional<std::string> find_program(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::istringstream folders{std::string{path == nullptr ? "" : path} + ":/usr/sbin:/usr/local/sbin"};
  for (std::string folder; std::getline(folders, folder, ':');) {
    std::string file = folder + "/" + program;
    if (!folder.empty() && ::access(file.c_str(), X_OK) == 0) return file;
  }
  return std::nullopt;
}

class Process {
 public:
  /// Standard output and error are read into one; standard input is what is written here. The first word of `command`
  /// is a path.
  explicit Process(std::vector<std::string> command) {
    std::vector<char*> words;
    for (std::string& word : command) words.push_back(word.data());
    words.push_back(nullptr);
    // Not a pipe, which would stop a program that is not read.
    output_ = ::memfd_create("output", MFD_CLOEXEC);
    if (output_ < 0) throw std::system_error{errno, std::generic_category(), "memfd_create"};
    // Not a pipe, which would end a test that writes when its program has ended.
    int input[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, input) != 0) {
      throw std::system_error{errno, std::generic_category(), "socketpair"};
    }
    input_ = input[0];
    pid_ = ::fork();
    if (pid_ == 0) {
      (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
      (void)::dup2(input[1], STDIN_FILENO);
      (void)::dup2(output_, STDOUT_FILENO);
      (void)::dup2(output_, STDERR_FILENO);
      ::execv(words[0], words.data());
      ::_exit(127);
    }
    (void)::close(input[1]);
    if (pid_ < 0) throw std::system_error{errno, std::generic_category(), "fork"};
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (running()) (void)::kill(pid_, SIGTERM);
    if (!eventually([this] { return !running(); }, std::chrono::seconds{10})) {
      (void)::kill(pid_, SIGKILL);
      (void)::waitpid(pid_, nullptr, 0);
    }
    (void)::close(input_);
    (void)::close(output_);
  }

  /// Asks it to end and waits for that.
  void end() {
    if (running()) (void)::kill(pid_, SIGTERM);
    (void)eventually([this] { return !running(); });
  }

  bool running() {
    if (!ended_) ended_ = ::waitpid(pid_, &status_, WNOHANG) == pid_;
    return !ended_;
  }

  /// Hands over all of `text`; false when the program does not read any more.
  bool write(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t size = ::send(input_, text.data(), text.size(), MSG_NOSIGNAL);
      if (size < 0) return false;
      text.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
  }
  void end_input() const { (void)::shutdown(input_, SHUT_WR); }

  /// Its exit status, once it has ended by itself.
  int status() const { return WIFEXITED(status_) ? WEXITSTATUS(status_) : -1; }

  /// The complete lines that were written since the last call.
  std::vector<std::string> lines() {
    read();
    std::vector<std::string> lines;
    std::size_t start = 0;
    for (std::size_t end = unread_.find('\n'); end != std::string::npos; end = unread_.find('\n', start)) {
      lines.push_back(unread_.substr(start, end - start));
      start = end + 1;
    }
    unread_.erase(0, start);
    return lines;
  }

  /// The end of what was written, for the message of a test that fails.
  std::string last_words() {
    read();
    return last_words_;
  }

 private:
  void read() {
    char buffer[65536];
    for (ssize_t size = 0; (size = ::pread(output_, buffer, sizeof buffer, read_)) > 0; read_ += size) {
      unread_.append(buffer, static_cast<std::size_t>(size));
      last_words_.append(buffer, static_cast<std::size_t>(size));
      if (last_words_.size() > 4000) last_words_.erase(0, last_words_.size() - 4000);
    }
  }

  pid_t pid_ = -1;
  bool ended_ = false;
  int status_ = -1;
  int input_ = -1;
  int output_ = -1;
  off_t read_ = 0;
  std::string unread_;
  std::string last_words_;
};

}  // namespace support

// support/process.hpp - a program that a test starts, reads and ends: by its pid, and with the test if that dies first.

#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <string>
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
  /// Standard output and error are read into one; the first word of `command` is a path.
  explicit Process(std::vector<std::string> command) {
    std::vector<char*> words;
    for (std::string& word : command) words.push_back(word.data());
    words.push_back(nullptr);
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error{errno, std::generic_category(), "pipe2"};
    pid_ = ::fork();
    if (pid_ == 0) {
      (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
      (void)::dup2(ends[1], STDOUT_FILENO);
      (void)::dup2(ends[1], STDERR_FILENO);
      ::execv(words[0], words.data());
      ::_exit(127);
    }
    (void)::close(ends[1]);
    output_ = ends[0];
    if (pid_ < 0) throw std::system_error{errno, std::generic_category(), "fork"};
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (running()) (void)::kill(pid_, SIGTERM);
    const bool ended = eventually(
        [this] {
          read();
          return !running();
        },
        std::chrono::seconds{10});
    if (!ended) {
      (void)::kill(pid_, SIGKILL);
      (void)::waitpid(pid_, nullptr, 0);
    }
    (void)::close(output_);
  }

  bool running() {
    if (!ended_) ended_ = ::waitpid(pid_, nullptr, WNOHANG) == pid_;
    return !ended_;
  }

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
    for (pollfd readable{output_, POLLIN, 0}; ::poll(&readable, 1, 0) == 1;) {
      const ssize_t size = ::read(output_, buffer, sizeof buffer);
      if (size <= 0) return;
      unread_.append(buffer, static_cast<std::size_t>(size));
      last_words_.append(buffer, static_cast<std::size_t>(size));
      if (last_words_.size() > 4000) last_words_.erase(0, last_words_.size() - 4000);
    }
  }

  pid_t pid_ = -1;
  bool ended_ = false;
  int output_ = -1;
  std::string unread_;
  std::string last_words_;
};

}  // namespace support

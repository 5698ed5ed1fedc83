// support/child.hpp - forked children of a test, and memory that they share with it.

#pragma once

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <new>
#include <string>
#include <system_error>

#include "support/process.hpp"
#include "support/sanitizer.hpp"

namespace support {

// ThreadSanitizer ends a child of a threaded parent that makes a thread.
inline constexpr bool children_may_have_threads = !thread_sanitizer;

/// Zeroed; a child that is forked later has the same one. Trivial types and atomics only.
template <class T>
class Shared {
 public:
  Shared() {
    void* const memory = ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::system_error{errno, std::generic_category(), "mmap"};
    value_ = new (memory) T;
  }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  ~Shared() { (void)::munmap(value_, sizeof(T)); }

  T& operator*() const noexcept { return *value_; }
  T* operator->() const noexcept { return value_; }

 private:
  T* value_;
};

/// Waits until this process's other threads have nothing to do. AddressSanitizer's allocator is of no use to a child
/// that was forked while a thread of its parent's was in it, as each is when it starts.
inline void wait_until_other_threads_sleep() {
  (void)eventually([] {
    for (const auto& task : std::filesystem::directory_iterator{"/proc/self/task"}) {
      std::string stat;
      std::getline(std::ifstream{task.path() / "stat"}, stat);
      const std::size_t name_end = stat.rfind(") ");
      if (name_end == std::string::npos || std::stoi(task.path().filename()) == ::gettid()) continue;
      if (stat[name_end + 2] != 'S') return false;
    }
    return true;
  });
}

/// Runs `work` in a child, which ends with its result and without destructors, or with the test if that dies first.
class Child {
 public:
  explicit Child(const std::function<int()>& work) : pid_{::fork()} {
    if (pid_ == 0) {
      (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::_exit(work());
    }
    if (pid_ < 0) throw std::system_error{errno, std::generic_category(), "fork"};
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) {
      signal(SIGKILL);
      (void)status();
    }
  }

  void signal(int number) const { (void)::kill(pid_, number); }

  /// Waits for its end; its exit status, or 128 and the signal that ended it.
  int status() {
    int status = 0;
    (void)::waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_;
};

}  // namespace support

// support/gate.hpp - stops the library's thread where it calls the C library, for as long as the test wants. Takes the
// place of what a flush calls there, in the one file of a program that includes it.

#pragma once

#include <dlfcn.h>
#include <pthread.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

namespace support {

enum class Place : std::uint8_t { nowhere, makes_socket, connects, sends, reads_refusals, unlocks, tells };

/// Set by each thread of the test: any other is the library's.
inline thread_local constinit bool of_the_test = false;

class Gate {
 public:
  /// The library's thread stops when it gets to `place` the next time, or that many times later.
  void close(Place place, int later = 0) noexcept {
    later_ = later;
    stands_ = false;
    place_ = place;
  }
  /// Returns when it has gone on.
  void open() noexcept {
    place_ = Place::nowhere;
    (void)wait([this] { return !stands_; });
  }

  bool has_somebody() const noexcept { return stands_; }
  bool wait_for_somebody() const noexcept {
    return wait([this] { return has_somebody(); });
  }
  /// The mutex that who stands here is about to unlock.
  const void* mutex() const noexcept { return mutex_; }

  /// Of the library's thread, which goes on by itself at last, or a test that fails would hang.
  void pass(Place place, const void* mutex = nullptr) noexcept {
    if (of_the_test || place_ != place || later_-- > 0) return;
    mutex_ = mutex;
    stands_ = true;
    if (!wait([this] { return place_ == Place::nowhere; })) place_ = Place::nowhere;
    stands_ = false;
  }

 private:
  template <class Done>
  static bool wait(Done done) noexcept {
    for (int ms = 0; !done(); ++ms) {
      if (ms == 20'000) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    return true;
  }

  std::atomic<Place> place_{Place::nowhere};
  std::atomic<int> later_{0};
  std::atomic<bool> stands_{false};
  std::atomic<const void*> mutex_{nullptr};
};

inline constinit Gate gate;

/// A function of the C library's, or of a sanitizer's that stands before it.
template <class Function>
class Original {
 public:
  constexpr explicit Original(const char* name) noexcept : name_{name} {}

  Function* operator*() noexcept {
    Function* function = function_.load(std::memory_order_relaxed);
    if (function == nullptr) {
      function = reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name_));
      function_.store(function, std::memory_order_relaxed);
    }
    return function;
  }

 private:
  const char* name_;
  std::atomic<Function*> function_{nullptr};
};

}  // namespace support

// NOLINTBEGIN: the names are the C library's
extern "C" {
int socket(int family, int type, int protocol) noexcept {
  static constinit support::Original<int(int, int, int)> original{"socket"};
  support::gate.pass(support::Place::makes_socket);
  return (*original)(family, type, protocol);
}
int connect(int socket, const sockaddr* address, socklen_t size) {
  static constinit support::Original<int(int, const sockaddr*, socklen_t)> original{"connect"};
  support::gate.pass(support::Place::connects);
  return (*original)(socket, address, size);
}
// One of these, as Boost pleases.
ssize_t send(int socket, const void* data, std::size_t size, int flags) {
  static constinit support::Original<ssize_t(int, const void*, std::size_t, int)> original{"send"};
  support::gate.pass(support::Place::sends);
  return (*original)(socket, data, size, flags);
}
ssize_t sendmsg(int socket, const msghdr* message, int flags) {
  static constinit support::Original<ssize_t(int, const msghdr*, int)> original{"sendmsg"};
  support::gate.pass(support::Place::sends);
  return (*original)(socket, message, flags);
}
ssize_t recvmsg(int socket, msghdr* message, int flags) {
  static constinit support::Original<ssize_t(int, msghdr*, int)> original{"recvmsg"};
  support::gate.pass(support::Place::reads_refusals);
  return (*original)(socket, message, flags);
}
// Stops with the mutex still locked.
int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept {
  static constinit support::Original<int(pthread_mutex_t*)> original{"pthread_mutex_unlock"};
  support::gate.pass(support::Place::unlocks, mutex);
  return (*original)(mutex);
}
}
// NOLINTEND

// Loads the service as a plugin, runs it on two of its threads, and ends those after it has been closed.

#include <dlfcn.h>

#include <atomic>
#include <cstdio>
#include <thread>

#include "asio_work.hpp"

/// Only in the host that has an Asio of its own.
__attribute__((weak)) int asio_work();

int main(int, char** argv) {
  if (asio_work != nullptr && asio_work() != 0) return 10;
  void* const plugin = ::dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (plugin == nullptr) return std::printf("%s\n", ::dlerror()), 11;
  const auto run_service = reinterpret_cast<int (*)()>(::dlsym(plugin, "run_service"));
  if (run_service == nullptr) return 12;

  std::atomic<bool> ran{false};
  std::atomic<bool> closed{false};
  int result = 0;
  std::thread thread{[&] {
    result = run_service();
    ran = true;
    ran.notify_one();
    closed.wait(false);
  }};
  ran.wait(false);
  if (result == 0) result = run_service();
  ::dlclose(plugin);
  closed = true;
  closed.notify_one();
  thread.join();
  if (result == 0 && asio_work != nullptr) result = asio_work();
  return result;
}

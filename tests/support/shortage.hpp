// support/shortage.hpp - a process that is short of something, until it is not.

#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <fstream>
#include <memory>
#include <system_error>
#include <thread>

namespace support {

/// A soft limit, until it ends.
class Limit {
 public:
  Limit(__rlimit_resource resource, rlim_t limit) : resource_{resource} {
    (void)::getrlimit(resource_, &before_);
    const rlimit less{limit, before_.rlim_max};
    (void)::setrlimit(resource_, &less);
  }
  ~Limit() { (void)::setrlimit(resource_, &before_); }
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;

 private:
  __rlimit_resource resource_;
  rlimit before_{};
};

inline std::unique_ptr<Limit> no_descriptor() { return std::make_unique<Limit>(RLIMIT_NOFILE, 3); }

/// nullptr where threads cannot be forbidden.
inline std::unique_ptr<Limit> no_thread() {
  if (::geteuid() == 0) (void)::setuid(65534);  // who may do everything may make threads too
  auto limit = std::make_unique<Limit>(RLIMIT_NPROC, 0);
  try {
    std::thread{[] {}}.join();
    return nullptr;
  } catch (const std::system_error&) {
    return limit;
  }
}

/// Of address space, which every client reserves.
inline std::unique_ptr<Limit> no_memory() {
  std::size_t pages = 0;
  std::ifstream{"/proc/self/statm"} >> pages;
  return std::make_unique<Limit>(RLIMIT_AS, pages * 4096 + (1U << 20U));
}

}  // namespace support

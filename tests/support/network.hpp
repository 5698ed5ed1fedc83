// support/network.hpp - a network namespace for one thread and those that it starts.

#pragma once

#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "support/process.hpp"

namespace support {

/// Gives the calling thread a network of its own with nothing in it but `lo`. False without the right to.
inline bool own_network() {
  if (::unshare(CLONE_NEWNET | CLONE_NEWNS) != 0) return false;
  const int any = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq loopback{};
  std::strcpy(loopback.ifr_name, "lo");
  loopback.ifr_flags = IFF_UP | IFF_RUNNING;
  const bool up = ::ioctl(any, SIOCSIFFLAGS, &loopback) == 0;
  (void)::close(any);
  return up && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("sysfs", "/sys", "sysfs", 0, nullptr) == 0;
}

/// Runs `test` on a network of its own, which `ip` has to be there to furnish.
inline void on_own_network(const std::function<void()>& test) {
  if (!find_program("ip")) GTEST_SKIP() << "no program ip";
  bool permitted = false;
  std::thread{[&] {
    permitted = own_network();
    if (permitted) test();
  }}.join();
  if (!permitted) GTEST_SKIP() << "no right to a network namespace";
}
/// Lets several processors work on what goes over `lo`, so that a refusal comes after the send that caused it. False
/// where the kernel cannot.
inline bool steer_loopback() {
  std::ofstream file{"/sys/class/net/lo/queues/rx-0/rps_cpus"};
  file << (std::thread::hardware_concurrency() > 1 ? "3" : "1") << std::flush;
  return file.good();
}

}  // namespace support

// support/system_calls.hpp - a thread that the kernel ends the process for at its first system call.

#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <optional>
#include <vector>

namespace support {

/// From here on every system call of this thread but the one that ends it kills the process.
inline bool forbid_system_calls() {
  sock_filter program[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                           BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
                           BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
                           BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)};
  const sock_fprog filter{std::size(program), program};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/// A system call, with an argument that has to have this value where there is one.
struct Refused {
  int call;
  std::uint32_t argument = 0;  ///< its number, from 0
  std::optional<std::uint32_t> value = std::nullopt;
};

/// From here on the kernel answers these with EPERM, as a sandbox does, to this thread and those that it starts.
inline bool refuse_system_calls(const std::vector<Refused>& refused) {
  std::vector<sock_filter> program;
  for (const Refused& each : refused) {
    const auto rest = static_cast<std::uint8_t>(each.value ? 3 : 1);  // instructions
    program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(each.call), 0, rest));
    if (each.value) {
      const auto offset = static_cast<std::uint32_t>(offsetof(seccomp_data, args) + each.argument * sizeof(__u64));
      program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
      program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, *each.value, 0, 1));
    }
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/// The wait status of a process that runs `work` under the filter.
inline int filtered(const std::function<void()>& prepare, const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    prepare();
    if (!forbid_system_calls()) ::_exit(3);
    work();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

}  // namespace support

#include "base/listener.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

namespace event_metrics::inline v0 {
namespace {

// A write may raise three signals, each of which ends or stops the process by default: the reader of a pipe is gone, a
// file is as large as it may be, a terminal belongs to another job. Blocked, they let the write fail, or pass.
class QuietWrites {
 public:
  QuietWrites() noexcept {
    sigset_t raised;
    (void)sigemptyset(&raised);
    for (const int signal : {SIGPIPE, SIGXFSZ, SIGTTOU}) (void)sigaddset(&raised, signal);
    (void)sigpending(&pending_);
    (void)::pthread_sigmask(SIG_BLOCK, &raised, &before_);
  }
  ~QuietWrites() { (void)::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  QuietWrites(const QuietWrites&) = delete;
  QuietWrites& operator=(const QuietWrites&) = delete;

  /// Takes back the signal that came with this error, unless the service had one waiting.
  void take_back(int error) const noexcept {
    const int signal = error == EPIPE ? SIGPIPE : SIGXFSZ;
    if ((error != EPIPE && error != EFBIG) || sigismember(&pending_, signal) == 1) return;
    sigset_t raised;
    (void)sigemptyset(&raised);
    (void)sigaddset(&raised, signal);
    const timespec at_once{};
    while (::sigtimedwait(&raised, nullptr, &at_once) < 0 && errno == EINTR) continue;
  }

 private:
  sigset_t pending_;
  sigset_t before_;
};

// A file that can be read as well is not where a shell or a supervisor sends messages: it is one of the service's own,
// which was opened where standard error was missing.
bool is_for_messages(const struct stat& file) noexcept {
  return !S_ISREG(file.st_mode) || (::fcntl(STDERR_FILENO, F_GETFL) & O_ACCMODE) == O_WRONLY;
}

}  // namespace

Listener::Listener(const OnError& on_error) noexcept : on_error_{on_error} {
  struct stat file {};
  was_open_ = ::fstat(STDERR_FILENO, &file) == 0;
  device_ = file.st_dev;
  inode_ = file.st_ino;
}

void Listener::tell(const std::vector<std::string>& messages) const noexcept {
  for (const std::string& message : messages) {
    try {
      if (on_error_) {
        on_error_(message);
      } else {
        write("event-metrics: " + message + "\n");
      }
    } catch (...) {  // NOLINT(bugprone-empty-catch): documented
    }
  }
}

bool Listener::is_standard_error() const noexcept {
  struct stat file {};
  return was_open_ && ::fstat(STDERR_FILENO, &file) == 0 && file.st_dev == device_ && file.st_ino == inode_ &&
         is_for_messages(file);
}

// One write, past stdio: its state and its locks belong to the service. Not into a pipe that is full or has no reader.
void Listener::write(std::string_view line) const noexcept {
  pollfd writable{STDERR_FILENO, POLLOUT, 0};
  if (!is_standard_error() || ::poll(&writable, 1, 0) != 1 || writable.revents != POLLOUT) return;
  const QuietWrites quiet;
  if (::write(STDERR_FILENO, line.data(), line.size()) < 0) quiet.take_back(errno);
}

}  // namespace event_metrics::inline v0

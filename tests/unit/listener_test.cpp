#include "base/listener.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/child.hpp"

namespace event_metrics {
namespace {

const Listener::OnError nobody_listens;
const std::vector<std::string> message{"no agent listens"};

/// Puts `descriptor` in the place of standard error while it lives.
class StandardError {
 public:
  explicit StandardError(int descriptor) : before_{::dup(STDERR_FILENO)} { (void)::dup2(descriptor, STDERR_FILENO); }
  StandardError(const StandardError&) = delete;
  StandardError& operator=(const StandardError&) = delete;
  ~StandardError() {
    (void)::dup2(before_, STDERR_FILENO);
    (void)::close(before_);
  }

 private:
  int before_;
};

struct Pipe {
  Pipe() { (void)::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    for (const int end : ends) (void)::close(end);
  }
  std::string read() const {
    std::string text(100, '\0');
    const ssize_t size = ::read(ends[0], text.data(), text.size());
    text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return text;
  }

  std::array<int, 2> ends{-1, -1};
};

bool pending(int signal) {
  sigset_t signals;
  (void)sigpending(&signals);
  return sigismember(&signals, signal) == 1;
}

bool blocked(int signal) {
  sigset_t signals;
  (void)::pthread_sigmask(SIG_BLOCK, nullptr, &signals);
  return sigismember(&signals, signal) == 1;
}

TEST(Listener, TellsOnErrorAndSwallowsWhatItThrows) {
  std::vector<std::string> heard;
  const Listener::OnError on_error = [&](std::string_view what) {
    heard.emplace_back(what);
    throw std::runtime_error{"from on_error"};
  };
  Listener{on_error}.tell({"one", "two"});
  EXPECT_EQ(heard, (std::vector<std::string>{"one", "two"}));
}

TEST(Listener, WritesALineToStandardErrorWithoutOnError) {
  const Pipe pipe;
  {
    const StandardError here{pipe.ends[1]};
    Listener{nobody_listens}.tell(message);
  }
  EXPECT_EQ(pipe.read(), "event-metrics: no agent listens\n");
}

TEST(Listener, DoesNotWaitForAPipeThatNobodyReads) {
  const Pipe pipe;
  const std::string page(4096, 'x');
  while (::write(pipe.ends[1], page.data(), page.size()) > 0) continue;
  ASSERT_EQ(::fcntl(pipe.ends[1], F_SETFL, 0), 0);  // from here on a write would wait
  const StandardError here{pipe.ends[1]};
  Listener{nobody_listens}.tell(message);
}

TEST(Listener, SurvivesAPipeWhoseReaderIsGone) {
  support::Child service{[] {
    Pipe pipe;
    (void)::dup2(pipe.ends[1], STDERR_FILENO);
    const Listener listener{nobody_listens};
    (void)::close(std::exchange(pipe.ends[0], -1));
    listener.tell(message);
    return pending(SIGPIPE) || blocked(SIGPIPE) ? 1 : 0;
  }};
  EXPECT_EQ(service.status(), 0);
}

/// What the look before a write does not show: a socket that takes no more says that it is writable.
int tell_into_a_shut_socket(const std::function<bool()>& as_it_was) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0) return 1;
  (void)::shutdown(ends[1], SHUT_WR);
  (void)::dup2(ends[1], STDERR_FILENO);
  Listener{nobody_listens}.tell(message);
  return as_it_was() ? 0 : 2;
}

TEST(Listener, TakesItsSigpipeBack) {
  support::Child service{[] { return tell_into_a_shut_socket([] { return !pending(SIGPIPE) && !blocked(SIGPIPE); }); }};
  EXPECT_EQ(service.status(), 0);
}

TEST(Listener, LeavesTheServicesOwnSigpipeWaiting) {
  support::Child service{[] {
    sigset_t pipe;
    (void)sigemptyset(&pipe);
    (void)sigaddset(&pipe, SIGPIPE);
    (void)::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    (void)::raise(SIGPIPE);
    return tell_into_a_shut_socket([] { return pending(SIGPIPE) && blocked(SIGPIPE); });
  }};
  EXPECT_EQ(service.status(), 0);
}

TEST(Listener, SurvivesAFileThatMayNotGrow) {
  support::Child service{[] {
    const int file = ::open("/tmp", O_WRONLY | O_TMPFILE, 0600);
    if (file < 0) return 1;
    (void)::dup2(file, STDERR_FILENO);
    const rlimit none{0, 0};
    (void)::setrlimit(RLIMIT_FSIZE, &none);
    Listener{nobody_listens}.tell(message);
    return pending(SIGXFSZ) ? 2 : 0;
  }};
  EXPECT_EQ(service.status(), 0);
}

TEST(Listener, IsNotStoppedByATerminalOfAnotherJob) {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_GE(terminal, 0);
  ASSERT_EQ(::grantpt(terminal), 0);
  ASSERT_EQ(::unlockpt(terminal), 0);
  const std::string path = ::ptsname(terminal);
  support::Child session{[&path] {
    (void)::setsid();
    const int mine = ::open(path.c_str(), O_RDWR);  // becomes the session's terminal
    termios settings{};
    if (mine < 0 || ::tcgetattr(mine, &settings) != 0) return 1;
    settings.c_lflag |= TOSTOP;
    if (::tcsetattr(mine, TCSANOW, &settings) != 0) return 2;
    const pid_t job = ::fork();
    if (job == 0) {
      (void)::setpgid(0, 0);  // in the background
      (void)::dup2(mine, STDERR_FILENO);
      Listener{nobody_listens}.tell(message);
      ::_exit(0);
    }
    int status = 0;
    (void)::waitpid(job, &status, WUNTRACED);
    if (!WIFSTOPPED(status)) return WEXITSTATUS(status);
    (void)::kill(job, SIGKILL);
    (void)::waitpid(job, &status, 0);
    return 3;
  }};
  EXPECT_EQ(session.status(), 0);
  (void)::close(terminal);
}

TEST(Listener, LeavesAFileAloneThatHasTakenThePlaceOfStandardError) {
  const Pipe pipe;
  const StandardError here{STDERR_FILENO};
  const Listener listener{nobody_listens};
  (void)::dup2(pipe.ends[1], STDERR_FILENO);
  listener.tell(message);
  EXPECT_EQ(pipe.read(), "");
}

TEST(Listener, LeavesAFileAloneThatIsOpenedWhereThereWasNoStandardError) {
  const Pipe pipe;
  const StandardError here{STDERR_FILENO};
  (void)::close(STDERR_FILENO);
  const Listener listener{nobody_listens};
  (void)::dup2(pipe.ends[1], STDERR_FILENO);
  listener.tell(message);
  EXPECT_EQ(pipe.read(), "");
}

// A daemon that has closed standard error gets its number for the next file that it opens, also before there is a
// client.
TEST(Listener, LeavesAFileAloneThatWasOpenedToBeReadToo) {
  std::FILE* const database = std::tmpfile();
  ASSERT_NE(database, nullptr);
  {
    const StandardError here{::fileno(database)};
    Listener{nobody_listens}.tell(message);
  }
  EXPECT_EQ(std::fseek(database, 0, SEEK_END), 0);
  EXPECT_EQ(std::ftell(database), 0);
  (void)std::fclose(database);
}

TEST(Listener, WritesALineIntoALogFile) {
  const int log = ::open("/tmp", O_WRONLY | O_TMPFILE, 0600);
  ASSERT_GE(log, 0);
  {
    const StandardError here{log};
    Listener{nobody_listens}.tell(message);
  }
  EXPECT_EQ(::lseek(log, 0, SEEK_END), 32);
  (void)::close(log);
}

}  // namespace
}  // namespace event_metrics

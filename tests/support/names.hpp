// support/names.hpp - a resolver for tests: names under .test mean what the test says. It takes the place of libc's
// getaddrinfo() in the program that includes it, and passes all other names on.

#pragma once

#include <dlfcn.h>
#include <netdb.h>
#include <signal.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace support {

class Names {
 public:
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);

  /// Never destroyed: a look-up may outlive the program's last test.
  static Names& instance() {
    static Names& names = *new Names;
    return names;
  }

  /// From now on, and for look-ups that hang.
  void answer(const std::string& name, std::vector<std::string> addresses) { say(name, {std::move(addresses), 0}); }
  void fail(const std::string& name, int failure) { say(name, {{}, failure}); }
  void hang(const std::string& name) { say(name, {}); }

  /// Waits until look-ups of `name` have begun `times` times in all.
  void wait_until_asked(const std::string& name, int times) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return asked_[name] >= times; });
  }
  int asked(const std::string& name) {
    const std::lock_guard lock{mutex_};
    return asked_[name];
  }

  int look_up(const std::string& name, const char* service, addrinfo hints, addrinfo** found) {
    std::unique_lock lock{mutex_};
    ++asked_[name];
    changed_.notify_all();
    changed_.wait(lock, [&] { return !said_[name].addresses.empty() || said_[name].failure != 0; });
    hints.ai_flags |= AI_NUMERICHOST;
    for (const std::string& address : said_[name].addresses) {
      if (const int failure = libc()(address.c_str(), service, &hints, found); failure != 0) return failure;
      while (*found != nullptr) found = &(*found)->ai_next;
    }
    return said_[name].failure;
  }

  static Function libc() { return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "getaddrinfo")); }

 private:
  struct Said {
    std::vector<std::string> addresses;
    int failure = 0;
  };

  void say(const std::string& name, Said said) {
    const std::lock_guard lock{mutex_};
    said_[name] = std::move(said);
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Said> said_;
  std::map<std::string, int> asked_;
};

/// The library's threads that look a name up now.
inline int look_up_threads() {
  int count = 0;
  for (const auto& task : std::filesystem::directory_iterator{"/proc/self/task"}) {
    std::string name;
    std::ifstream{task.path() / "comm"} >> name;
    if (name == "event-metr-dns") ++count;
  }
  return count;
}

}  // namespace support

// Weak, because several files of one program may include it.
extern "C" [[gnu::weak]] int getaddrinfo(const char* host, const char* service, const addrinfo* hints,
                                         addrinfo** found) {
  if ((hints->ai_flags & AI_NUMERICHOST) != 0 || !std::string_view{host}.ends_with(".test")) {
    return support::Names::libc()(host, service, hints, found);
  }
  return support::Names::instance().look_up(host, service, *hints, found);
}

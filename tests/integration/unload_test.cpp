// A host loads plugins that hold the library, and unloads them while its threads live on: whatever they have recorded
// in, nobody crashes, nothing is lost, and as many copies as a host may have fit into its process.

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "support/agent.hpp"
#include "support/child.hpp"
#include "support/names.hpp"

namespace {

using namespace std::chrono_literals;
using support::Agent;
using support::Names;
using support::Tally;

constexpr const char* attempts = "notification.delivery.attempts#endpoint:a.io";

class Plugin {
 public:
  explicit Plugin(const std::string& path) : handle_{::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)} {
    if (handle_ == nullptr) throw std::runtime_error{::dlerror()};
  }
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;
  ~Plugin() { (void)::dlclose(handle_); }

  void open(const std::string& address) const { function<void(const char*)>("plugin_open")(address.c_str()); }
  void record() const { function<void()>("plugin_record")(); }
  bool flush() const { return function<bool()>("plugin_flush")(); }
  void abandon() const { function<void()>("plugin_abandon")(); }
  void close() const { function<void()>("plugin_close")(); }

 private:
  template <class Function>
  Function* function(const char* name) const {
    return reinterpret_cast<Function*>(::dlsym(handle_, name));
  }

  void* handle_;
};

std::ptrdiff_t mappings() {
  std::ifstream maps{"/proc/self/maps"};
  return std::count(std::istreambuf_iterator<char>{maps}, {}, '\n');
}
std::ptrdiff_t entries(const char* folder) {
  return std::distance(std::filesystem::directory_iterator{folder}, std::filesystem::directory_iterator{});
}

// One thread outlives every load, and one ends after each unload.
TEST(Unload, AHundredTimesOfTwoCopiesWithThreadsAliveAcross) {
  constexpr int loads = 100;
  const Agent agent;
  std::barrier loaded{2};
  std::barrier recorded{2};
  std::vector<const Plugin*> current;
  std::thread across{[&] {
    for (int i = 0; i < loads; ++i) {
      loaded.arrive_and_wait();
      for (const Plugin* const plugin : current) plugin->record();
      recorded.arrive_and_wait();
    }
  }};
  std::ptrdiff_t mapped = 0;
  std::ptrdiff_t threads = 0;
  std::ptrdiff_t descriptors = 0;
  for (int i = 0; i < loads; ++i) {
    std::atomic<bool> unloaded{false};
    std::thread ends_after;
    {
      const Plugin one{PLUGIN_ONE};
      const Plugin two{PLUGIN_TWO};
      current = {&one, &two};
      for (const Plugin* const plugin : current) plugin->open(agent.address());
      loaded.arrive_and_wait();
      recorded.arrive_and_wait();
      std::atomic<bool> done{false};
      ends_after = std::thread{[&] {
        for (const Plugin* const plugin : current) plugin->record();
        done = true;
        done.notify_one();
        unloaded.wait(false);
      }};
      done.wait(false);
      for (const Plugin* const plugin : current) plugin->record();
      for (const Plugin* const plugin : current) plugin->close();
    }
    unloaded = true;
    unloaded.notify_one();
    ends_after.join();
    support::Child child{[] { return 0; }};  // goes through the handlers of both
    EXPECT_EQ(child.status(), 0);
    if (i == 10) {
      mapped = mappings();
      threads = entries("/proc/self/task");
      descriptors = entries("/proc/self/fd");
    }
  }
  across.join();
  EXPECT_LT(mappings(), mapped + 50);
  EXPECT_EQ(entries("/proc/self/task"), threads - 1);
  EXPECT_EQ(entries("/proc/self/fd"), descriptors);
  EXPECT_TRUE(agent.wait_for([](const Tally& tally) { return tally.counter(attempts) == loads * 2 * 3; }));
}

// What the plugin's code has begun goes on: its own thread, and the look-up of a name.
TEST(Unload, LeavesThePluginsThreadsWhereTheyAre) {
  const Agent agent;
  {
    const Plugin plugin{PLUGIN_ONE};
    plugin.open(agent.address());
    plugin.record();
    plugin.abandon();
  }
  EXPECT_TRUE(agent.wait_for([](const Tally& tally) { return tally.counter(attempts) == 1; }));
  Names::instance().hang("plugin.test");
  {
    const Plugin plugin{PLUGIN_TWO};
    plugin.open("udp://plugin.test:8125");
    Names::instance().wait_until_asked("plugin.test", 1);
    plugin.close();
  }
  Names::instance().fail("plugin.test", EAI_NONAME);
  EXPECT_TRUE(support::eventually([] { return support::look_up_threads() == 0; }));
}

// They share what the process has of memory for threads that is there from the start.
TEST(Unload, IsNotNeededForSixteenCopies) {
  const Agent agent;
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("plugins-" + std::to_string(::getpid()));
  std::filesystem::create_directory(folder);
  std::vector<std::unique_ptr<Plugin>> plugins;
  for (int i = 0; i < 16; ++i) {
    const std::filesystem::path copy = folder / (std::to_string(i) + ".so");
    std::filesystem::copy_file(PLUGIN_ONE, copy);
    ASSERT_NO_THROW(plugins.push_back(std::make_unique<Plugin>(copy))) << "copy " << i;
    plugins.back()->open(agent.address());
    plugins.back()->record();
    std::thread{[&] { plugins.back()->record(); }}.join();
    plugins.back()->close();
  }
  std::filesystem::remove_all(folder);
  EXPECT_TRUE(agent.wait_for([](const Tally& tally) { return tally.counter(attempts) == 32; }));
}

}  // namespace

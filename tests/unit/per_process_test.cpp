#include "client/per_process.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <system_error>

#include "support/child.hpp"

namespace event_metrics {
namespace {

using namespace std::chrono_literals;

struct World {
  bool memory = true;
  bool threads = true;
  std::string done;  // by the engines, in one letter each
};

class FakeEngine {
 public:
  FakeEngine(World& world, bool in_child) : world_{world} {
    if (!world.memory) throw std::bad_alloc{};
    world.done += in_child ? 'c' : 'p';
  }
  ~FakeEngine() { world_.done += 'd'; }
  FakeEngine(const FakeEngine&) = delete;
  FakeEngine& operator=(const FakeEngine&) = delete;

  void start() {
    if (!world_.threads) throw std::system_error{EAGAIN, std::generic_category()};
    world_.done += 's';
  }
  void tell_late(int error) { late = error; }
  void leave_to_parent() const { world_.done += 'l'; }

  int late = 0;

 private:
  World& world_;
};

struct Rig {
  explicit Rig(bool own_thread) {
    engine.emplace(
        recorder, [this](bool in_child) { return std::make_unique<FakeEngine>(world, in_child); }, own_thread);
  }

  World world;
  static constexpr record::Recorder::Limits limits{
      .rows = 1, .further_lines = 0, .memory = {.bytes = 16U << 20U, .reader_share = 1}};
  record::Recorder recorder{limits, [this](bool first) { return engine->begin_in_child(first); },
                            record::Recorder::new_arena(limits)};
  std::optional<PerProcess<FakeEngine>> engine;
};

TEST(PerProcess, MakesStartsAndDestroysTheFirst) {
  Rig rig{true};
  EXPECT_NE(rig.engine->present(), nullptr);
  EXPECT_EQ(rig.engine->here(), rig.engine->present());
  rig.engine->end();
  EXPECT_EQ(rig.engine->present(), nullptr);
  rig.engine.reset();
  EXPECT_EQ(rig.world.done, "psd");
}

TEST(PerProcess, StartsNothingWithoutAThreadOfItsOwn) {
  Rig rig{false};
  EXPECT_TRUE(rig.engine->begin_in_child(true));
  EXPECT_EQ(rig.world.done, "plc");
}

TEST(PerProcess, LeavesTheParentsAloneAndMakesAnother) {
  Rig rig{true};
  const FakeEngine* const parents = rig.engine->present();
  EXPECT_TRUE(rig.engine->begin_in_child(true));
  EXPECT_EQ(rig.world.done, "pslcs");
  EXPECT_NE(rig.engine->present(), parents);
  EXPECT_EQ(rig.engine->present()->late, 0);
}

TEST(PerProcess, TriesAgainWithoutMemoryAndTellsTheEngineThenMade) {
  Rig rig{true};
  rig.world.memory = false;
  EXPECT_FALSE(rig.engine->begin_in_child(true));
  EXPECT_EQ(rig.engine->error(), ENOMEM);
  EXPECT_EQ(rig.engine->here_by(record::Recorder::Clock::now() + 1ms), nullptr);
  rig.world.memory = true;
  EXPECT_TRUE(rig.engine->begin_in_child(false));
  EXPECT_EQ(rig.world.done, "pslcs");
  EXPECT_EQ(rig.engine->present()->late, ENOMEM);
}

TEST(PerProcess, KeepsAnEngineThatFindsNoThreadAndTellsIt) {
  Rig rig{true};
  rig.world.threads = false;
  EXPECT_FALSE(rig.engine->begin_in_child(true));
  ASSERT_NE(rig.engine->present(), nullptr);
  EXPECT_EQ(rig.engine->present()->late, EAGAIN);
  rig.world.threads = true;
  EXPECT_TRUE(rig.engine->begin_in_child(false));
  EXPECT_EQ(rig.world.done, "pslcs");
}

TEST(PerProcess, ForgetsInAGrandchildWhatTheChildLacked) {
  Rig rig{true};
  rig.world.threads = false;
  EXPECT_FALSE(rig.engine->begin_in_child(true));
  rig.world.threads = true;
  EXPECT_TRUE(rig.engine->begin_in_child(true));
  EXPECT_EQ(rig.engine->error(), 0);
  EXPECT_EQ(rig.engine->present()->late, 0);
}

TEST(PerProcess, IsItsParentsInAChildThatNeverUsedIt) {
  Rig rig{true};
  EXPECT_EQ((support::Child{[&] {
               rig.engine.reset();
               return rig.world.done == "psl" ? 0 : 1;
             }}.status()),
            0);
  EXPECT_EQ((support::Child{[&] {
               (void)rig.engine->here();
               rig.engine.reset();
               return rig.world.done == "pslcsd" ? 0 : 1;
             }}.status()),
            0);
}

}  // namespace
}  // namespace event_metrics

#include "wire/tags.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace event_metrics::wire {
namespace {

using namespace std::string_literals;
using statsd::Agent;
using statsd::Tag;

const AgentRules& datadog = rules_of(Agent::datadog);
const AgentRules& telegraf = rules_of(Agent::telegraf);
const AgentRules& exporter = rules_of(Agent::statsd_exporter);
const AgentRules& graphite = rules_of(Agent::graphite);
const AgentRules& cloudwatch = rules_of(Agent::cloudwatch);
const AgentRules& vector = rules_of(Agent::vector);
const AgentRules& gostatsd = rules_of(Agent::gostatsd);

TEST(CleanValue, ReplacesWhatEndsATagOrALine) {
  for (const AgentRules& rules : all_rules()) {
    EXPECT_EQ(clean_value("a|b,c\nd\re\tf g\x7fh", rules), "a_b_c_d_e_f_g_h") << rules.name;
    EXPECT_EQ(clean_value("a\0b"s, rules), "a_b") << rules.name;
    EXPECT_EQ(clean_value("x|@0.001|#y:z\nevil:1|c", rules).find_first_of("|,\n"), std::string::npos) << rules.name;
  }
}

TEST(CleanValue, NeverAddsOrDropsAByte) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  for (const AgentRules& rules : all_rules()) EXPECT_EQ(clean_value(all, rules).size(), 256U) << rules.name;
}

TEST(CleanValue, KeepsPunctuationThatTheAgentKeeps) {
  EXPECT_EQ(clean_value("[2001:db8::1]:8080/a=b;c~d#e@f", datadog), "[2001:db8::1]:8080/a=b;c~d#e@f");
  EXPECT_EQ(clean_value("[2001:db8::1]:8080/a=b;c~d#e@f", telegraf), "[2001:db8::1]:8080/a=b;c~d#e@f");
  EXPECT_EQ(clean_value("[2001:db8::1]:8080/a=b;c~d#e@f", exporter), "[2001:db8::1]:8080/a=b;c~d#e@f");
  EXPECT_EQ(clean_value("[2001:db8::1]:8080/a=b;c~d#e@f", cloudwatch), "[2001:db8::1]:8080/a=b;c~d#e@f");
  EXPECT_EQ(clean_value("[2001:db8::1]:8080/a=b;c~d#e@f", vector), "[2001:db8::1]:8080/a=b;c~d#e@f");
  EXPECT_EQ(clean_value("[2001:db8::1]:8080/a=b;c~d#e@f", gostatsd), "[2001:db8::1]:8080/a=b;c~d#e@f");
  EXPECT_EQ(clean_value("hooks-2.example.com:8080", graphite), "hooks-2.example.com_8080");
  EXPECT_EQ(clean_value("~[::1];a=b", graphite), "____1__a_b");
}

TEST(CleanValue, KeepsValidUtf8WhereTheAgentDoes) {
  const std::string text = "b\u00fccher \u20ac \U0001f600";
  EXPECT_EQ(clean_value(text, datadog), "b\u00fccher_\u20ac_\U0001f600");
  EXPECT_EQ(clean_value(text, exporter), "b\u00fccher_\u20ac_\U0001f600");
  EXPECT_EQ(clean_value(text, vector), "b\u00fccher_\u20ac_\U0001f600");
  EXPECT_EQ(clean_value(text, gostatsd), "b\u00fccher_\u20ac_\U0001f600");
  EXPECT_EQ(clean_value(text, cloudwatch), "b__cher_________");
  EXPECT_EQ(clean_value(text, telegraf), "b__cher_________");
  EXPECT_EQ(clean_value(text, graphite), "b__cher_________");
}

TEST(CleanValue, ReplacesEachByteThatIsNoUtf8) {
  EXPECT_EQ(clean_value("a\xff"
                        "b\x80"
                        "c",
                        exporter),
            "a_b_c");
  EXPECT_EQ(clean_value("\xc3", exporter), "_") << "cut off";
  EXPECT_EQ(clean_value("\xe2\x82", exporter), "__") << "cut off";
  EXPECT_EQ(clean_value("\xf0\x9f\x98", exporter), "___") << "cut off";
  EXPECT_EQ(clean_value("\xc3|\xb6", exporter), "___") << "torn by a separator";
  EXPECT_EQ(clean_value("\xc0\xbc", exporter), "__") << "overlong";
  EXPECT_EQ(clean_value("\xc1\xbf", exporter), "__") << "overlong";
  EXPECT_EQ(clean_value("\xe0\x9f\xbf", exporter), "___") << "overlong";
  EXPECT_EQ(clean_value("\xf0\x8f\xbf\xbf", exporter), "____") << "overlong";
  EXPECT_EQ(clean_value("\xed\xa0\x80", exporter), "___") << "a surrogate";
  EXPECT_EQ(clean_value("\xf4\x90\x80\x80", exporter), "____") << "above U+10FFFF";
  EXPECT_EQ(clean_value("\xf5\x80\x80\x80", exporter), "____") << "above U+10FFFF";
}

TEST(CleanValue, KeepsTheFirstAndLastCharacterOfEachUtf8Length) {
  for (const std::string text :
       {"\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff", "\U00010000", "\U0010ffff"}) {
    EXPECT_EQ(clean_value(text, datadog), text);
  }
}

TEST(CleanKey, KeepsWhatTheAgentKeeps) {
  EXPECT_EQ(clean_key("kube_app.version-2/x", datadog), "kube_app.version-2/x");
  EXPECT_EQ(clean_key("kube_app.version-2/x", telegraf), "kube_app.version-2_x");
  EXPECT_EQ(clean_key("kube_app.version-2/x", graphite), "kube_app.version-2_x");
  EXPECT_EQ(clean_key("kube_app.version-2/x", exporter), "kube_app_version_2_x");
}

TEST(CleanKey, ReplacesWhatEndsAKeyOrALine) {
  for (const AgentRules& rules : all_rules()) {
    EXPECT_EQ(clean_key("a:b|c,d\ne;f=g h\xc3\xb6", rules), "a_b_c_d_e_f_g_h__") << rules.name;
    EXPECT_EQ(clean_key("a\0b"s, rules), "a_b") << rules.name;
  }
}

TEST(CleanKey, PutsTagBeforeAKeyThatDoesNotBeginWithALetter) {
  for (const AgentRules& rules : all_rules()) {
    EXPECT_EQ(clean_key("9lives", rules), "tag_9lives") << rules.name;
    EXPECT_EQ(clean_key("_x", rules), "tag__x") << rules.name;
    EXPECT_EQ(clean_key("__name__", rules), "tag___name__") << rules.name;
    EXPECT_EQ(clean_key("|x", rules), "tag__x") << rules.name;
    EXPECT_EQ(clean_key("\xc3\xb6", rules), "tag___") << rules.name;
    EXPECT_EQ(clean_key("", rules), "tag_") << rules.name;
  }
}

TEST(CleanKey, PutsTagBeforeWhatTheAgentTakesForItself) {
  EXPECT_EQ(clean_key("host", datadog), "tag_host");
  EXPECT_EQ(clean_key("device", datadog), "tag_device");
  EXPECT_EQ(clean_key("dd.internal.entity_id", datadog), "tag_dd.internal.entity_id");
  EXPECT_EQ(clean_key("host", telegraf), "tag_host");
  EXPECT_EQ(clean_key("metric_type", telegraf), "tag_metric_type");
  EXPECT_EQ(clean_key("quantile", exporter), "tag_quantile");
  EXPECT_EQ(clean_key("le", exporter), "tag_le");
  EXPECT_EQ(clean_key("name", graphite), "tag_name");
  EXPECT_EQ(clean_key("host", cloudwatch), "tag_host");
  EXPECT_EQ(clean_key("metric_type", cloudwatch), "tag_metric_type");
  EXPECT_EQ(clean_key("host", gostatsd), "tag_host");
}

TEST(CleanKey, LeavesAloneWhatOnlyAnotherAgentTakes) {
  EXPECT_EQ(clean_key("quantile", datadog), "quantile");
  EXPECT_EQ(clean_key("device", telegraf), "device");
  EXPECT_EQ(clean_key("host", exporter), "host");
  EXPECT_EQ(clean_key("le", graphite), "le");
  EXPECT_EQ(clean_key("dd.internal.x", graphite), "dd.internal.x");
  EXPECT_EQ(clean_key("host", vector), "host");
  EXPECT_EQ(clean_key("hostname", datadog), "hostname");
}

TEST(TagSuffix, JoinsCleanTags) {
  const std::vector<Tag> tags = {{"env", "prod|x"}, {"host", "a,b"}, {"9", "1:2"}};
  EXPECT_EQ(tag_suffix(datadog, tags), "|#env:prod_x,tag_host:a_b,tag_9:1:2");
  EXPECT_EQ(tag_suffix(graphite, tags), "|#env:prod_x,host:a_b,tag_9:1_2");
}

TEST(TagSuffix, WritesABareTagAsItsKey) {
  const std::vector<Tag> tags = {{"canary", ""}, {"env", "prod"}};
  EXPECT_EQ(tag_suffix(datadog, tags), "|#canary,env:prod");
  EXPECT_EQ(tag_suffix(vector, tags), "|#canary,env:prod");
  EXPECT_EQ(tag_suffix(gostatsd, tags), "|#canary,env:prod");
}

TEST(TagSuffix, IsEmptyWithoutTags) {
  for (const AgentRules& rules : all_rules()) EXPECT_EQ(tag_suffix(rules, {}), "") << rules.name;
}

TEST(TagSuffix, IsEmptyWhereTheAgentHasNone) {
  const std::vector<Tag> tags = {{"env", "prod"}};
  for (const Agent agent : {Agent::etsy, Agent::plain, Agent::collectd, Agent::netdata}) {
    EXPECT_EQ(tag_suffix(rules_of(agent), tags), "") << to_string(agent);
  }
}

}  // namespace
}  // namespace event_metrics::wire

#include "delivery/host_key.hpp"

#include "delivery/scan.hpp"

namespace event_metrics::inline v0::delivery {
namespace {

constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equals_lower(std::string_view text, std::string_view lower_case) noexcept {
  if (text.size() != lower_case.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (lower(text[i]) != lower_case[i]) return false;
  }
  return true;
}

// A "://" further on belongs to a query: what stands before it must be able to be a scheme.
bool can_be_scheme(std::string_view text) noexcept {
  if (text.empty()) return false;
  for (const char c : text) {
    const char l = lower(c);
    const bool allowed = (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
    if (!allowed) return false;
  }
  return true;
}

Scheme scheme_of(std::string_view text) noexcept {
  if (equals_lower(text, "https") || equals_lower(text, "wss")) return Scheme::https;
  if (equals_lower(text, "http") || equals_lower(text, "ws")) return Scheme::http;
  return Scheme::other;
}

struct SplitScheme {
  Scheme scheme;
  std::size_t end;  ///< behind `://`; 0 when there is none
};

SplitScheme split_scheme(std::string_view url) noexcept {
  if (url.starts_with("https://")) return {Scheme::https, 8};  // nearly every webhook: not worth a scan
  if (url.starts_with("http://")) return {Scheme::http, 7};
  const std::size_t colon = url.find(':');
  if (colon == std::string_view::npos || url.substr(colon, 3) != "://") return {Scheme::other, 0};
  const std::string_view scheme = url.substr(0, colon);
  return {scheme_of(scheme), can_be_scheme(scheme) ? colon + 3 : 0};
}

constexpr bool is_white_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && is_white_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_white_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

HostKey host_key(std::string_view url) noexcept {
  url = trimmed(url);
  const auto [scheme, after_scheme] = split_scheme(url);
  if (after_scheme == 0) return {};
  const auto next_decisive = [url](std::size_t from) {
    return find_byte<OneOf<'/', '?', '#', '@', '\\'>, true>(url, from);
  };
  std::size_t begin = after_scheme;
  std::size_t end = next_decisive(begin);
  for (; end < url.size() && url[end] == '@'; end = next_decisive(begin)) begin = end + 1;
  if (begin == end || (end < url.size() && url[end] == '\\')) return {};
  return {.authority = url.substr(begin, end - begin),
          .scheme = scheme,
          .spelling = url.substr(0, begin == after_scheme ? end : 0)};
}

}  // namespace event_metrics::inline v0::delivery

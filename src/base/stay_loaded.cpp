#include "base/stay_loaded.hpp"

#include <dlfcn.h>
#include <link.h>

namespace event_metrics::inline v0 {

#ifdef __GLIBC__
// Weak: a program that is linked statically need not have them.
#pragma weak dladdr1
#pragma weak dlopen

void stay_loaded() noexcept {
  if (&::dladdr1 == nullptr || &::dlopen == nullptr) return;
  Dl_info symbol{};
  void* found = nullptr;
  if (::dladdr1(reinterpret_cast<const void*>(&stay_loaded), &symbol, &found, RTLD_DL_LINKMAP) == 0) return;
  const auto* const object = static_cast<const link_map*>(found);
  if (object == nullptr || object->l_name[0] == '\0') return;  // the program itself, which is never unloaded
  // The handle is not given back. Where NODELETE should not be known, it keeps the object loaded as well.
  (void)::dlopen(object->l_name, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}
#else
void stay_loaded() noexcept {}  // musl never unloads
#endif

}  // namespace event_metrics::inline v0

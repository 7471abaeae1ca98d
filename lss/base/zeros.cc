#include "lss/base/zeros.h"

#include "lss/base/types.h"

namespace lss {
namespace {

alignas(kPageBytes) char g_zeros[kZerosBytes];

}  // namespace

const char* Zeros() { return g_zeros; }

}  // namespace lss

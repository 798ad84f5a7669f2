// SPDX-License-Identifier: Apache-2.0
#include "millrace/adders/certificate.h"

namespace millrace::adders {

Certificate certify(const AdderGraph&, const Matrix&, std::span<const Range>) {
  return {};
}

}  // namespace millrace::adders

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "millrace/report/build_directory.h"
#include "millrace/report/published.h"
#include "millrace/report/table.h"

namespace millrace::report {

/// The figures of a build beside the published ones (where there are any): one row a quantity,
/// one column a published design, then ours and how many times less the last published one needs.
Table compare(const Build& build, const std::optional<Published>& published);

/// Which images the two areas under the ROC curve come from; empty without published ones.
std::string comparison_note(const Build& build, const std::optional<Published>& published);

}  // namespace millrace::report

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "millrace/report/build_directory.h"
#include "millrace/report/published.h"

namespace millrace::report {

/// The report as one page that needs nothing else: styles, scripts and plots are inside.
/// Errors   Millrace's own style sheet is missing.
Result<std::string> render_page(const Build& build, const std::optional<Published>& published);

/// The report as JSON: every record of the build, and the published figures.
std::string render_summary(const Build& build, const std::optional<Published>& published);

/// Writes report.html and report.json into a build directory.
/// Errors   not a build directory; a damaged file in it; not writable.
Status write_report(const std::filesystem::path& directory);

}  // namespace millrace::report

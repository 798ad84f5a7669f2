// SPDX-License-Identifier: Apache-2.0
#include "millrace/cosim/tool.h"

#include <array>
#include <fmt/format.h>
#include <fstream>
#include <system_error>

#include "millrace/cosim/messages.h"
#include "millrace/support/messages.h"

namespace millrace::cosim {

namespace fs = std::filesystem;

Status run_tool(const ToolCall& call) {
  ProcessOptions options;
  options.working_directory = call.working_directory;
  MR_TRY(const ProcessResult result, run_process(call.program, call.arguments, options));
  add_to_log(call.log, fmt::format("{} {}", call.program, fmt::join(call.arguments, " ")),
             result.output);
  if (result.exit_code != 0)
    return error(messages::BuildFailed, call.log.string(), call.tool,
                 first_error_line(result.output));
  return {};
}

void add_to_log(const fs::path& log, std::string_view command, std::string_view output) {
  std::ofstream(log, std::ios::app) << "$ " << command << '\n' << output;
}

std::string first_error_line(std::string_view output) {
  constexpr std::array<std::string_view, 4> Signs{"%Error", "%Warning", "error", "ERROR"};
  std::string_view last = "no output";
  while (!output.empty()) {
    const size_t end = std::min(output.find('\n'), output.size());
    const std::string_view line = output.substr(0, end);
    output.remove_prefix(std::min(end + 1, output.size()));
    for (const std::string_view sign : Signs)
      if (line.find(sign) != std::string_view::npos)
        return std::string(line);
    if (!line.empty())
      last = line;
  }
  return std::string(last);
}

Status make_directory(const fs::path& path) {
  std::error_code code;
  fs::create_directories(path, code);
  if (code)
    return error(support::messages::DirectoryNotWritable, path.string(), code.message());
  return {};
}

}  // namespace millrace::cosim

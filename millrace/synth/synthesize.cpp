// SPDX-License-Identifier: Apache-2.0
#include "millrace/synth/synthesize.h"

#include <cstdlib>
#include <system_error>

#include "millrace/support/files.h"
#include "millrace/support/messages.h"
#include "millrace/support/subprocess.h"
#include "millrace/synth/messages.h"
#include "millrace/synth/yosys_script.h"

namespace millrace::synth {

namespace fs = std::filesystem;

namespace {

/// Yosys's first word about what is wrong.
std::string first_error_line(std::string_view output) {
  const size_t start = output.find("ERROR");
  if (start == std::string_view::npos)
    return "it ended without saying why";
  return std::string(output.substr(start, output.find('\n', start) - start));
}

}  // namespace

Result<Area> synthesize(const SynthesisRequest& request, const ProgressFunction& progress) {
  std::error_code code;
  fs::create_directories(request.work_dir, code);
  if (code)
    return error(support::messages::DirectoryNotWritable, request.work_dir.string(),
                 code.message());
  const fs::path work_dir = fs::absolute(request.work_dir);
  const fs::path script = work_dir / "synth.ys";
  const fs::path log = work_dir / "yosys.log";
  const fs::path report = work_dir / ReportName;
  fs::remove(report, code);  // an earlier run's must not be read as this one's
  MR_TRY_STATUS(write_file(script, make_script(request)));

  for (size_t i = 0; i < request.include_dirs.size(); ++i) {
    fs::remove(work_dir / include_link(i), code);
    fs::create_directory_symlink(fs::absolute(request.include_dirs[i]), work_dir / include_link(i),
                                 code);
    if (code)
      return error(support::messages::FileNotWritable, (work_dir / include_link(i)).string(),
                   code.message());
  }

  std::vector<std::string> arguments = yosys_options();
  for (const std::string& argument : {std::string("-l"), log.string(), script.string()})
    arguments.push_back(argument);
  ProcessOptions options;
  options.working_directory = work_dir;
  options.on_line = [&](std::string_view line) {
    const auto step = parse_step(line);
    return !step || report_progress(progress, step->name, step->fraction);
  };
  MR_TRY(const ProcessResult result, run_process("yosys", arguments, options));
  if (result.exit_code != 0)
    return error(messages::YosysFailed, log.string(), first_error_line(result.output));
  MR_TRY(const std::string text, read_file(report));
  MR_TRY(const Area area, parse_area(text, request.top));
  report_progress(progress, "count", 1.0);
  return area;
}

Result<fs::path> find_cell_models() {
  const auto yosys = find_program("yosys");
  if (!yosys)
    return error(support::messages::ProgramMissing, "yosys", "");
  std::error_code code;
  fs::path models = fs::canonical(*yosys, code).parent_path().parent_path() / "share" / "yosys" /
                    "xilinx" / "cells_sim.v";
  if (!fs::is_regular_file(models, code))
    return error(support::messages::FileMissing, models.string());
  return models;
}

}  // namespace millrace::synth

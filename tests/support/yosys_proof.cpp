// SPDX-License-Identifier: Apache-2.0
#include "tests/support/yosys_proof.h"

#include <algorithm>

#include "millrace/support/check.h"
#include "millrace/support/files.h"
#include "millrace/synth/synthesize.h"

namespace millrace::testing {
namespace {

namespace fs = std::filesystem;

const fs::path& library() {
  static const fs::path path = fs::path(MILLRACE_SOURCE_DIR) / "rtl";
  return path;
}

std::string read_text(const fs::path& path) {
  const auto text = read_file(path);
  check(text.has_value(), "a test's file cannot be read");
  return *text;
}

}  // namespace

std::string Mutation::apply(std::string source) const {
  const size_t place = source.find(text);
  check(place != std::string::npos, "a mutation's text is not in the module");
  return source.replace(place, std::string_view(text).size(), other);
}

std::string library_source(std::string_view file) {
  return read_text(library() / file);
}

std::string cell_models(std::initializer_list<std::string_view> cells) {
  const auto path = synth::find_cell_models();
  check(path.has_value(), "Yosys has no cell models");
  const std::string all = read_text(*path);
  std::string models;
  for (const std::string_view cell : cells) {
    const size_t begin = all.find("module " + std::string(cell) + "(");
    check(begin != std::string::npos, "Yosys has no model of a cell");
    const size_t end = std::min(all.find("specify", begin), all.find("endmodule", begin));
    models += all.substr(begin, end - begin) + "endmodule\n";
  }
  return models;
}

ProcessResult run_yosys(const std::string& script, const std::map<std::string, std::string>& files,
                        const fs::path& folder) {
  const auto write = [&](const std::string& name, const std::string& text) {
    check(write_file(folder / name, text).has_value(), "a test's file cannot be written");
  };
  for (const auto& [name, text] : files)
    write(name, text);
  write("prove.ys", script);
  std::error_code ignored;
  fs::create_directory_symlink(library(), folder / "rtl", ignored);
  ProcessOptions options;
  options.working_directory = folder;
  options.timeout_seconds = 200;
  const auto result = run_process("yosys", {"-q", "-e", ".", "prove.ys"}, options);
  check(result.has_value(), "Yosys did not run");
  return *result;
}

}  // namespace millrace::testing

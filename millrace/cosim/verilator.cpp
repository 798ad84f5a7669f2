// SPDX-License-Identifier: Apache-2.0
#include "millrace/cosim/verilator.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fmt/format.h>
#include <functional>
#include <system_error>
#include <thread>
#include <unistd.h>

#include "millrace/cosim/tool.h"
#include "millrace/support/files.h"

namespace millrace::cosim {

namespace fs = std::filesystem;

namespace {

using Arguments = std::vector<std::string>;

constexpr std::string_view Compiler = "g++";

/// Where the pieces of one build are. Commands run in `model`, with paths relative to it where
/// they name the design, so that ccache knows a circuit again in another folder.
struct Places {
  fs::path model;  ///< Verilator's output
  fs::path log;
  fs::path harness;  ///< the folder of verilator_harness.cpp
  fs::path include;  ///< Verilator's own C++ files
};

Arguments compile_flags(const Places& places) {
  return {"-std=c++17",
          "-O1",
          "-w",
          "-pthread",
          "-fno-gnu-unique",
          "-DVM_COVERAGE=0",
          "-DVM_TRACE=0",
          "-DVM_SC=0",
          "-I" + places.include.string(),
          "-I" + (places.include / "vltstd").string(),
          "-I" + places.harness.string()};
}

Status compile(const Places& places, const fs::path& directory, const Arguments& more) {
  ToolCall call{"g++", std::string(Compiler), compile_flags(places), directory, places.log};
  call.arguments.insert(call.arguments.end(), more.begin(), more.end());
  return run_tool(call);
}

/// As compile(), through ccache where it is installed.
Status compile_cached(const Places& places, const Arguments& more) {
  if (!find_program("ccache"))
    return compile(places, places.model, more);
  // Without these ccache refuses a precompiled header.
  ToolCall call{"g++",
                "env",
                {"CCACHE_SLOPPINESS=pch_defines,time_macros", "ccache"},
                places.model,
                places.log};
  call.arguments.emplace_back(Compiler);
  for (const Arguments& list : {compile_flags(places), more})
    call.arguments.insert(call.arguments.end(), list.begin(), list.end());
  return run_tool(call);
}

Status verilate(const Design& design, const Places& places) {
  ToolCall call{"Verilator", "verilator", {}, places.model, places.log};
  call.arguments = {"--cc",
                    "--assert",
                    "--x-initial",
                    "unique",
                    "--x-assign",
                    "unique",
                    "--prefix",
                    "Vtop",
                    "--top-module",
                    design.top,
                    "--output-split",
                    "5000",
                    "--output-split-cfuncs",
                    "500",
                    "--Mdir",
                    "."};
  if (design.is_netlist) {
    for (const char* argument : {"-Wno-fatal", "-Wno-lint", "-Wno-style", "-Werror-UNOPTFLAT"})
      call.arguments.emplace_back(argument);
    call.arguments.push_back((places.harness / "netlist.vlt").string());
  } else {
    call.arguments.emplace_back("-Wall");
  }
  for (const fs::path& directory : design.include_dirs)
    call.arguments.push_back("-I" + fs::relative(directory, places.model).string());
  for (const fs::path& source : design.sources)
    call.arguments.push_back(fs::relative(source, places.model).string());
  return run_tool(call);
}

/// The folder of Verilator's C++ runtime, as the makefile that it wrote says.
Result<fs::path> find_runtime_sources(const Places& places) {
  constexpr std::string_view Key = "VERILATOR_ROOT = ";
  MR_TRY(const std::string makefile, read_file(places.model / "Vtop.mk"));
  const size_t start = makefile.find(Key);
  if (start == std::string::npos)
    return fs::path("/usr/share/verilator/include");
  const size_t end = makefile.find('\n', start);
  return fs::path(makefile.substr(start + Key.size(), end - start - Key.size())) / "include";
}

fs::path cache_root(const Places& places) {
  std::error_code code;
  for (const auto& [variable, below] : {std::pair{"XDG_CACHE_HOME", ""}, {"HOME", ".cache"}})
    if (const char* value = std::getenv(variable); value && *value) {
      const fs::path root = fs::path(value) / below / "millrace";
      if (fs::create_directories(root, code); !code && ::access(root.c_str(), W_OK) == 0)
        return root;
    }
  return places.model.parent_path();
}

Result<std::string> compiler_version() {
  MR_TRY(const ProcessResult result,
         run_process(std::string(Compiler), {"-dumpfullversion", "-dumpmachine"}));
  return result.output;
}

/// A name for everything that the runtime's objects depend on.
Result<std::string> runtime_name(const Places& places) {
  MR_TRY(std::string all, compiler_version());
  for (const fs::path& file :
       {places.include / "verilated.cpp", places.include / "verilated_config.h",
        places.harness / "verilator_harness.cpp", places.harness / "verilator_model.h"}) {
    MR_TRY(const std::string text, read_file(file));
    all += text;
  }
  for (const std::string& flag : compile_flags(places))
    all += flag + '\n';
  return fmt::format("verilator-{:016x}", std::hash<std::string>{}(all));
}

/// Compiles what does not depend on the circuit, unless a run before has done so.
Result<fs::path> provide_runtime(const Places& places) {
  MR_TRY(const std::string name, runtime_name(places));
  fs::path runtime = cache_root(places) / name;
  std::error_code code;
  if (fs::is_directory(runtime, code))
    return runtime;
  const fs::path draft = runtime.string() + fmt::format(".{}", ::getpid());
  MR_TRY_STATUS(make_directory(draft));
  MR_TRY_STATUS(write_file(draft / "prefix.h", "#include \"verilated.h\"\n"));
  MR_TRY_STATUS(compile(places, draft, {"-x", "c++-header", "prefix.h", "-o", "prefix.h.gch"}));
  for (const fs::path& source :
       {places.include / "verilated.cpp", places.include / "verilated_threads.cpp",
        places.harness / "verilator_harness.cpp"})
    MR_TRY_STATUS(
        compile(places, draft, {"-c", source.string(), "-o", source.stem().string() + ".o"}));
  fs::rename(draft, runtime, code);
  if (code)  // another process was faster
    fs::remove_all(draft, code);
  return runtime;
}

/// What Verilator calls a port in C++: it keeps "__" for itself.
std::string cpp_name(std::string_view port) {
  std::string name;
  for (size_t i = 0; i < port.size(); ++i) {
    const bool is_pair = port.substr(i, 2) == "__";
    name += is_pair ? "___05F" : std::string(1, port[i]);
    i += is_pair ? 1 : 0;
  }
  return name;
}

/// Writes the list of the circuit's ports that verilator_model.cpp includes.
Status write_ports(const Design& design, const Places& places) {
  std::string text;
  const auto add_side = [&text](std::string_view side, char suffix,
                                const std::vector<Port>& ports) {
    for (size_t i = 0; i < ports.size(); ++i)
      text += fmt::format("MILLRACE_{}({}, {}, {}, {})\n", side, i,
                          cpp_name(fmt::format("{}_valid_{}", ports[i].prefix, suffix)),
                          cpp_name(fmt::format("{}_data_{}", ports[i].prefix, suffix)),
                          ports[i].stream.beat_bits());
  };
  add_side("INPUT", 'i', design.inputs);
  add_side("OUTPUT", 'o', design.outputs);
  return write_file(places.model / "verilator_ports.inc", text);
}

/// Writes translation units that include all of Verilator's output and the harness's joint: one for
/// a small circuit; several for a large one, because g++ takes more than twice the time for twice
/// the text. Gives their names.
Result<std::vector<std::string>> write_units(const Places& places) {
  constexpr uintmax_t MaxBytes = 500'000;
  std::vector<fs::path> sources;
  for (const fs::directory_entry& entry : fs::directory_iterator(places.model))
    if (entry.path().extension() == ".cpp")
      sources.push_back(entry.path());
  std::sort(sources.begin(), sources.end());
  std::vector<std::string> texts{"#include \"verilator_model.cpp\"\n"};
  uintmax_t num_bytes = 0;
  for (const fs::path& source : sources) {
    std::error_code code;
    num_bytes += fs::file_size(source, code);
    if (num_bytes > MaxBytes) {
      texts.emplace_back();
      num_bytes = 0;
    }
    texts.back() += fmt::format("#include \"{}\"\n", source.filename().string());
  }
  std::vector<std::string> units;
  for (const std::string& text : texts) {
    units.push_back(fmt::format("unit_{}", units.size()));
    MR_TRY_STATUS(write_file(places.model / (units.back() + ".cc"), text));
  }
  return units;
}

/// Calls `task(i)` for i below `count`, on as many threads as the machine has; the first fault.
template <class Task>
Status run_in_parallel(size_t count, Task task) {
  std::vector<Status> results(count);
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < count; i = next++)
      results[i] = task(i);
  };
  {
    std::vector<std::jthread> threads;
    for (size_t i = 1; i < std::min<size_t>(count, std::thread::hardware_concurrency()); ++i)
      threads.emplace_back(work);
    work();
  }
  for (const Status& result : results)
    MR_TRY_STATUS(result);
  return {};
}

}  // namespace

Result<fs::path> build_with_verilator(const Design& design, const fs::path& work_dir) {
  Places places;
  places.model = work_dir / "model";
  places.log = work_dir / "build.log";
  MR_TRY(places.harness, find_data_dir("cosim"));
  MR_TRY_STATUS(make_directory(places.model));
  MR_TRY_STATUS(verilate(design, places));
  MR_TRY(places.include, find_runtime_sources(places));
  MR_TRY(const fs::path runtime, provide_runtime(places));
  MR_TRY_STATUS(write_ports(design, places));
  MR_TRY(const std::vector<std::string> units, write_units(places));
  MR_TRY_STATUS(run_in_parallel(units.size(), [&](size_t i) {
    return compile_cached(places, {"-fpch-preprocess", "-include", (runtime / "prefix.h").string(),
                                   "-I.", "-c", units[i] + ".cc", "-o", units[i] + ".o"});
  }));
  fs::path program = work_dir / "simulation";
  Arguments link;
  for (const std::string& unit : units)
    link.push_back(unit + ".o");
  for (const char* object : {"verilated.o", "verilated_threads.o", "verilator_harness.o"})
    link.push_back((runtime / object).string());
  if (find_program("ld.gold"))  // takes a third of the usual linker's time
    link.emplace_back("-fuse-ld=gold");
  link.insert(link.end(), {"-o", program.string()});
  MR_TRY_STATUS(compile(places, places.model, link));
  return program;
}

}  // namespace millrace::cosim

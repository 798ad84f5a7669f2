// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <exception>
#include <fmt/format.h>

#include "millrace/cli/commands.h"
#include "millrace/cli/exit_code.h"
#include "millrace/cli/messages.h"
#include "millrace/cli/options.h"
#include "millrace/support/check.h"

namespace millrace::cli {
namespace {

void print_diagnostic(const Diagnostic& diagnostic, bool json) {
  fmt::print(stderr, "{}\n", diagnostic.to_string());
  if (json)
    fmt::print("{}\n", diagnostic.to_json());
}

ExitCode run_command(const CommandLine& line) {
  Console console;
  const Result<Answer> answer =
      std::visit([&](const auto& options) { return run(options, console); }, line.command);
  console.finish();
  if (answer) {
    fmt::print("{}", line.json ? answer->json : answer->text);
    return Done;
  }
  if (was_interrupted()) {
    print_diagnostic(error(messages::Interrupted, "").value(), line.json);
    return Stopped;
  }
  print_diagnostic(answer.error(), line.json);
  return UsersFault;
}

ExitCode run_guarded(const CommandLine& line) {
  try {
    return run_command(line);
  } catch (const std::exception& fault) {
    const Diagnostic diagnostic{"cli.internal_error", fault.what(), "",
                                "This is a fault of Millrace, not yours: please report it, with "
                                "the command and its input."};
    print_diagnostic(diagnostic, line.json);
    return OurFault;
  }
}

}  // namespace
}  // namespace millrace::cli

int main(int argc, char** argv) {
  using namespace millrace::cli;
  catch_interrupts();
  const auto parsed = parse_command_line(argc, argv);
  if (const auto* early = std::get_if<EarlyExit>(&parsed)) {
    fmt::print("{}", early->output);
    fmt::print(stderr, "{}", early->errors);
    return early->exit_code;
  }
  return run_guarded(std::get<CommandLine>(parsed));
}

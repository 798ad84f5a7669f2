// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstdio>
#include <exception>
#include <system_error>

#include "millrace/cli/commands.h"
#include "millrace/cli/exit_code.h"
#include "millrace/cli/messages.h"
#include "millrace/cli/options.h"
#include "millrace/support/check.h"

namespace millrace::cli {
namespace {

bool print(std::FILE* stream, const std::string& text) {
  std::fputs(text.c_str(), stream);
  return std::fflush(stream) == 0;
}

void print_diagnostic(const Diagnostic& diagnostic, bool json) {
  print(stderr, diagnostic.to_string() + '\n');
  if (json)
    print(stdout, diagnostic.to_json() + '\n');
}

ExitCode run_command(const CommandLine& line) {
  Console console;
  const Result<Answer> answer =
      std::visit([&](const auto& options) { return run(options, console); }, line.command);
  console.finish();
  if (!answer && was_interrupted()) {
    print_diagnostic(error(messages::Interrupted, "").value(), line.json);
    return Stopped;
  }
  if (!answer) {
    print_diagnostic(answer.error(), line.json);
    return UsersFault;
  }
  if (!print(stdout, line.json ? answer->json : answer->text)) {
    const std::string reason = std::generic_category().message(errno);
    print_diagnostic(error(messages::OutputLost, "", reason).value(), false);
    return UsersFault;
  }
  return Done;
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
    print(stdout, early->output);
    print(stderr, early->errors);
    return early->exit_code;
  }
  return run_guarded(std::get<CommandLine>(parsed));
}

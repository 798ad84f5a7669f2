// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <fmt/format.h>

#include "millrace/cli/build_rtl.h"
#include "millrace/cli/commands.h"
#include "millrace/report/build_directory.h"
#include "millrace/report/numbers.h"
#include "millrace/report/table.h"
#include "millrace/support/temporary_directory.h"
#include "millrace/synth/synthesize.h"

namespace millrace::cli {
namespace {

using report::SynthesisRecord;

double share(int64_t used, int64_t available) {
  return available > 0 ? static_cast<double>(used) / static_cast<double>(available) : 0;
}

Result<SynthesisRecord> synthesize(const SynthOptions& options, Console& console) {
  MR_TRY(const BuildRtl rtl, read_build_rtl(options.build));
  MR_TRY(const synth::Part part, synth::find_part(rtl.plan.part));
  const auto begin = std::chrono::steady_clock::now();
  MR_TRY(TemporaryDirectory work, TemporaryDirectory::create("millrace-synth"));
  const Result<synth::Area> mapped = synth::synthesize({.sources = rtl.sources,
                                                        .include_dirs = {rtl.folder},
                                                        .top = rtl.top,
                                                        .part = part,
                                                        .netlist = {},
                                                        .work_dir = work.path()},
                                                       console.progress());
  if (!mapped) {
    work.keep_for(mapped.error());
    return tl::unexpected(mapped.error());
  }
  const synth::Area& area = *mapped;
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const synth::Area& holds = part.holds;
  return SynthesisRecord{
      .lut = area.lut,
      .ff = area.ff,
      .dsp = area.dsp,
      .bram18 = area.bram18,
      .carry = area.carry,
      .part = part.name,
      .utilisation = {.lut = share(area.lut, holds.lut),
                      .ff = share(area.ff, holds.ff),
                      .dsp = share(area.dsp, holds.dsp),
                      .bram18 = share(area.bram18, holds.bram18)},
      .available = {.lut = holds.lut, .ff = holds.ff, .dsp = holds.dsp, .bram18 = holds.bram18},
      .estimated = rtl.plan.estimated,
      .seconds = seconds};
}

std::string to_text(const SynthesisRecord& record) {
  report::Table table{
      .columns = {
          {record.part}, {"used", true}, {"predicted", true}, {"of", true}, {"share", true}}};
  const auto row = [&](const char* name, int64_t used, int64_t predicted, int64_t available,
                       double used_share) {
    table.rows.push_back({name, report::with_thousands(used), report::with_thousands(predicted),
                          report::with_thousands(available), report::percent(used_share)});
  };
  const report::ResourcesRecord& holds = record.available;
  const report::ResourcesRecord& predicted = record.estimated;
  const report::UtilisationRecord& shares = record.utilisation;
  row("LUT", record.lut, predicted.lut, holds.lut, shares.lut);
  row("FF", record.ff, predicted.ff, holds.ff, shares.ff);
  row("DSP", record.dsp, predicted.dsp, holds.dsp, shares.dsp);
  row("BRAM18", record.bram18, predicted.bram18, holds.bram18, shares.bram18);
  return fmt::format("{}\n{} carry primitives; mapped with Yosys in {:.0f} s\n", table.to_text(),
                     report::with_thousands(record.carry), record.seconds);
}

}  // namespace

Result<Answer> run(const SynthOptions& options, Console& console) {
  MR_TRY(const SynthesisRecord record, synthesize(options, console));
  MR_TRY_STATUS(report::write_record(options.build, record));
  return Answer{to_text(record), to_json(record)};
}

}  // namespace millrace::cli

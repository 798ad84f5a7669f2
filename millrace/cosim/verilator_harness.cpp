// SPDX-License-Identifier: Apache-2.0
// Plays a stimulus file into a Verilated circuit and writes the record; stimulus.h describes both.
// Usage: simulation STIMULUS RECORD. Prints "progress FRAME" as it goes.
//
// In each cycle the inputs change while the clock is low, the outputs are read when they have
// settled, and then the clock rises: inputs and outputs are those that the clock edge sees.
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "verilated.h"
#include "verilator_model.h"

using millrace_harness::input_bits;
using millrace_harness::Model;
using millrace_harness::output_bits;

namespace {

constexpr int WordBits = 32;
constexpr int64_t ResetCycles = 4;
constexpr int64_t ProgressSteps = 100;

using Words = std::vector<uint32_t>;

[[noreturn]] void fail(const char* what) {
  std::printf("%%Error: %s\n", what);
  std::exit(1);
}

int num_words(int bits) {
  return (bits + WordBits - 1) / WordBits;
}

struct InputBeat {
  int64_t gap = 0;
  int port = 0;
  int is_first = 0;
  int64_t needed = 0;
  Words data;
};

int max_input_bits() {
  return *std::max_element(input_bits.begin(), input_bits.end());
}

class Stimulus {
public:
  explicit Stimulus(const char* path)
      : file_(std::fopen(path, "r")), digits_(max_input_bits() + 2) {
    if (!file_ ||
        std::fscanf(file_, "%" SCNd64 "%" SCNd64 "%" SCNd64 "%" SCNd64 "%" SCNd64 "%d", &num_frames,
                    &num_beats, &num_outputs, &stall_cycles, &tail_cycles, &seed) != 6)
      fail("the stimulus file cannot be read");
    format_ = "%" SCNd64 "%d%d%" SCNd64 "%" + std::to_string(max_input_bits()) + "s";
  }

  void next(InputBeat& beat) {
    if (std::fscanf(file_, format_.c_str(), &beat.gap, &beat.port, &beat.is_first, &beat.needed,
                    digits_.data()) != 5)
      fail("the stimulus file ends early");
    beat.data.assign(num_words(input_bits.at(beat.port)), 0);
    const std::string digits = digits_.data();
    for (size_t i = 0; i < digits.size(); ++i) {
      const char digit[] = {digits[digits.size() - 1 - i], '\0'};
      const auto value = static_cast<uint32_t>(std::strtoul(digit, nullptr, 16));
      beat.data.at(i / 8) |= value << (i % 8 * 4);
    }
  }

  int64_t num_frames = 0, num_beats = 0, num_outputs = 0, stall_cycles = 0, tail_cycles = 0;
  int seed = 0;

private:
  std::FILE* file_;
  std::vector<char> digits_;
  std::string format_;
};

/// Drives the inputs, each with garbage where no beat is there for it.
class Inputs {
public:
  Inputs(Model& model, int seed)
      : model_(model), generator_(static_cast<uint32_t>(seed)), has_beat_(input_bits.size()) {
    for (const int bits : input_bits)
      garbage_.emplace_back(num_words(bits));
  }

  void drive(const InputBeat& beat) {
    model_.drive(beat.port, true, beat.data.data());
    has_beat_[beat.port] = true;
  }

  /// Drives garbage at the inputs that were not driven since the last call.
  void drive_others() {
    for (size_t port = 0; port < input_bits.size(); ++port) {
      if (!has_beat_[port]) {
        for (uint32_t& word : garbage_[port])
          word = static_cast<uint32_t>(generator_());
        const int unused = (WordBits - input_bits[port] % WordBits) % WordBits;
        garbage_[port].back() &= ~uint32_t{0} >> unused;
        model_.drive(static_cast<int>(port), false, garbage_[port].data());
      }
      has_beat_[port] = false;
    }
  }

private:
  Model& model_;
  std::mt19937 generator_;
  std::vector<Words> garbage_;
  std::vector<bool> has_beat_;
};

/// Writes the outputs' beats; gives how many there are.
int64_t write_outputs(std::FILE* record, int64_t cycle, const Model& model, Words& data) {
  int64_t count = 0;
  for (size_t port = 0; port < output_bits.size(); ++port) {
    if (!model.is_valid(static_cast<int>(port)))
      continue;
    ++count;
    data.resize(num_words(output_bits[port]));
    model.read(static_cast<int>(port), data.data());
    std::fprintf(record, "out %" PRId64 " %zu ", cycle, port);
    for (size_t i = data.size(); i-- > 0;)
      std::fprintf(record, "%08" PRIx32, data[i]);
    std::fputc('\n', record);
  }
  return count;
}

/// One clock cycle; `sample` looks at the settled outputs just before the rising edge.
template <class Sample>
void run_cycle(VerilatedContext& context, Model& model, Sample sample) {
  model.set_clock(false);
  context.timeInc(1);
  model.evaluate();
  sample();
  model.set_clock(true);
  context.timeInc(1);
  model.evaluate();
}

void play(VerilatedContext& context, Model& model, Stimulus& stimulus, std::FILE* record) {
  Inputs inputs(model, stimulus.seed);
  model.set_reset(true);
  for (int64_t i = 0; i < ResetCycles; ++i) {
    inputs.drive_others();
    run_cycle(context, model, [] {});
  }
  model.set_reset(false);

  Words output;
  InputBeat beat;
  int64_t beats = 0, frames = 0, outputs = 0, quiet_cycles = 0;
  bool has_beat = false;
  const auto take_beat = [&] {
    if (!has_beat && beats < stimulus.num_beats) {
      stimulus.next(beat);
      has_beat = true;
    }
    return has_beat && beat.gap <= 0 && outputs >= beat.needed;
  };
  for (int64_t cycle = 0; !context.gotFinish(); ++cycle) {
    bool moves = false;
    while (take_beat()) {
      inputs.drive(beat);
      if (beat.is_first) {
        std::fprintf(record, "in %" PRId64 " %d\n", cycle, beat.port);
        if (beat.port == 0 && frames++ % (stimulus.num_frames / ProgressSteps + 1) == 0) {
          std::printf("progress %" PRId64 "\n", frames);
          std::fflush(stdout);
        }
      }
      has_beat = false;
      moves = true;
      ++beats;
    }
    --beat.gap;
    inputs.drive_others();
    run_cycle(context, model, [&] {
      const int64_t count = write_outputs(record, cycle, model, output);
      outputs += count;
      moves = moves || count > 0;
    });
    quiet_cycles = moves ? 0 : quiet_cycles + 1;
    const bool is_complete = beats == stimulus.num_beats && outputs == stimulus.num_outputs;
    if (outputs > stimulus.num_outputs || quiet_cycles > stimulus.stall_cycles ||
        (is_complete && quiet_cycles >= stimulus.tail_cycles))
      break;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3)
    fail("usage: simulation STIMULUS RECORD");
  Stimulus stimulus(argv[1]);
  VerilatedContext context;
  context.fatalOnError(false);
  context.randReset(2);
  context.randSeed(stimulus.seed + 1);
  const std::unique_ptr<Model> model(millrace_harness::make_model(context));
  std::FILE* record = std::fopen(argv[2], "w");
  if (!record)
    fail("the record cannot be written");
  play(context, *model, stimulus, record);
  if (context.gotFinish())
    return 1;
  model->finish();
  std::fputs("end\n", record);
  if (std::fclose(record) != 0)
    fail("the record cannot be written");
  return 0;
}

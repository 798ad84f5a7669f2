// SPDX-License-Identifier: Apache-2.0
#include "millrace/cosim/stimulus.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <iterator>
#include <optional>
#include <random>

#include "millrace/cosim/beat.h"
#include "millrace/cosim/messages.h"
#include "millrace/support/check.h"

namespace millrace::cosim {
namespace {

/// How the beats of one frame follow each other under Arrival::RandomGaps: each frame draws one,
/// so that a run holds full rate, sparse and bursty stretches and the changes between them.
enum class Pace { Full, Halting, Sparse, Bursts };

int64_t draw(std::mt19937_64& generator, int64_t count) {
  return static_cast<int64_t>(generator() % static_cast<uint64_t>(count));
}

int64_t gap_before(Pace pace, std::mt19937_64& generator) {
  switch (pace) {
    case Pace::Full:
      return 0;
    case Pace::Halting: {
      int64_t gap = 0;
      while (draw(generator, 2) == 0)
        ++gap;
      return gap;
    }
    case Pace::Sparse:
      return draw(generator, 8);
    case Pace::Bursts:
      return draw(generator, 16) == 0 ? draw(generator, 64) + 1 : 0;
  }
  return 0;
}

/// Takes the text up to `separator`, or all of it, from the front of `rest`.
std::string_view take(std::string_view& rest, char separator) {
  const size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view taken = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return taken;
}

std::optional<int64_t> to_count(std::string_view text) {
  int64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

/// A beat of one frame at one of the inputs.
struct InputBeat {
  int64_t cycle = 0;
  size_t port = 0;
  bool is_first = false;
  std::string data;
};

int64_t longest_input(const Design& design) {
  int64_t beats = 0;
  for (const Port& input : design.inputs)
    beats = std::max(beats, input.stream.beats_per_frame());
  return beats;
}

/// Times the beats of frame after frame.
class InputTimes {
public:
  InputTimes(const Design& design, Arrival arrival, std::mt19937_64& generator)
      : design_(design), arrival_(arrival), generator_(generator) {
    longest_ = longest_input(design);
    interval_ = design.interval_cycles == 0 ? longest_ : design.interval_cycles;
    check(interval_ >= longest_, "a frame's beats go in before the next frame begins");
  }

  int64_t interval_cycles() const { return interval_; }

  /// The beats of the next frame, in the order of their cycles.
  std::vector<InputBeat> next(const std::vector<IntTensor>& frame) {
    check(frame.size() == design_.inputs.size(), "a frame has a tensor for each input");
    std::vector<InputBeat> all;
    for (size_t port = 0; port < frame.size(); ++port)
      add_beats(port, frame[port], all);
    std::ranges::sort(all, {},
                      [](const InputBeat& beat) { return std::pair(beat.cycle, beat.port); });
    is_first_frame_ = false;
    end_ = all.back().cycle + 1;
    return all;
  }

private:
  void add_beats(size_t port, const IntTensor& tensor, std::vector<InputBeat>& all) {
    const dataflow::StreamType& stream = design_.inputs[port].stream;
    Pace pace = Pace::Full;
    int64_t cycle = is_first_frame_ ? 0 : end_ + interval_ - longest_;
    if (arrival_ == Arrival::RandomGaps) {
      pace = static_cast<Pace>(draw(generator_, 4));
      if (draw(generator_, 4) == 0)
        cycle += draw(generator_, 2 * stream.beats_per_frame() + 16);
    }
    bool is_first = true;
    for (const Beat& beat : pack_frame(tensor, stream, generator_)) {
      cycle += gap_before(pace, generator_);
      all.push_back({cycle++, port, is_first, beat.to_hex()});
      is_first = false;
    }
  }

  const Design& design_;
  const Arrival arrival_;
  std::mt19937_64& generator_;
  int64_t interval_ = 0;
  int64_t longest_ = 0;  ///< beats of the longest input
  int64_t end_ = 0;      ///< when the frame before is in at every input
  bool is_first_frame_ = true;
};

/// What one output has given so far.
struct OutputBeats {
  std::vector<Beat> beats, undefined;
  std::vector<int64_t> cycles;
};

/// Reads a record line by line.
class RecordReader {
public:
  RecordReader(const Design& design, size_t num_frames)
      : design_(design),
        num_frames_(num_frames),
        frames_in_(design.inputs.size()),
        outputs_(design.outputs.size()) {}

  /// Takes a line that is not the end mark.
  Status take_line(std::string_view line) {
    std::string_view rest = line;
    const std::string_view kind = take(rest, ' ');
    const auto cycle = to_count(take(rest, ' '));
    const auto port = to_count(take(rest, ' '));
    const size_t num_ports = kind == "in" ? frames_in_.size() : outputs_.size();
    if (!cycle || !port || *port >= static_cast<int64_t>(num_ports) ||
        (kind != "in" && kind != "out"))
      return error(messages::DamagedRecord, "", line);
    if (kind == "out")
      return take_output(static_cast<size_t>(*port), *cycle, rest, line);
    // Frames begin in order at each input: the first input to reach a frame begins it.
    if (frames_in_[*port]++ == measurement_.first_in.size())
      measurement_.first_in.push_back(*cycle);
    return {};
  }

  /// The measurement, when every output is complete.
  Result<Measurement> finish() {
    for (size_t port = 0; port < outputs_.size(); ++port)
      if (const size_t expected = num_expected(port); outputs_[port].beats.size() < expected)
        return error(messages::MissingOutput, "", port_name(port), outputs_[port].beats.size(),
                     num_frames_, expected);
    for (size_t frame = 0; frame < num_frames_; ++frame) {
      measurement_.outputs.emplace_back();
      measurement_.last_out.emplace_back();
      for (size_t port = 0; port < outputs_.size(); ++port)
        MR_TRY_STATUS(finish_output(frame, port));
    }
    return std::move(measurement_);
  }

private:
  size_t frame_beats(size_t port) const { return design_.outputs[port].stream.beats_per_frame(); }
  size_t num_expected(size_t port) const { return num_frames_ * frame_beats(port); }
  const std::string& port_name(size_t port) const { return design_.outputs[port].prefix; }

  Status take_output(size_t port, int64_t cycle, std::string_view rest, std::string_view line) {
    OutputBeats& output = outputs_[port];
    const int64_t beat_bits = design_.outputs[port].stream.beat_bits();
    if (output.beats.size() == num_expected(port))
      return error(messages::SurplusOutput, "", port_name(port), num_expected(port), num_frames_,
                   cycle);
    if (const size_t frame = output.beats.size() / frame_beats(port);
        frame >= measurement_.first_in.size())
      return error(messages::EarlyOutput, "", port_name(port), frame, cycle);
    auto beat = Beat::from_hex(take(rest, ' '), beat_bits);
    auto mask = Beat::from_hex(rest, beat_bits);
    if (!beat || !mask)
      return error(messages::DamagedRecord, "", line);
    output.beats.push_back(*std::move(beat));
    output.undefined.push_back(*std::move(mask));
    output.cycles.push_back(cycle);
    return {};
  }

  Status finish_output(size_t frame, size_t port) {
    const OutputBeats& output = outputs_[port];
    const dataflow::StreamType& stream = design_.outputs[port].stream;
    const size_t first = frame * frame_beats(port);
    const std::vector<int64_t> masks = unpack_frame(&output.undefined[first], stream).data;
    const auto bad = std::ranges::find_if(masks, [](int64_t mask) { return mask != 0; });
    if (bad != masks.end())
      return error(messages::UndefinedOutput, "", bad - masks.begin(), port_name(port), frame);
    measurement_.outputs[frame].push_back(unpack_frame(&output.beats[first], stream));
    measurement_.last_out[frame].push_back(output.cycles[first + frame_beats(port) - 1]);
    return {};
  }

  const Design& design_;
  const size_t num_frames_;
  std::vector<size_t> frames_in_;  ///< begun at each input
  std::vector<OutputBeats> outputs_;
  Measurement measurement_;
};

}  // namespace

std::string make_stimulus(const Design& design, const Frames& frames, Arrival arrival,
                          uint64_t seed) {
  std::mt19937_64 generator(seed);
  InputTimes times(design, arrival, generator);
  int64_t frame_beats = 0;
  int64_t frame_output_beats = 0;
  for (const Port& input : design.inputs)
    frame_beats += input.stream.beats_per_frame();
  for (const Port& output : design.outputs)
    frame_output_beats += output.stream.beats_per_frame();
  const int64_t num_frames = std::ssize(frames);
  const int64_t stall_cycles = 16 * times.interval_cycles() + 10'000;
  const int64_t tail_cycles = 2 * times.interval_cycles() + 200;
  std::string text;
  auto out = std::back_inserter(text);
  fmt::format_to(out, "{} {} {} {} {} {}\n", num_frames, num_frames * frame_beats,
                 num_frames * frame_output_beats, stall_cycles, tail_cycles,
                 generator() % 2'147'483'647);
  int64_t cycle = 0;
  for (int64_t frame = 0; frame < num_frames; ++frame) {
    const int64_t needed = arrival == Arrival::Alone ? frame * frame_output_beats : 0;
    for (const InputBeat& beat : times.next(frames[frame])) {
      fmt::format_to(out, "{} {} {:d} {} {}\n", beat.cycle - cycle, beat.port, beat.is_first,
                     needed, beat.data);
      cycle = beat.cycle;
    }
  }
  return text;
}

Result<Measurement> read_record(const Design& design, size_t num_frames, std::string_view record) {
  RecordReader reader(design, num_frames);
  while (!record.empty()) {
    const std::string_view line = take(record, '\n');
    if (line == "end")
      return reader.finish();
    MR_TRY_STATUS(reader.take_line(line));
  }
  return error(messages::DamagedRecord, "", "no end mark");
}

}  // namespace millrace::cosim

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

std::optional<int64_t> to_cycle(std::string_view text) {
  int64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

}  // namespace

std::string make_stimulus(const Design& design, const std::vector<IntTensor>& frames,
                          Arrival arrival, uint64_t seed) {
  const int64_t num_frames = std::ssize(frames);
  const int64_t frame_beats = design.input.beats_per_frame();
  const int64_t frame_output_beats = design.output.beats_per_frame();
  const int64_t stall_cycles = 4 * frame_beats + 10'000;
  const int64_t tail_cycles = 2 * frame_beats + 200;
  std::mt19937_64 generator(seed);
  std::string text;
  auto out = std::back_inserter(text);
  fmt::format_to(out, "{} {} {} {} {} {}\n", num_frames, num_frames * frame_beats,
                 num_frames * frame_output_beats, stall_cycles, tail_cycles,
                 generator() % 2'147'483'647);
  for (int64_t frame = 0; frame < num_frames; ++frame) {
    const int64_t needed = arrival == Arrival::Alone ? frame * frame_output_beats : 0;
    Pace pace = Pace::Full;
    int64_t pause = 0;
    if (arrival == Arrival::RandomGaps) {
      pace = static_cast<Pace>(draw(generator, 4));
      pause = draw(generator, 4) == 0 ? draw(generator, 2 * frame_beats + 16) : 0;
    }
    const std::vector<Beat> beats = pack_frame(frames[frame], design.input, generator);
    for (size_t i = 0; i < beats.size(); ++i) {
      const int64_t gap = gap_before(pace, generator) + (i == 0 ? pause : 0);
      fmt::format_to(out, "{} {:d} {} {}\n", gap, i == 0, needed, beats[i].to_hex());
    }
  }
  return text;
}

Result<Measurement> read_record(const Design& design, size_t num_frames, std::string_view record) {
  Measurement measurement;
  std::vector<Beat> beats;
  std::vector<Beat> undefined;
  std::vector<int64_t> cycles;
  bool has_ended = false;
  const size_t frame_beats = design.output.beats_per_frame();
  const size_t expected = num_frames * frame_beats;
  while (!record.empty() && !has_ended) {
    const std::string_view line = take(record, '\n');
    std::string_view rest = line;
    const std::string_view kind = take(rest, ' ');
    has_ended = kind == "end";
    if (has_ended)
      continue;
    const auto cycle = to_cycle(take(rest, ' '));
    if (!cycle || (kind != "in" && kind != "out"))
      return error(messages::DamagedRecord, "", line);
    if (kind == "in") {
      measurement.first_in.push_back(*cycle);
      continue;
    }
    if (beats.size() == expected)
      return error(messages::SurplusOutput, "", expected, num_frames, *cycle);
    if (const size_t frame = beats.size() / frame_beats; frame >= measurement.first_in.size())
      return error(messages::EarlyOutput, "", frame, *cycle);
    auto beat = Beat::from_hex(take(rest, ' '), design.output.beat_bits());
    auto mask = Beat::from_hex(rest, design.output.beat_bits());
    if (!beat || !mask)
      return error(messages::DamagedRecord, "", line);
    beats.push_back(*std::move(beat));
    undefined.push_back(*std::move(mask));
    cycles.push_back(*cycle);
  }
  if (!has_ended)
    return error(messages::DamagedRecord, "", "no end mark");
  if (beats.size() < expected)
    return error(messages::MissingOutput, "", beats.size(), num_frames, expected);
  for (size_t frame = 0; frame < num_frames; ++frame) {
    const std::vector<int64_t> masks =
        unpack_frame(&undefined[frame * frame_beats], design.output).data;
    const auto bad = std::find_if(masks.begin(), masks.end(), [](int64_t mask) { return mask; });
    if (bad != masks.end())
      return error(messages::UndefinedOutput, "", bad - masks.begin(), frame);
    measurement.outputs.push_back(unpack_frame(&beats[frame * frame_beats], design.output));
    measurement.last_out.push_back(cycles[(frame + 1) * frame_beats - 1]);
  }
  return measurement;
}

}  // namespace millrace::cosim

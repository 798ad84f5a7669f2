// SPDX-License-Identifier: Apache-2.0
#include "millrace/dataflow/relayout.h"

#include <numeric>

#include "millrace/support/check.h"

namespace millrace::dataflow {
namespace {

/// A place of a frame as the index of its element among those of all beats, row-major.
int64_t element_index(const StreamType& stream, const MapPlace& place) {
  const int64_t beat =
      place.row / stream.rows * stream.beats_per_row() + place.column / stream.lanes;
  const int64_t pixel = place.row % stream.rows * stream.lanes + place.column % stream.lanes;
  return (beat * stream.pixels_per_beat() + pixel) * stream.channels + place.channel;
}

}  // namespace

RelayoutStage make_relayout(const StreamType& input, const StreamType& output,
                            const std::function<MapPlace(const MapPlace&)>& source) {
  const int64_t in_size = input.pixels_per_beat() * input.channels;
  const int64_t out_size = output.pixels_per_beat() * output.channels;
  std::vector<int64_t> sources(static_cast<size_t>(output.beats_per_frame() * out_size),
                               RelayoutStage::Zero);
  for (int64_t row = 0; row < output.height; ++row)
    for (int64_t column = 0; column < output.width; ++column)
      for (int64_t channel = 0; channel < output.channels; ++channel) {
        const MapPlace place = source({row, column, channel});
        if (place.row < 0)
          continue;
        check(place.row < input.height && place.column >= 0 && place.column < input.width &&
                  place.channel >= 0 && place.channel < input.channels,
              "a relayout reads outside its map");
        if (input.range(place.channel).width() > 0)
          sources[static_cast<size_t>(element_index(output, {row, column, channel}))] =
              element_index(input, place);
      }

  // As many groups as possible, each of which reads itself only.
  RelayoutStage stage{.input = input, .sources = {}};
  const auto is_closed = [&](int64_t groups) {
    const int64_t in_group = input.beats_per_frame() / groups * in_size;
    const int64_t out_group = output.beats_per_frame() / groups * out_size;
    for (size_t i = 0; i < sources.size(); ++i)
      if (sources[i] != RelayoutStage::Zero &&
          sources[i] / in_group != static_cast<int64_t>(i) / out_group)
        return false;
    // All groups alike: one set of wires.
    for (size_t i = static_cast<size_t>(out_group); i < sources.size(); ++i) {
      const int64_t first = sources[i % static_cast<size_t>(out_group)];
      const int64_t group = static_cast<int64_t>(i) / out_group;
      const int64_t here =
          sources[i] == RelayoutStage::Zero ? sources[i] : sources[i] - group * in_group;
      if (here != first && here != RelayoutStage::Zero && first != RelayoutStage::Zero)
        return false;
      if ((here == RelayoutStage::Zero) != (first == RelayoutStage::Zero))
        return false;
    }
    return true;
  };
  const int64_t most = std::gcd(input.beats_per_frame(), output.beats_per_frame());
  for (stage.groups = most; stage.groups > 1; --stage.groups)
    if (most % stage.groups == 0 && is_closed(stage.groups))
      break;
  stage.in_beats = input.beats_per_frame() / stage.groups;
  stage.out_beats = output.beats_per_frame() / stage.groups;
  sources.resize(static_cast<size_t>(stage.out_beats * out_size));
  stage.sources = std::move(sources);
  return stage;
}

}  // namespace millrace::dataflow

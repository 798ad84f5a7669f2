// SPDX-License-Identifier: Apache-2.0
// The bits of one beat on a stream's data lines.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "millrace/dataflow/stream.h"
#include "millrace/support/shape.h"

namespace millrace::cosim {

/// A vector of bits, bit 0 first, as wide as the data lines of a stream.
class Beat {
public:
  explicit Beat(int64_t num_bits);

  /// A beat of random bits.
  static Beat random(int64_t num_bits, std::mt19937_64& generator);
  /// Reads what to_hex() wrote. No value when the text has other characters or more bits.
  static std::optional<Beat> from_hex(std::string_view text, int64_t num_bits);

  /// Stores the low `width` bits of `value` at `lsb`.
  void set(int64_t lsb, int width, uint64_t value);
  /// The `width` (1 to 64) bits at `lsb`.
  uint64_t get(int64_t lsb, int width) const;
  /// Hexadecimal digits, most significant first, ceil(num_bits / 4) of them.
  std::string to_hex() const;

private:
  int64_t num_bits_;
  std::vector<uint64_t> words_;
};

/// Cuts a frame (raw integers, HWC) into the beats of `type`; lanes behind the rows' ends and rows
/// behind the map's end are random.
/// Errors   InternalError when the frame has another size or a value that `type` cannot hold, or
///          beats of several rows are not as wide as the map.
std::vector<Beat> pack_frame(const IntTensor& frame, const dataflow::StreamType& type,
                             std::mt19937_64& generator);

/// Puts a frame together from its beats; signed elements are sign-extended.
IntTensor unpack_frame(const Beat* beats, const dataflow::StreamType& type);

}  // namespace millrace::cosim

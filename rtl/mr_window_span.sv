// SPDX-License-Identifier: Apache-2.0
// Picks the pixels that one output beat of mr_window covers from the pixels at hand.
//
//   covered_o  pixel j is pixel Base + out_beat_i * Skew + j of hist_i, or PadPixel where the
//              map's column out_beat_i * Advance - PadLeft + j lies outside [0, Width)
//
// Golden model: as mr_window, tested with it.
//
// Combinational: Skew = 0 without padding is wires.

`include "mr_assert.svh"
`default_nettype none

module mr_window_span #(
  parameter int Width      = 8,   // pixels of a row of the map
  parameter int PixelBits  = 8,
  parameter int PadLeft    = 0,
  parameter bit          PadColumns = 0,   // padding left or right exists
  parameter [PixelBits-1:0] PadPixel = '0,
  parameter int Span       = 3,   // pixels covered
  parameter int OutBeats   = 6,   // output beats of a row
  parameter int Advance    = 1,   // columns from one beat's span to the next
  parameter int Skew       = 0,   // the same within hist_i
  parameter int History    = 3,
  parameter int Base       = 0,   // first pixel of beat 0 in hist_i, >= 0
  localparam int OutBits   = OutBeats > 1 ? $clog2(OutBeats) : 1
) (
  input  wire  [OutBits-1:0]            out_beat_i,
  input  wire  [History*PixelBits-1:0]  hist_i,
  output logic [Span*PixelBits-1:0]     covered_o
);

  // Pixels behind the newest one are asked for only where nobody looks, or where padding stands.
  localparam int Furthest = Base + (Skew > 0 ? Skew * (OutBeats - 1) : 0) + Span;
  localparam int Extended = Furthest > History ? Furthest : History;

  `MR_ASSERT_STATIC(BaseInHistory, Base + (Skew < 0 ? Skew * (OutBeats - 1) : 0) >= 0)

  logic [Extended*PixelBits-1:0] pixels;
  logic [Span*PixelBits-1:0]     picked;

  if (Extended > History) begin : gen_extend
    assign pixels = {{((Extended - History) * PixelBits){1'b0}}, hist_i};
  end else begin : gen_whole
    assign pixels = hist_i;
  end

  if (Skew == 0 || OutBeats == 1) begin : gen_fixed
    assign picked = pixels[Base*PixelBits +: Span*PixelBits];
  end else begin : gen_moving
    always_comb begin
      picked = pixels[Base*PixelBits +: Span*PixelBits];
      for (int beat = 1; beat < (OutBeats); beat = beat + 1) begin
        if (out_beat_i == OutBits'(beat))
          picked = pixels[(Base + beat*Skew)*PixelBits +: Span*PixelBits];
      end
    end
  end

  logic unused;  // beats that look alike; pixels beside the span
  assign unused = ^{out_beat_i, pixels};

  for (genvar j = 0; j < Span; j = j + 1) begin : gen_pixel
    // Beats below LeftEnd see column j left of the map, those from RightStart on right of it.
    localparam int LeftEnd = PadLeft > j ? (PadLeft - j + Advance - 1) / Advance : 0;
    localparam int RightStart =
        Width + PadLeft > j ? (Width + PadLeft - j + Advance - 1) / Advance : 0;
    logic outside;
    if (!PadColumns) begin : gen_inside
      assign outside = 1'b0;
    end else if (RightStart == 0 || LeftEnd >= OutBeats) begin : gen_outside
      assign outside = 1'b1;
    end else if (LeftEnd > 0 && RightStart < OutBeats) begin : gen_both
      assign outside = out_beat_i < OutBits'(LeftEnd) || out_beat_i >= OutBits'(RightStart);
    end else if (LeftEnd > 0) begin : gen_left
      assign outside = out_beat_i < OutBits'(LeftEnd);
    end else if (RightStart < OutBeats) begin : gen_right
      assign outside = out_beat_i >= OutBits'(RightStart);
    end else begin : gen_never
      assign outside = 1'b0;
    end
    assign covered_o[j*PixelBits +: PixelBits] =
        outside ? PadPixel : picked[j*PixelBits +: PixelBits];
  end

endmodule : mr_window_span

`default_nettype wire

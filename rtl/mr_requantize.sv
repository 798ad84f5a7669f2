// SPDX-License-Identifier: Apache-2.0
// Requantises a fixed-point number: out = overflow(round(in * 2^-Shift)), round first.
//
//   in_data_i   raw integer, InWidth bits, signed where InSigned
//   out_data_o  raw integer, OutWidth bits, signed where OutSigned
//   Rounding    0 TRN  1 TRN_ZERO  2 RND  3 RND_ZERO  4 RND_MIN_INF  5 RND_INF  6 RND_CONV
//   Overflow    0 WRAP  1 SAT  2 SAT_ZERO  3 SAT_SYM  4 WRAP_SM
//
// Golden model: millrace::requantize() in millrace/fixed/requantize.h; the modes stand in the order
// of its enumerations.
//
// Combinational.

`include "mr_assert.svh"
`default_nettype none

module mr_requantize #(
  parameter int InWidth   = 16,  // 1..64
  parameter bit          InSigned  = 1,
  parameter int Shift     = 4,   // fraction bits dropped; negative: gained
  parameter int OutWidth  = 8,   // 1..64
  parameter bit          OutSigned = 1,
  parameter int Rounding  = 6,   // 0..6
  parameter int Overflow  = 1    // 0..4
) (
  input  wire  [InWidth-1:0]  in_data_i,
  output logic [OutWidth-1:0] out_data_o
);

  `MR_ASSERT_STATIC(RoundingKnown, Rounding <= 6)
  `MR_ASSERT_STATIC(OverflowKnown, Overflow <= 4)

  // Beyond these bounds a further shift changes nothing: only sign, zero and overflow are left.
  localparam int Dropped = Shift > (InWidth) + 1 ? (InWidth) + 1 : Shift > 0 ? Shift : 0;
  localparam int Gained  = -Shift > (OutWidth) + 1 ? (OutWidth) + 1 : Shift < 0 ? -Shift : 0;

  // The number, sign-extended so that every bit that is looked at below exists.
  localparam int XWidth = InWidth + 2 > Dropped + 1 ? InWidth + 2
                                                                        : Dropped + 1;
  logic              in_sign;
  logic [XWidth-1:0] x;
  assign in_sign = InSigned && in_data_i[InWidth-1];
  assign x       = {{(XWidth - InWidth){in_sign}}, in_data_i};

  //////////////
  // Rounding //
  //////////////

  // Rounded value: one bit more than what the shift leaves, for the carry.
  localparam int KeptWidth = XWidth - Dropped + 1;
  localparam int RWidth    = KeptWidth + Gained;
  logic [KeptWidth-1:0] rounded;

  if (Dropped == 0) begin : gen_exact
    assign rounded = {in_sign, x};
  end else begin : gen_round
    logic [KeptWidth-1:0] kept;
    logic                 half;   // the highest dropped bit
    logic                 rest;   // any lower one
    logic                 up;
    assign kept = {in_sign, x[XWidth-1:Dropped]};
    assign half = x[Dropped-1];
    if (Dropped > 1) begin : gen_rest
      assign rest = |x[Dropped-2:0];
    end else begin : gen_no_rest
      assign rest = 1'b0;
    end
    if (Rounding == 0) begin : gen_trn
      assign up = 1'b0;
    end else if (Rounding == 1) begin : gen_trn_zero
      assign up = in_sign & (half | rest);
    end else if (Rounding == 2) begin : gen_rnd
      assign up = half;
    end else if (Rounding == 3) begin : gen_rnd_zero
      assign up = half & (in_sign | rest);
    end else if (Rounding == 4) begin : gen_rnd_min_inf
      assign up = half & rest;
    end else if (Rounding == 5) begin : gen_rnd_inf
      assign up = half & (!in_sign | rest);
    end else begin : gen_rnd_conv
      assign up = half & (kept[0] | rest);
    end
    logic unused;  // not every mode looks at all of them
    assign unused = ^{half, rest, up};
    if (Rounding == 0) begin : gen_floor
      assign rounded = kept;
    end else begin : gen_add
      assign rounded = kept + KeptWidth'(up);
    end
  end

  //////////////
  // Overflow //
  //////////////

  logic [RWidth-1:0] value;
  if (Gained > 0) begin : gen_gain
    assign value = {rounded, {Gained{1'b0}}};
  end else begin : gen_same
    assign value = rounded;
  end

  if (RWidth <= OutWidth) begin : gen_fits
    // A negative number may still miss an unsigned type, and the lowest a symmetric one.
    mr_overflow #(.RWidth(OutWidth + 1), .OutWidth(OutWidth), .OutSigned(OutSigned),
                  .Overflow(Overflow))
      u_overflow (.value_i({{(OutWidth + 1 - RWidth){value[RWidth-1]}}, value}), .out_data_o);
  end else begin : gen_narrow
    mr_overflow #(.RWidth(RWidth), .OutWidth(OutWidth), .OutSigned(OutSigned), .Overflow(Overflow))
      u_overflow (.value_i(value), .out_data_o);
  end

endmodule : mr_requantize

`default_nettype wire

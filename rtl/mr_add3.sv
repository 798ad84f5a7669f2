// SPDX-License-Identifier: Apache-2.0
// Adds three numbers in one row of LUTs: y = (+-a) + (+-b) + (+-c), modulo 2^Width.
//
//   a_i, b_i, c_i  operands, aligned and sign-extended to Width bits by whoever instantiates
//   y_o            the sum; exact where it fits into Width bits
//
// Golden model: the sum itself; tests/rtl/add3_test.cpp proves that both forms below give it.
//
// Combinational. On UltraScale and UltraScale+ it takes Width LUTs if y_o goes straight into
// flip-flops. Otherwise the vendor's placer needs up to twice as many: the sum and the LUT's second
// output want the same pin of the slice (docs/decisions/0011-three-input-adders.md).
//
// Primitive form: each bit's LUT compresses its three operand bits to a sum bit and a carry, which
// goes to the next bit through the fabric; the carry chain adds sum bits and carries:
//
//   O5[i] = majority(a[i], b[i], c[i])
//   O6[i] = a[i] ^ b[i] ^ c[i] ^ O5[i-1]     propagates; otherwise O5[i-1] is the carry
//
// A subtrahend enters inverted, in the LUT's table. The ones that this leaves out enter as the carry
// into the chain and as O5[-1]: there is room for two of them.

`include "mr_assert.svh"
`default_nettype none

module mr_add3 #(
  parameter int Width     = 8,  // >= 1
  parameter bit SubtractA = 0,  // not all three
  parameter bit SubtractB = 0,
  parameter bit SubtractC = 0,
`ifdef SYNTHESIS
  parameter bit Primitive = 1   // LUT6_2 and CARRY8 of the vendor's library
`else
  parameter bit Primitive = 0
`endif
) (
  input  wire  [Width-1:0] a_i,
  input  wire  [Width-1:0] b_i,
  input  wire  [Width-1:0] c_i,
  output logic [Width-1:0] y_o
);

  `MR_ASSERT_STATIC(WidthInRange, Width >= 1)
  `MR_ASSERT_STATIC(TwoSubtrahendsAtMost, !(SubtractA && SubtractB && SubtractC))

  if (Primitive) begin : gen_primitive
    // The tables, with the inputs {I3, I2, I1, I0} = {O5 of the bit below, c, b, a}.
    localparam bit          Odd      = SubtractA ^ SubtractB ^ SubtractC;
    localparam logic [15:0] Parity   = Odd ? 16'h9669 : 16'h6996;
    localparam logic [7:0]  Plain    = 8'hE8;
    localparam logic [7:0]  InvertA  = SubtractA ? {Plain[6], Plain[7], Plain[4], Plain[5],
                                                    Plain[2], Plain[3], Plain[0], Plain[1]} : Plain;
    localparam logic [7:0]  InvertB  = SubtractB ? {InvertA[5:4], InvertA[7:6],
                                                    InvertA[1:0], InvertA[3:2]} : InvertA;
    localparam logic [7:0]  Majority = SubtractC ? {InvertB[3:0], InvertB[7:4]} : InvertB;

    localparam bit One = SubtractA || SubtractB || SubtractC;
    localparam bit Two = (SubtractA && SubtractB) || (SubtractA && SubtractC) ||
                         (SubtractB && SubtractC);

    localparam int Blocks = (Width + 7) / 8;  // CARRY8
    localparam int Padded = 8 * Blocks;
    logic [Padded-1:0] propagate;
    logic [Padded-1:0] below;  // O5 of the bit below
    logic [Padded-1:0] sum;
    logic [Padded-1:0] carry;
    logic              compressed_top;
    logic              unused;

    for (genvar i = 0; i < Padded; i = i + 1) begin : gen_bit
      if (i < Width) begin : gen_lut
        logic compressed;
        LUT6_2 #(.INIT({{2{Parity}}, {4{Majority}}})) u_lut (
          .O6(propagate[i]), .O5(compressed),
          .I0(a_i[i]), .I1(b_i[i]), .I2(c_i[i]), .I3(below[i]), .I4(1'b0), .I5(1'b1)
        );
        if (i + 1 < Width) begin : gen_above
          assign below[i+1] = compressed;
        end else begin : gen_top
          assign compressed_top = compressed;
        end
      end else begin : gen_none
        assign propagate[i] = 1'b0;
        if (i > Width) begin : gen_nothing_below
          assign below[i] = 1'b0;
        end
      end
    end
    assign below[0] = Two;
    if (Padded > Width) begin : gen_end
      assign below[Width] = 1'b0;
    end

    for (genvar i = 0; i < Blocks; i = i + 1) begin : gen_carry
      logic carry_in;
      if (i == 0) begin : gen_first
        assign carry_in = One;
      end else begin : gen_next
        assign carry_in = carry[8*i-1];
      end
      CARRY8 u_carry (
        .CO(carry[8*i +: 8]), .O(sum[8*i +: 8]),
        .CI(carry_in), .CI_TOP(1'b0), .DI(below[8*i +: 8]), .S(propagate[8*i +: 8])
      );
    end
    assign y_o    = sum[Width-1:0];
    assign unused = ^{compressed_top, sum, carry};
  end else begin : gen_behavioural
    logic [Width-1:0] a;
    logic [Width-1:0] b;
    logic [Width-1:0] c;
    assign a   = SubtractA ? -a_i : a_i;
    assign b   = SubtractB ? -b_i : b_i;
    assign c   = SubtractC ? -c_i : c_i;
    assign y_o = a + b + c;
  end

endmodule : mr_add3

`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// Adds a multiple of a number to another in one row of LUTs: y = a + d * x, modulo 2^Width. The
// multiple is a Booth digit of radix 4, d = digit[1] + digit[0] - 2 * digit[2], of {-2, ..., 2}.
//
//   a_i, x_i  operands, aligned and sign-extended to Width bits by whoever instantiates
//   digit_i   three neighbouring bits of a weight in two's complement
//   y_o       the sum; exact where it fits into Width bits
//
// Golden model: dataflow::BoothNode; tests/rtl/booth_test.cpp proves that both forms below give it.
//
// Combinational. Width LUTs, all six inputs of each in use; a_i goes into the carry chain beside
// them. The multiple of a negative digit enters inverted, with the one that this leaves out as the carry
// into the chain:
//
//   O6[i] = a[i] ^ digit[2] ^ (digit is +-1 ? x[i] : digit is +-2 ? x[i-1] : 0)

`include "mr_assert.svh"
`default_nettype none

module mr_booth_add #(
  parameter int Width     = 8,  // >= 1
`ifdef SYNTHESIS
  parameter bit Primitive = 1   // LUT6 and CARRY8 of the vendor's library
`else
  parameter bit Primitive = 0
`endif
) (
  input  wire  [Width-1:0] a_i,
  input  wire  [Width-1:0] x_i,
  input  wire  [2:0]       digit_i,
  output logic [Width-1:0] y_o
);

  `MR_ASSERT_STATIC(WidthInRange, Width >= 1)

  if (Primitive) begin : gen_primitive
    // The bits of d * x, from {I2, I1, I0} = {a, x, x of the bit below}, for each digit.
    localparam logic [7:0]  Plus0   = 8'hF0;
    localparam logic [7:0]  Plus1   = 8'h3C;
    localparam logic [7:0]  Plus2   = 8'h5A;
    localparam logic [63:0] Digits  = {~Plus0, ~Plus1, ~Plus1, ~Plus2, Plus2, Plus1, Plus1, Plus0};

    localparam int Blocks = (Width + 7) / 8;  // CARRY8
    localparam int Padded = 8 * Blocks;
    logic [Padded-1:0] propagate;
    logic [Padded-1:0] direct;
    logic [Padded-1:0] sum;
    logic [Padded-1:0] carry;
    logic [Width:0]    twice;
    logic              unused;

    assign twice = {x_i, 1'b0};
    for (genvar i = 0; i < Padded; i = i + 1) begin : gen_bit
      if (i < Width) begin : gen_lut
        LUT6 #(.INIT(Digits)) u_lut (
          .O(propagate[i]), .I0(twice[i]), .I1(x_i[i]), .I2(a_i[i]),
          .I3(digit_i[0]), .I4(digit_i[1]), .I5(digit_i[2])
        );
        assign direct[i] = a_i[i];
      end else begin : gen_none
        assign propagate[i] = 1'b0;
        assign direct[i]    = 1'b0;
      end
    end

    for (genvar i = 0; i < Blocks; i = i + 1) begin : gen_carry
      logic carry_in;
      if (i == 0) begin : gen_first
        assign carry_in = digit_i[2];
      end else begin : gen_next
        assign carry_in = carry[8*i-1];
      end
      CARRY8 u_carry (
        .CO(carry[8*i +: 8]), .O(sum[8*i +: 8]),
        .CI(carry_in), .CI_TOP(1'b0), .DI(direct[8*i +: 8]), .S(propagate[8*i +: 8])
      );
    end
    assign y_o    = sum[Width-1:0];
    assign unused = ^{twice[Width], sum, carry};
  end else begin : gen_behavioural
    logic [Width-1:0] multiple;
    always_comb begin
      case (digit_i)
        3'b001, 3'b010: multiple = x_i;
        3'b011:         multiple = x_i << 1;
        3'b100:         multiple = -(x_i << 1);
        3'b101, 3'b110: multiple = -x_i;
        default:        multiple = '0;
      endcase
    end
    assign y_o = a_i + multiple;
  end

endmodule : mr_booth_add

`default_nettype wire

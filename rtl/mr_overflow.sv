// SPDX-License-Identifier: Apache-2.0
// Brings a signed integer into the range of a narrower type: the overflow half of mr_requantize.
//
//   value_i     signed integer, RWidth bits
//   out_data_o  OutWidth bits, signed where OutSigned
//   Overflow    0 WRAP  1 SAT  2 SAT_ZERO  3 SAT_SYM  4 WRAP_SM
//
// Golden model: millrace::requantize() in millrace/fixed/requantize.h.
//
// Combinational.

`include "mr_assert.svh"
`default_nettype none

module mr_overflow #(
  parameter int RWidth    = 12,  // > OutWidth
  parameter int OutWidth  = 8,   // 1..64
  parameter bit          OutSigned = 1,
  parameter int Overflow  = 1    // 0..4
) (
  input  wire  [RWidth-1:0]   value_i,
  output logic [OutWidth-1:0] out_data_o
);

  `MR_ASSERT_STATIC(ValueIsWider, RWidth > OutWidth)

  logic                negative;
  logic                in_range;
  logic [OutWidth-1:0] low;

  assign negative = value_i[RWidth-1];
  assign low      = value_i[OutWidth-1:0];

  if (OutSigned) begin : gen_signed_range
    // In range when all bits from the result's sign up agree.
    assign in_range = value_i[RWidth-1:OutWidth-1] == {(RWidth - OutWidth + 1){negative}};
  end else begin : gen_unsigned_range
    assign in_range = value_i[RWidth-1:OutWidth] == '0;
  end

  localparam logic [OutWidth-1:0] Top = OutWidth'(1) << (OutWidth - 1);
  // Not '1: Yosys 0.23 takes that for the number 1 within a conditional.
  localparam logic [OutWidth-1:0] Max = OutSigned ? ~Top : {OutWidth{1'b1}};
  localparam logic [OutWidth-1:0] Min = !OutSigned ? '0 : Overflow == 3 ? -Max : Top;

  if (Overflow == 0) begin : gen_wrap
    logic unused;
    assign unused     = in_range ^ negative;
    assign out_data_o = low;
  end else if (Overflow == 1) begin : gen_sat
    assign out_data_o = in_range ? low : negative ? Min : Max;
  end else if (Overflow == 2) begin : gen_sat_zero
    logic unused;
    assign unused     = negative;
    assign out_data_o = in_range ? low : '0;
  end else if (Overflow == 3) begin : gen_sat_sym
    logic lowest;  // the one negative number without a positive counterpart
    assign lowest     = OutSigned && low == Top;
    assign out_data_o = in_range && !lowest ? low : negative ? Min : Max;
  end else if (!OutSigned) begin : gen_wrap_sm_unsigned
    assign out_data_o = in_range ? low : negative ? Min : Max;
  end else begin : gen_wrap_sm
    // The sign becomes the lowest deleted bit; where that changes it, all bits are inverted.
    logic new_sign;
    assign new_sign   = value_i[OutWidth];
    assign out_data_o = in_range || new_sign == low[OutWidth-1] ? low : ~low;
    logic unused;
    assign unused     = negative;
  end

endmodule : mr_overflow

`default_nettype wire

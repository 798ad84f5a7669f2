// SPDX-License-Identifier: Apache-2.0
// Says when Pace cycles have passed.
//
//   ready_o  low in the Pace - 1 cycles behind one in which start_i was high
//
// Golden model: the formula; tested with the circuits that use it.

`include "mr_assert.svh"
`default_nettype none

module mr_pace #(
  parameter int Pace = 1  // >= 1
) (
  input  wire   clk_i,
  input  wire   rst_i,  // synchronous, active high
  input  wire   start_i,
  output logic  ready_o
);

  `MR_ASSERT_STATIC(PacePositive, Pace >= 1)

  if (Pace == 1) begin : gen_always
    logic unused;
    assign unused  = ^{clk_i, rst_i, start_i};
    assign ready_o = 1'b1;
  end else begin : gen_timer
    localparam int TimerBits = $clog2(Pace);
    logic [TimerBits-1:0] timer_q;
    always_ff @(posedge clk_i) begin
      if (rst_i) timer_q <= '0;
      else if (start_i) timer_q <= TimerBits'(Pace - 1);
      else if (timer_q != '0) timer_q <= timer_q - TimerBits'(1);
    end
    assign ready_o = timer_q == '0;
  end

endmodule : mr_pace

`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// Admits frames to a circuit that knows no back-pressure: a frame begins when the frame before is
// in at every input, and every output memory has room for its results. From then on each input may
// bring its part, at its own time; no input runs more than one frame ahead of another.
//
// Latency 0: with Pause = 0 a frame may begin in the cycle after the last beat of the frame before.

`include "mr_assert.svh"
`default_nettype none

module mr_axis_gate #(
  parameter int Inputs  = 1,  // >= 1
  parameter int Outputs = 1,  // >= 1
  parameter int Pause   = 0   // cycles more between the frames, >= 0
) (
  input  wire                clk_i,
  input  wire                rst_i,       // synchronous, active high
  input  wire  [Inputs-1:0]  begin_i,     // the first beat of a frame is taken
  input  wire  [Inputs-1:0]  end_i,       // the last beat of a frame is taken
  output logic [Inputs-1:0]  admit_o,     // a first beat may be taken
  input  wire  [Outputs-1:0] has_room_i,  // for the results of one more frame
  output logic               begin_o      // a frame begins, at any input
);

  `MR_ASSERT_STATIC(SizesInRange, Inputs >= 1 && Outputs >= 1 && Pause >= 0)

  logic [Inputs-1:0] begun_q;  // the current frame, at each input
  logic [Inputs-1:0] ended_q;
  logic              is_between;
  logic              is_early;  // the pause has not passed

  assign is_between = &ended_q;
  assign admit_o    = is_between ? {Inputs{&has_room_i && !is_early}} : ~begun_q;
  assign begin_o    = is_between && |begin_i;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      begun_q <= '1;
      ended_q <= '1;
    end else if (begin_o) begin
      begun_q <= begin_i;
      ended_q <= end_i;
    end else begin
      begun_q <= begun_q | begin_i;
      ended_q <= ended_q | end_i;
    end
  end

  if (Pause > 0) begin : gen_pause
    localparam int WaitBits = $clog2(Pause + 1);
    logic [WaitBits-1:0] wait_q;
    assign is_early = wait_q != '0;
    always_ff @(posedge clk_i) begin
      if (rst_i) wait_q <= '0;
      else if (!is_between || begin_o) wait_q <= WaitBits'(Pause);
      else if (is_early) wait_q <= wait_q - WaitBits'(1);
    end
  end else begin : gen_no_pause
    assign is_early = 1'b0;
  end

  `MR_ASSERT(BeginsAreAdmitted_A, (begin_i & ~admit_o) == '0)

endmodule : mr_axis_gate

`default_nettype wire

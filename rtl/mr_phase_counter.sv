// SPDX-License-Identifier: Apache-2.0
// Counts the cycles in which a frame's beats are worked on: Phases cycles for each of Beats beats,
// the first of them the one in which the beat arrives.
//
//   step_o     a beat is worked on in this cycle
//   phase_o    how many cycles ago it arrived
//   first_o    this is the frame's first such cycle, if it is one; last_o: the last
//   next_o     the number, within the frame, of the cycle's successor if step_o, else its own
//
// Combinational from in_valid_i to all outputs but phase_o, first_o and last_o. Throughput 1 beat
// every Phases cycles; an earlier beat is an error.

`include "mr_assert.svh"
`default_nettype none

module mr_phase_counter #(
  parameter int Beats     = 1,                                           // >= 1
  parameter int Phases    = 1,                                           // >= 1
  parameter int PhaseBits = Phases > 1 ? $clog2(Phases) : 1,             // as it is
  parameter int StepBits  = Beats * Phases > 1 ? $clog2(Beats * Phases) : 1  // as it is
) (
  input  wire                  clk_i,
  input  wire                  rst_i,  // synchronous, active high
  input  wire                  in_valid_i,
  output logic                 step_o,
  output logic [PhaseBits-1:0] phase_o,
  output logic                 first_o,
  output logic                 last_o,
  output logic [StepBits-1:0]  next_o
);

  `MR_ASSERT_STATIC(SizesInRange, Beats >= 1 && Phases >= 1)

  localparam int Steps = Beats * Phases;
  logic [StepBits-1:0] step_q;
  logic [StepBits-1:0] following;

  assign first_o   = step_q == '0;
  assign last_o    = step_q == StepBits'(Steps - 1);
  assign following = last_o ? '0 : step_q + StepBits'(1);
  assign next_o    = rst_i ? '0 : step_o ? following : step_q;
  always_ff @(posedge clk_i) step_q <= next_o;

  if (Phases == 1) begin : gen_one_phase
    assign step_o  = in_valid_i;
    assign phase_o = '0;
  end else begin : gen_phases
    logic [PhaseBits-1:0] phase_q;
    assign step_o  = in_valid_i || phase_q != '0;
    assign phase_o = phase_q;
    always_ff @(posedge clk_i) begin
      if (rst_i) phase_q <= '0;
      else if (step_o) begin
        phase_q <= phase_q == PhaseBits'(Phases - 1) ? '0 : phase_q + PhaseBits'(1);
      end
    end
    `MR_ASSERT(BeatsKeepTheirDistance_A, in_valid_i |-> phase_q == '0)
  end

endmodule : mr_phase_counter

`default_nettype wire

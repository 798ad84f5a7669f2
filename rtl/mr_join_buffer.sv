// SPDX-License-Identifier: Apache-2.0
// Keeps the beats of one side of a join until those of the other sides have arrived.
//
//   out_valid_o  a beat is there, on out_data_o; take_i takes it
//   Bypass       a beat may be taken in the cycle of its arrival; otherwise from the next one on
//
// Golden model: a queue. The timing contract is join_times() in millrace/dataflow/schedule.cpp;
// `size_buffers()` derives the depth.
//
// Latency 0 cycles with Bypass, else 1. Throughput 1 beat/cycle.

`include "mr_assert.svh"
`default_nettype none

module mr_join_buffer #(
  parameter int Bits   = 8,  // >= 1
  parameter int Depth  = 1,  // beats kept, >= 0; 0: a beat must be taken as it arrives
  parameter bit Bypass = 1   // 1 where Depth is 0
) (
  input  wire              clk_i,
  input  wire              rst_i,  // synchronous, active high
  input  wire              in_valid_i,
  input  wire  [Bits-1:0]  in_data_i,
  input  wire              take_i,
  output logic             out_valid_o,
  output logic [Bits-1:0]  out_data_o
);

  `MR_ASSERT_STATIC(SizesInRange, Bits >= 1 && Depth >= 0 && (Depth > 0 || Bypass))

  if (Depth == 0) begin : gen_through
    assign out_valid_o = in_valid_i;
    assign out_data_o  = in_data_i;
    logic unused;
    assign unused = ^{clk_i, rst_i, take_i};
    `MR_ASSERT(TakenAtOnce_A, !(in_valid_i && !take_i))
  end else begin : gen_queue
    localparam int SlotBits  = Depth > 1 ? $clog2(Depth) : 1;
    localparam int CountBits = $clog2(Depth + 1);
    logic [CountBits-1:0] count_q;
    logic                 empty;
    logic                 push;
    logic                 pop;

    assign empty       = count_q == '0;
    assign pop         = take_i && !empty;
    assign push        = in_valid_i && !(Bypass && empty && take_i);
    assign out_valid_o = !empty || (Bypass && in_valid_i);

    always_ff @(posedge clk_i) begin
      if (rst_i) count_q <= '0;
      else count_q <= count_q + CountBits'(push) - CountBits'(pop);
    end

    logic [Bits-1:0] oldest;
    if (Depth == 1) begin : gen_register
      logic [Bits-1:0] slot_q;
      always_ff @(posedge clk_i) if (push) slot_q <= in_data_i;
      assign oldest = slot_q;
    end else begin : gen_memory
      logic [Bits-1:0]     slots [0:Depth-1];
      logic [SlotBits-1:0] write_q;
      logic [SlotBits-1:0] read_q;
      always_ff @(posedge clk_i) begin
        if (rst_i) begin
          write_q <= '0;
          read_q  <= '0;
        end else begin
          if (push) write_q <= write_q == SlotBits'(Depth - 1) ? '0 : write_q + SlotBits'(1);
          if (pop) read_q <= read_q == SlotBits'(Depth - 1) ? '0 : read_q + SlotBits'(1);
        end
      end
      always_ff @(posedge clk_i) if (push) slots[write_q] <= in_data_i;
      assign oldest = slots[read_q];
    end
    assign out_data_o = Bypass && empty ? in_data_i : oldest;

    `MR_ASSERT(RoomLeft_A, !(push && !pop && count_q == CountBits'(Depth)))
  end

endmodule : mr_join_buffer

`default_nettype wire

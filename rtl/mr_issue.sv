// SPDX-License-Identifier: Apache-2.0
// Keeps wide beats and gives each of them as a group of narrow ones, at a pace.
//
//   out_data_o  beat i of a group is bits [i * Bits +: Bits] of its wide beat; it stays on the lines
//               for Pace cycles, of which out_valid_o marks the first
//
// Golden model: the timing contract is relayout_times() in millrace/dataflow/schedule.cpp: a beat
// leaves Pace cycles after the one before it, and at least one cycle after its wide beat arrived.
// `size_buffers()` derives the depth: peak occupancy at full rate.
//
// Latency 1 cycle. Throughput 1 narrow beat in Pace cycles.

`include "mr_assert.svh"
`default_nettype none

module mr_issue #(
  parameter int Bits  = 8,  // of a narrow beat, >= 1
  parameter int Beats = 2,  // narrow beats of a wide one, >= 1
  parameter int Pace  = 1,  // cycles from one narrow beat to the next, >= 1
  parameter int Depth = 1,  // wide beats kept, >= 1
`ifdef SYNTHESIS
  parameter bit Primitive = 1  // LUT6 of the vendor's library
`else
  parameter bit Primitive = 0
`endif
) (
  input  wire                    clk_i,
  input  wire                    rst_i,  // synchronous, active high
  input  wire                    in_valid_i,
  input  wire  [Beats*Bits-1:0]  in_data_i,
  output logic                   out_valid_o,
  output logic [Bits-1:0]        out_data_o
);

  localparam int SlotBits  = Depth > 1 ? $clog2(Depth) : 1;
  localparam int CountBits = $clog2(Depth + 1);
  localparam int BeatBits  = Beats > 1 ? $clog2(Beats) : 1;
  localparam int TimerBits = Pace > 1 ? $clog2(Pace) : 1;

  `MR_ASSERT_STATIC(SizesPositive, Bits >= 1 && Beats >= 1 && Pace >= 1 && Depth >= 1)

  logic [CountBits-1:0]  count_q;  // wide beats kept
  logic [BeatBits-1:0]   beat_q;   // narrow beat on the lines
  logic [TimerBits-1:0]  timer_q;  // cycles that it has been there
  logic                  busy;
  logic                  pace_ends;
  logic                  pop;
  logic [Beats*Bits-1:0] word;

  assign busy        = count_q != '0;
  assign pace_ends   = timer_q == TimerBits'(Pace - 1);
  assign pop         = busy && pace_ends && beat_q == BeatBits'(Beats - 1);
  assign out_valid_o = busy && timer_q == '0;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      count_q <= '0;
      beat_q  <= '0;
      timer_q <= '0;
    end else begin
      count_q <= count_q + CountBits'(in_valid_i) - CountBits'(pop);
      if (busy) timer_q <= pace_ends ? '0 : timer_q + TimerBits'(1);
      if (busy && pace_ends) beat_q <= pop ? '0 : beat_q + BeatBits'(1);
    end
  end

  if (Depth == 1) begin : gen_register
    logic [Beats*Bits-1:0] word_q;
    always_ff @(posedge clk_i) if (in_valid_i) word_q <= in_data_i;
    assign word = word_q;
  end else begin : gen_memory
    logic [Beats*Bits-1:0] slots [0:Depth-1];
    logic [SlotBits-1:0]   write_q;
    logic [SlotBits-1:0]   read_q;
    always_ff @(posedge clk_i) begin
      if (rst_i) begin
        write_q <= '0;
        read_q  <= '0;
      end else begin
        if (in_valid_i) write_q <= write_q == SlotBits'(Depth - 1) ? '0 : write_q + SlotBits'(1);
        if (pop) read_q <= read_q == SlotBits'(Depth - 1) ? '0 : read_q + SlotBits'(1);
      end
    end
    always_ff @(posedge clk_i) if (in_valid_i) slots[write_q] <= in_data_i;
    assign word = slots[read_q];
  end

  if (Beats == 1) begin : gen_whole
    assign out_data_o = word;
  end else begin : gen_choose
    // A tree of multiplexers for each bit. Comparisons of beat_q with each beat, one behind the
    // other, would keep their order.
    for (genvar k = 0; k < Bits; k = k + 1) begin : gen_bit
      logic [Beats-1:0] of_beat;
      for (genvar i = 0; i < Beats; i = i + 1) begin : gen_beat
        assign of_beat[i] = word[i*Bits + k];
      end
      if (Primitive && Beats > 16) begin : gen_primitive
        // More than two levels of LUT6 hold: Yosys maps such a tree for speed, with up to twice as
        // many LUTs. Its first level is the library's own.
        localparam int Groups = (Beats + 3) / 4;
        logic [4*Groups-1:0] padded;
        logic [Groups-1:0]   of_group;
        assign padded = (4 * Groups)'(of_beat);
        for (genvar i = 0; i < Groups; i = i + 1) begin : gen_group
          LUT6 #(.INIT({16'hFF00, 16'hF0F0, 16'hCCCC, 16'hAAAA})) u_lut (
            .O(of_group[i]), .I0(padded[4*i]), .I1(padded[4*i+1]), .I2(padded[4*i+2]),
            .I3(padded[4*i+3]), .I4(beat_q[0]), .I5(beat_q[1])
          );
        end
        assign out_data_o[k] = of_group[beat_q[BeatBits-1:2]];
      end else begin : gen_behavioural
        assign out_data_o[k] = of_beat[beat_q];
      end
    end
  end

  `MR_ASSERT(RoomLeft_A, !(in_valid_i && !pop && count_q == CountBits'(Depth)))

endmodule : mr_issue

`default_nettype wire

// SPDX-License-Identifier: Apache-2.0
// Collects sliding windows of rows from a stream whose beats are several whole rows.
//
//   in_data_i   a group of Rows adjacent rows, the first one lowest
//   out_data_o  RegionRows adjacent rows: row j of output group q is the map's row
//               q * RowAdvance - PadTop + j, PadRow outside the map
//
// Golden model: as mr_window; the timing contract is row_window_times() in
// millrace/dataflow/schedule.cpp, and RowWindowGeometry derives the parameters.
//
// Output group q leaves one cycle after input group FirstGroup + q * StepGroups. Where the last one
// waits for a group behind the frame's last (Flush), it follows that one by itself a cycle later.
// Whatever is shifted in then lies outside the map; it may already be the next frame's first group.
//
// Latency 1 cycle. Throughput 1 group/cycle, gaps allowed anywhere, no back-pressure.

`include "mr_assert.svh"
`default_nettype none

module mr_row_window #(
  parameter int Height     = 8,  // rows of the map, >= 1
  parameter int RowBits    = 8,  // of a row of pixels
  parameter int Rows       = 2,  // of an input beat, >= 1
  parameter int SpanGroups = 2,  // groups at hand, the newest one included, >= 1
  parameter int Skip       = 0,  // rows of them in front of the region
  parameter int RegionRows = 4,  // rows of an output beat
  parameter int RowAdvance = 2,  // rows from one output beat to the next
  parameter int OutGroups  = 3,  // output beats of a frame
  parameter int FirstGroup = 1,  // input group that completes output group 0
  parameter int StepGroups = 1,  // input groups from one output group to the next, >= 1
  parameter bit Flush      = 0,  // the last output group waits for no input
  parameter int PadTop     = 0,
  parameter bit PadRows    = 0,  // rows outside the map are read
  parameter [RowBits-1:0] PadRow = '0
) (
  input  wire                            clk_i,
  input  wire                            rst_i,  // synchronous, active high
  input  wire                            in_valid_i,
  input  wire  [Rows*RowBits-1:0]        in_data_i,
  output logic                           out_valid_o,
  output logic [RegionRows*RowBits-1:0]  out_data_o
);

  localparam int Groups    = (Height + Rows - 1) / Rows;
  localparam int LastGroup = FirstGroup + (OutGroups - 1) * StepGroups;
  localparam int InBits    = Groups > 1 ? $clog2(Groups) : 1;
  localparam int OutBits   = OutGroups > 1 ? $clog2(OutGroups) : 1;
  localparam int GroupBits = Rows * RowBits;

  `MR_ASSERT_STATIC(RegionAtHand, Skip + RegionRows <= SpanGroups * Rows)
  `MR_ASSERT_STATIC(FlushIsOneGroup, LastGroup == Groups - 1 + 32'(Flush) || LastGroup < Groups)
  `MR_ASSERT_STATIC(FlushAlone, !Flush || FirstGroup > 0)

  logic [Groups-1:0]  group_completes;
  for (genvar g = 0; g < Groups; g = g + 1) begin : gen_group
    assign group_completes[g] =
        g >= FirstGroup && g <= LastGroup && (g - FirstGroup) % StepGroups == 0;
  end

  logic [InBits-1:0]  group_q;
  logic               group_last;
  logic               flush;
  logic               step;
  logic               emit_step;
  logic               out_valid_q;
  logic [OutBits-1:0] out_group_q;

  assign group_last = group_q == InBits'(Groups - 1);
  assign step       = in_valid_i || flush;
  assign emit_step  = (in_valid_i && group_completes[group_q]) || flush;

  if (Flush) begin : gen_flush
    logic flush_q;
    always_ff @(posedge clk_i) begin
      if (rst_i) flush_q <= 1'b0;
      else flush_q <= in_valid_i && group_last;
    end
    assign flush = flush_q;
  end else begin : gen_no_flush
    assign flush = 1'b0;
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      group_q     <= '0;
      out_valid_q <= 1'b0;
      out_group_q <= OutBits'(OutGroups - 1);
    end else begin
      if (in_valid_i) group_q <= group_last ? '0 : group_q + InBits'(1);
      out_valid_q <= emit_step;
      if (emit_step)
        out_group_q <= out_group_q == OutBits'(OutGroups - 1) ? '0 : out_group_q + OutBits'(1);
    end
  end
  assign out_valid_o = out_valid_q;

  logic [SpanGroups*GroupBits-1:0] hist_q;  // the newest group highest
  if (SpanGroups == 1) begin : gen_one
    always_ff @(posedge clk_i) if (step) hist_q <= in_data_i;
  end else begin : gen_shift
    always_ff @(posedge clk_i)
      if (step) hist_q <= {in_data_i, hist_q[SpanGroups*GroupBits-1:GroupBits]};
  end

  for (genvar j = 0; j < RegionRows; j = j + 1) begin : gen_row
    logic [RowBits-1:0] row;
    assign row = hist_q[(Skip+j)*RowBits +: RowBits];
    if (PadRows) begin : gen_mask
      logic above;
      logic below;
      logic outside;
      if (j < PadTop) begin : gen_above
        assign above = 32'(out_group_q) * RowAdvance + j < PadTop;
      end else begin : gen_not_above
        assign above = 1'b0;
      end
      assign below   = 32'(out_group_q) * RowAdvance + j >= Height + PadTop;
      assign outside = above || below;
      assign out_data_o[j*RowBits +: RowBits] = outside ? PadRow : row;
    end else begin : gen_plain
      assign out_data_o[j*RowBits +: RowBits] = row;
    end
  end

  logic unused;  // without padding; rows in front of the region and behind it
  assign unused = ^{out_group_q, hist_q};

endmodule : mr_row_window

`default_nettype wire

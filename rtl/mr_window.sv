// SPDX-License-Identifier: Apache-2.0
// Collects the sliding windows of a streamed map: line buffers, padding, stride and, where rows
// pause between windows, a change of the number of lanes.
//
//   in_data_i   a beat of Lanes adjacent pixels; rows start new beats, frames follow one another
//   out_data_o  KernelH rows of Span adjacent pixels, row-major: window l of the beat covers the
//               pixels [l * StrideW, l * StrideW + KernelW) of each of its rows
//   formula     pixel j of row i in beat b of output row r is the input's pixel
//               (r * StrideH - PadTop + i, b * Advance - PadLeft + j), PadPixel outside the map
//
// Golden model: millrace::reference (conv2d, max_pool); the timing contract is window_times() in
// millrace/dataflow/schedule.cpp, and WindowGeometry derives the parameters.
//
// A step takes one beat of a row. In rows that complete an output row, output beat b leaves one
// cycle after step Lookahead + b * BeatSteps. Steps beyond the row's last beat (the tail) and rows
// beyond the frame's last (flush rows, whose windows reach into the padding below) need no input:
// they follow of themselves, one step in Pace cycles. They cannot collide with the next frame, whose
// first FlushRows rows complete nothing.
//
// Latency 1 cycle. Throughput 1 beat in Pace cycles, gaps allowed anywhere, no back-pressure. An
// output beat stays on the lines until the next step or, without a tail, for Pace cycles.

`include "mr_assert.svh"
`default_nettype none

module mr_window #(
  parameter int Height     = 8,  // rows of the map, >= 1
  parameter int Width      = 8,  // pixels of a row, >= 1
  parameter int Lanes      = 1,  // pixels of an input beat, 1..Width
  parameter int PixelBits  = 8,  // all channels of a pixel
  parameter int KernelH    = 3,  // >= 1
  parameter int KernelW    = 3,  // >= 1
  parameter int StrideH    = 1,  // >= 1
  parameter int StrideW    = 1,  // >= 1
  parameter int PadTop     = 0,  // 0..KernelH-1
  parameter int PadLeft    = 0,  // 0..KernelW-1
  parameter bit          PadRows    = 0,  // padding above or below exists
  parameter bit          PadColumns = 0,  // padding left or right exists
  parameter [PixelBits-1:0] PadPixel = '0,
  parameter int OutHeight  = 6,  // rows of windows
  parameter int OutLanes   = 1,  // windows of an output beat
  parameter int OutBeats   = 6,  // output beats of a row
  parameter int Lookahead  = 2,  // step that completes output beat 0
  parameter int BeatSteps  = 1,  // steps from one output beat to the next, >= 1
  parameter int TailSteps  = 0,  // steps behind the last beat of a row
  parameter int FlushRows  = 0,  // output rows that no input row completes, <= Height
  parameter int History    = 3,  // pixels of each row at hand, >= Lanes
  parameter bit          SeparateTail = 0,  // the next row may begin before the tail has ended
  parameter bit          Blocked = 0,       // each input beat is the span of one output beat
  parameter bit          BlockRam = 0,      // line buffers in block RAM: Width > Lanes
  parameter int Pace       = 1,  // cycles between beats, at least; between steps without input, exactly
  localparam int Span      = (OutLanes - 1) * StrideW + KernelW
) (
  input  wire                                clk_i,
  input  wire                                rst_i,  // synchronous, active high
  input  wire                                in_valid_i,
  input  wire  [Lanes*PixelBits-1:0]         in_data_i,
  output logic                               out_valid_o,
  output logic [KernelH*Span*PixelBits-1:0]  out_data_o
);

  localparam int Beats     = (Width + Lanes - 1) / Lanes;
  localparam int BeatBits  = Lanes * PixelBits;
  localparam int Steps     = Beats + TailSteps;
  localparam int Banks     = KernelH - 1;
  localparam int Advance   = OutLanes * StrideW;
  localparam int FirstRow  = KernelH - 1 - PadTop;
  localparam int LastRow   = FirstRow + (OutHeight - 1) * StrideH;
  localparam int FlushRow  = LastRow - (FlushRows - 1) * StrideH;  // completed first without input
  localparam int Rows      = LastRow >= Height ? LastRow + 1 : Height;
  localparam int HistBits  = History * PixelBits;
  localparam int XBits     = Beats > 1 ? $clog2(Beats) : 1;
  localparam int YBits     = Rows > 1 ? $clog2(Rows) : 1;
  localparam int BankBits  = Banks > 1 ? $clog2(Banks) : 1;
  localparam int StepBits  = Steps > 1 ? $clog2(Steps) : 1;
  localparam int OutBits   = OutBeats > 1 ? $clog2(OutBeats) : 1;

  `MR_ASSERT_STATIC(LanesInRange, Lanes >= 1 && Lanes <= Width)
  `MR_ASSERT_STATIC(PaddingBelowKernel, PadTop < KernelH && PadLeft < KernelW)
  `MR_ASSERT_STATIC(HistoryHoldsBeat, History >= Lanes)
  `MR_ASSERT_STATIC(FlushEndsInTime, FlushRows <= Height && FlushRows <= FirstRow)

  // Which rows complete an output row, and which steps of these rows give an output beat.
  logic [Rows-1:0]  row_completes;
  logic [Steps-1:0] step_emits;
  for (genvar y = 0; y < Rows; y = y + 1) begin : gen_row
    assign row_completes[y] =
        y < Height && y >= FirstRow && y <= LastRow && (y - FirstRow) % StrideH == 0;
  end
  for (genvar k = 0; k < Steps; k = k + 1) begin : gen_step
    assign step_emits[k] = k >= Lookahead && (k - Lookahead) % BeatSteps == 0 &&
                           (k - Lookahead) / BeatSteps < OutBeats;
  end

  ///////////////////////////
  // Position of the input //
  ///////////////////////////

  logic [XBits-1:0]    x_q;
  logic [XBits-1:0]    x_d;
  logic [YBits-1:0]    y_q;
  logic [BankBits-1:0] bank_q;  // holds the row KernelH - 1 above; this row replaces it
  logic                x_last;

  assign x_last = x_q == XBits'(Beats - 1);
  assign x_d    = !in_valid_i ? x_q : x_last ? '0 : x_q + XBits'(1);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      x_q    <= '0;
      y_q    <= '0;
      bank_q <= '0;
    end else if (in_valid_i) begin
      x_q <= x_d;
      if (x_last) begin
        y_q    <= y_q == YBits'(Height - 1) ? '0 : y_q + YBits'(1);
        bank_q <= bank_q == BankBits'(Banks > 1 ? Banks - 1 : 0) ? '0 : bank_q + BankBits'(1);
      end
    end
  end

  ////////////////
  // Flush rows //
  ////////////////

  logic                flush;      // a step of a flush row, this cycle
  logic [XBits-1:0]    next_x;     // of the next step, whichever it is
  logic [XBits-1:0]    flush_x;
  logic [YBits-1:0]    flush_y;
  logic [BankBits-1:0] flush_bank;

  if (FlushRows > 0) begin : gen_flush
    // The bank that belongs to a row some rows on.
    localparam int StartTurn = Banks > 0 ? (FlushRow - Height + 1) % Banks : 0;
    localparam int RowTurn   = Banks > 0 ? StrideH % Banks : 0;

    logic                flush_q;
    logic                flush_d;
    logic [XBits-1:0]    x_flush_q;
    logic [XBits-1:0]    x_flush_d;
    logic [YBits-1:0]    y_flush_q;
    logic [BankBits-1:0] bank_flush_q;
    logic [BankBits:0]   bank_turned;
    logic                start;

    assign start       = in_valid_i && x_last && y_q == YBits'(Height - 1);
    assign bank_turned = start ? {1'b0, bank_q} + (BankBits + 1)'(StartTurn)
                               : {1'b0, bank_flush_q} + (BankBits + 1)'(RowTurn);

    logic row_starts;
    assign row_starts = start || (flush && x_flush_q == XBits'(Beats - 1));
    assign flush_d    = row_starts ? start || y_flush_q != YBits'(LastRow) : flush_q;
    assign x_flush_d  = row_starts ? '0 : flush ? x_flush_q + XBits'(1) : x_flush_q;
    assign next_x     = flush_d ? x_flush_d : x_d;

    always_ff @(posedge clk_i) begin
      if (rst_i) begin
        flush_q      <= 1'b0;
        x_flush_q    <= '0;
        y_flush_q    <= '0;
        bank_flush_q <= '0;
      end else begin
        flush_q   <= flush_d;
        x_flush_q <= x_flush_d;
        if (row_starts) begin
          y_flush_q    <= start ? YBits'(FlushRow) : y_flush_q + YBits'(StrideH);
          bank_flush_q <= bank_turned >= (BankBits + 1)'(Banks)
                              ? BankBits'(bank_turned - (BankBits + 1)'(Banks))
                              : BankBits'(bank_turned);
        end
      end
    end

    logic paced;
    mr_pace #(.Pace(Pace)) u_pace (
      .clk_i, .rst_i, .start_i(start || flush), .ready_o(paced)
    );
    assign flush      = flush_q && paced;
    assign flush_x    = x_flush_q;
    assign flush_y    = y_flush_q;
    assign flush_bank = bank_flush_q;
  end else begin : gen_no_flush
    assign flush      = 1'b0;
    assign next_x     = x_d;
    assign flush_x    = '0;
    assign flush_y    = '0;
    assign flush_bank = '0;
  end

  ///////////
  // Steps //
  ///////////

  logic                step;  // a step of a row that completes an output row
  logic [XBits-1:0]    step_x;
  logic [YBits-1:0]    step_y;
  logic [BankBits-1:0] step_bank;
  logic                emit_step;

  assign step      = flush || (in_valid_i && row_completes[y_q]);
  assign step_x    = flush ? flush_x : x_q;
  assign step_y    = flush ? flush_y : y_q;
  assign step_bank = flush ? flush_bank : bank_q;
  assign emit_step = step && step_emits[StepBits'(step_x)];

  logic tail;        // a step behind the last beat of such a row, this cycle
  logic tail_first;  // and the first one of that row
  logic emit_tail;

  if (TailSteps > 0) begin : gen_tail
    logic                tail_q;
    logic [StepBits-1:0] tail_step_q;

    always_ff @(posedge clk_i) begin
      if (rst_i) begin
        tail_q      <= 1'b0;
        tail_step_q <= '0;
      end else if (step && step_x == XBits'(Beats - 1)) begin
        tail_q      <= 1'b1;
        tail_step_q <= StepBits'(Beats);
      end else if (tail) begin
        tail_q      <= tail_step_q != StepBits'(Steps - 1);
        tail_step_q <= tail_step_q + StepBits'(1);
      end
    end

    logic paced;
    mr_pace #(.Pace(Pace)) u_pace (
      .clk_i, .rst_i, .start_i((step && step_x == XBits'(Beats - 1)) || tail), .ready_o(paced)
    );
    assign tail       = tail_q && paced;
    assign tail_first = tail_step_q == StepBits'(Beats);
    assign emit_tail  = tail && step_emits[tail_step_q];
  end else begin : gen_no_tail
    assign tail       = 1'b0;
    assign tail_first = 1'b0;
    assign emit_tail  = 1'b0;
  end

  `MR_ASSERT(OneBeatACycle_A, !(emit_step && emit_tail))
  `MR_ASSERT(FlushAlone_A, !(flush && in_valid_i && row_completes[y_q]))

  //////////////////
  // Line buffers //
  //////////////////

  // Row i of the window: bank (step_bank + i) mod Banks, the newest row straight from the input.
  logic [KernelH*BeatBits-1:0] word;

  if (Banks > 0) begin : gen_banks
    logic [Banks*BeatBits-1:0] bank_word;

    for (genvar i = 0; i < Banks; i = i + 1) begin : gen_bank
      mr_line_memory #(.Words(Beats), .Bits(BeatBits), .Block(BlockRam)) u_line (
        .clk_i, .write_i(in_valid_i && bank_q == BankBits'(i)), .write_address_i(x_q),
        .data_i(in_data_i), .address_i(step_x), .next_address_i(next_x),
        .data_o(bank_word[i*BeatBits +: BeatBits])
      );
    end

    for (genvar i = 0; i < Banks; i = i + 1) begin : gen_rotate
      logic [BeatBits-1:0] rotated;
      always_comb begin
        rotated = bank_word[i*BeatBits +: BeatBits];
        for (int turn = 1; turn < Banks; turn = turn + 1) begin
          if (step_bank == BankBits'(turn))
            rotated = bank_word[((i + turn) % Banks)*BeatBits +: BeatBits];
        end
      end
      if (PadRows) begin : gen_mask
        // The row stands Banks - i above the step's row.
        logic outside;
        assign outside = 32'(step_y) < Banks - i || 32'(step_y) >= Height + Banks - i;
        assign word[i*BeatBits +: BeatBits] = outside ? {Lanes{PadPixel}} : rotated;
      end else begin : gen_plain
        assign word[i*BeatBits +: BeatBits] = rotated;
      end
    end
  end else begin : gen_no_banks
    logic unused;
    assign unused = ^next_x;
  end
  assign word[Banks*BeatBits +: BeatBits] = flush ? {Lanes{PadPixel}} : in_data_i;

  /////////////////////////
  // The pixels at hand  //
  /////////////////////////

  logic                out_valid_q;
  logic                from_tail_q;  // the beat comes from the tail's own registers
  logic [OutBits-1:0]  out_beat_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      out_valid_q <= 1'b0;
      from_tail_q <= 1'b0;
      out_beat_q  <= OutBits'(OutBeats - 1);
    end else begin
      out_valid_q <= emit_step || emit_tail;
      from_tail_q <= emit_tail && SeparateTail;
      if (emit_step || emit_tail)
        out_beat_q <= out_beat_q == OutBits'(OutBeats - 1) ? '0 : out_beat_q + OutBits'(1);
    end
  end

  assign out_valid_o = out_valid_q;

  for (genvar i = 0; i < KernelH; i = i + 1) begin : gen_window
    logic [HistBits-1:0]           hist_q;  // newest pixel highest
    logic [HistBits-1:0]           hist_d;
    logic [HistBits-1:0]           hist;
    logic [Span*PixelBits-1:0]     covered;

    if (History > Lanes) begin : gen_shift
      assign hist_d = {word[i*BeatBits +: BeatBits], hist_q[HistBits-1:BeatBits]};
    end else begin : gen_replace
      assign hist_d = word[i*BeatBits +: BeatBits];
    end
    always_ff @(posedge clk_i) begin
      if (step || (tail && !SeparateTail)) hist_q <= hist_d;
    end

    if (SeparateTail) begin : gen_separate_tail
      logic [HistBits-1:0] tail_q;
      logic [HistBits-1:0] tail_source;
      always_ff @(posedge clk_i) if (tail) tail_q <= HistBits'(tail_source >> BeatBits);
      assign tail_source = tail_first ? hist_q : tail_q;
      assign hist        = from_tail_q ? tail_q : hist_q;
    end else begin : gen_shared_tail
      logic unused;
      assign unused = tail_first;
      assign hist   = hist_q;
    end

    mr_window_span #(
      .Width(Width), .PixelBits(PixelBits), .PadLeft(PadLeft), .PadColumns(PadColumns),
      .PadPixel(PadPixel), .Span(Span), .OutBeats(OutBeats), .Advance(Advance),
      .Skew(Blocked ? 0 : Advance - (BeatSteps * Lanes)), .History(History),
      .Base((History) - (PadLeft) - ((Lookahead + 1) * Lanes))
    ) u_span (.out_beat_i(out_beat_q), .hist_i(hist), .covered_o(covered));

    assign out_data_o[i*Span*PixelBits +: Span*PixelBits] = covered;
  end

  logic unused;  // without padding, with fewer than two banks, without a tail
  assign unused = ^{step_y, step_bank, from_tail_q};

endmodule : mr_window

`default_nettype wire

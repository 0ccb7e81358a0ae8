using Polymath.Models;
using Polymath.Tensors;

namespace Polymath.Training;

public sealed partial class TrainingModel
{
    private readonly Scratch _back;

    /// <summary>Sets all gradients to zero.</summary>
    public void ClearGradients() => Gradients.Flat.AsFloats().Clear();

    /// <summary>
    /// Forward and backward: returns the mean cross-entropy in nats and adds its gradient to <see cref="Gradients"/>.
    /// </summary>
    /// <param name="ids">B · T ids, sequence after sequence.</param>
    /// <param name="targets">The id that follows each.</param>
    /// <param name="batch">B.</param>
    public double Learn(ReadOnlySpan<int> ids, ReadOnlySpan<int> targets, int batch)
    {
        Forward(ids, batch);
        double loss = Head(targets, backward: true);
        Scratch d = _back.Cut(_s, _batch, _length);
        d.Stream.AsFloats().Clear();
        RmsNorm.Backward(
            _team, _last.Slice(0, ids.Length), Weights.OutputNorm, d.Normed, d.Stream, Gradients.OutputNorm, _s.NormEpsilon);
        for (int i = _kept.Length - 1; i >= 0; i--)
        {
            Kept a = _kept[i].Cut(_s, _batch, _length);
            FeedForwardBackward(Weights.Blocks[i], Gradients.Blocks[i], a, d);
            AttentionBackward(Weights.Blocks[i], Gradients.Blocks[i], a, d);
        }

        Embedding.Backward(_team, Gradients.Embedding, ids, d.Stream);
        return loss;
    }

    /// <summary>Turns d.Stream from the gradient after the feed-forward layer into that before it.</summary>
    private void FeedForwardBackward(in BlockWeights w, in BlockWeights g, in Kept a, in Scratch d)
    {
        Gemm.Run(_team, d.Stream, false, w.FfnDown, false, d.Hidden);                       // [N, F]
        Gemm.Run(_team, d.Stream, true, a.Hidden, false, g.FfnDown, accumulate: true);      // [D, F]
        Activations.SiluBackward(_team, a.Gate, a.Up, d.Hidden, d.Gate, d.Up);
        Gemm.Run(_team, d.Gate, false, w.FfnGate, false, d.Normed);                         // [N, D]
        Gemm.Run(_team, d.Up, false, w.FfnUp, false, d.Normed, accumulate: true);
        Gemm.Run(_team, d.Gate, true, a.FfnNormed, false, g.FfnGate, accumulate: true);     // [F, D]
        Gemm.Run(_team, d.Up, true, a.FfnNormed, false, g.FfnUp, accumulate: true);         // [F, D]
        RmsNorm.Backward(_team, a.Middle, w.FfnNorm, d.Normed, d.Stream, g.FfnNorm, _s.NormEpsilon);
    }

    /// <summary>Turns d.Stream from the gradient after attention into that before it.</summary>
    private void AttentionBackward(in BlockWeights w, in BlockWeights g, in Kept a, in Scratch d)
    {
        Gemm.Run(_team, d.Stream, false, w.AttnOutput, false, d.Attended);                  // [N, Q]
        Gemm.Run(_team, d.Stream, true, a.Attended, false, g.AttnOutput, accumulate: true); // [D, Q]
        ProductsBackward(a, d);
        Rope.Backward(_team, d.QueryKey, _s.HeadSize, _rope, 0, RopeLayout.Adjacent, _length);
        Gemm.Run(_team, d.QueryKey, false, w.AttnQueryKey, false, d.Normed);                // [N, D]
        Gemm.Run(_team, d.Value, false, w.AttnV, false, d.Normed, accumulate: true);
        Gemm.Run(_team, d.QueryKey, true, a.AttnNormed, false, g.AttnQueryKey, accumulate: true);
        Gemm.Run(_team, d.Value, true, a.AttnNormed, false, g.AttnV, accumulate: true);
        RmsNorm.Backward(_team, a.Input, w.AttnNorm, d.Normed, d.Stream, g.AttnNorm, _s.NormEpsilon);
    }

    /// <summary>From the gradient of each head's output to those of its queries, keys and values.</summary>
    private void ProductsBackward(in Kept a, in Scratch d)
    {
        GemmView p = GemmView.OfScores(a.Scores, _batch, _s.Heads), dp = GemmView.OfScores(d.Scores, _batch, _s.Heads);
        GemmView dy = GemmView.OfHeads(d.Attended, _batch, _s.Heads);
        // Each is lower triangular, so its transpose is upper triangular.
        Gemm.RunBatch(_team, p, true, dy, false, ValueOf(d.Value), triangle: GemmTriangle.UpperA);
        Gemm.RunBatch(_team, dy, false, ValueOf(a.Value), true, dp, triangle: GemmTriangle.LowerC);
        CausalSoftmax.Backward(_team, a.Scores, d.Scores, _length, _scale);
        Gemm.RunBatch(_team, dp, false, KeyOf(a.QueryKey), false, QueryOf(d.QueryKey), triangle: GemmTriangle.LowerA);
        Gemm.RunBatch(_team, dp, true, QueryOf(a.QueryKey), false, KeyOf(d.QueryKey), triangle: GemmTriangle.UpperA);
    }

    /// <summary>Gradients of activations; one set serves all blocks.</summary>
    private readonly struct Scratch
    {
        public Scratch(ModelSettings s, int batch, int length)
        {
            int rows = batch * length;
            Stream = Tensor.Zeros(rows, s.Width);
            Normed = Tensor.Zeros(rows, s.Width);
            Hidden = Tensor.Zeros(rows, s.FeedForward);
            Gate = Tensor.Zeros(rows, s.FeedForward);
            Up = Tensor.Zeros(rows, s.FeedForward);
            Attended = Tensor.Zeros(rows, s.QueryWidth);
            Scores = Tensor.Zeros(checked(s.Heads * rows), length);
            QueryKey = Tensor.Zeros(rows, s.QueryWidth + s.KeyValueWidth);
            Value = Tensor.Zeros(rows, s.KeyValueWidth);
        }

        public Tensor Stream { get; private init; }    // [N, D], of the residual stream

        public Tensor Normed { get; private init; }    // [N, D], of what a norm gives

        public Tensor Hidden { get; private init; }    // [N, F]

        public Tensor Gate { get; private init; }      // [N, F]

        public Tensor Up { get; private init; }        // [N, F]

        public Tensor Attended { get; private init; }  // [N, Q]

        public Tensor Scores { get; private init; }    // [B · H · T, T]

        public Tensor QueryKey { get; private init; }  // [N, Q + K]

        public Tensor Value { get; private init; }     // [N, K]

        /// <summary>The same memory for a smaller batch.</summary>
        public Scratch Cut(ModelSettings s, int batch, int length)
        {
            int rows = batch * length;
            return new Scratch
            {
                Stream = Stream.Slice(0, rows),
                Normed = Normed.Slice(0, rows),
                Hidden = Hidden.Slice(0, rows),
                Gate = Gate.Slice(0, rows),
                Up = Up.Slice(0, rows),
                Attended = Attended.Slice(0, rows),
                Scores = Part(Scores, s.Heads * rows, length),
                QueryKey = QueryKey.Slice(0, rows),
                Value = Value.Slice(0, rows),
            };
        }
    }
}

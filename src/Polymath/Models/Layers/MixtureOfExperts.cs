using Polymath.Tensors;

namespace Polymath.Models.Layers;

/// <summary>How the router's logits become the weights of the chosen experts.</summary>
internal enum Gating
{
    /// <summary>Softmax over all experts, then the best are chosen.</summary>
    Softmax,

    /// <summary>The best are chosen, then softmax over them.</summary>
    SoftmaxOfChosen,
}

/// <summary>
/// Feed-forward layers of which each token goes through the few that its router chooses (Shazeer et al. 2017,
/// arXiv:1701.06538; Jiang et al. 2024, arXiv:2401.04088). Tokens are gathered by expert, so that an expert's weights are
/// read once for all of them; each token's sum is taken in the order of its router's choice, whatever the batch.
/// </summary>
internal sealed record MixtureOfExperts
{
    /// <summary>E.</summary>
    public required int Experts { get; init; }

    /// <summary>Experts a token goes through.</summary>
    public required int Used { get; init; }

    /// <summary>[E, D].</summary>
    public required Linear Router { get; init; }

    /// <summary>[E·F, D], bias [E, F]; empty for experts without a gate.</summary>
    public Linear Gate { get; init; }

    /// <summary>[E·F, D], bias [E, F].</summary>
    public required Linear Up { get; init; }

    /// <summary>[E·D, F], bias [E, D].</summary>
    public required Linear Down { get; init; }

    /// <summary>How logits become weights.</summary>
    public Gating Gating { get; init; } = Gating.Softmax;

    /// <summary>The weights of a token are divided by their sum.</summary>
    public bool Normalize { get; init; }

    /// <summary>Factor on the weights.</summary>
    public float Scale { get; init; } = 1;

    /// <summary>Between the matrices.</summary>
    public Activation Activation { get; init; } = Activation.Silu;

    /// <summary>Reads ffn_gate_inp, ffn_gate_exps where it is there, ffn_up_exps and ffn_down_exps under blk.{layer}.</summary>
    /// <exception cref="Files.ModelFormatException">A tensor is missing or misshapen.</exception>
    public static MixtureOfExperts Read(WeightReader w, int layer)
    {
        ModelSettings s = w.Settings;
        if (s.Experts == 0)
            throw w.Bad("expert_count", 0);
        string b = $"blk.{layer}.ffn_";
        float scale = w.Single("expert_weights_scale", 1);
        return new MixtureOfExperts
        {
            Experts = s.Experts,
            Used = s.ExpertsUsed,
            Router = w.Linear(b + "gate_inp", s.Experts, s.Width),
            Gate = w.Contains(b + "gate_exps.weight") ? w.Experts(b + "gate_exps", s.ExpertFeedForward, s.Width) : default,
            Up = w.Experts(b + "up_exps", s.ExpertFeedForward, s.Width),
            Down = w.Experts(b + "down_exps", s.Width, s.ExpertFeedForward),
            Scale = scale == 0 ? 1 : scale,
        };
    }

    /// <summary>The tokens x [T, D], normalised, through their experts: [T, D].</summary>
    public Tensor Run(Pass p, Tensor x)
    {
        Tensor y = p.Rent(x.Rows, x.Columns);
        long mark = p.Mark;
        Tensor weights = p.Rent(x.Rows, Used);                         // [T, used]
        Span<int> chosen = p.RentIntegers(checked(x.Rows * Used));     // token t: t·used … t·used + used − 1
        Route(p.Linear(x, Router), weights, chosen);
        Tensor parts = p.Rent(checked(x.Rows * Used), x.Columns);      // [T·used, D]
        for (int expert = 0; expert < Experts; expert++)
        {
            long each = p.Mark;
            RunExpert(p, expert, x, chosen, parts);
            p.Release(each);
        }

        y.AsFloats().Clear();
        for (int slot = 0; slot < parts.Rows; slot++)
            Elementwise.AddScaled(parts.Slice(slot, 1), weights.AsFloats()[slot], y.Slice(slot / Used, 1));
        p.Release(mark);
        return y;
    }

    /// <summary>The tokens that chose <paramref name="expert"/> through it, each result into its row of parts [T·used, D].</summary>
    private void RunExpert(Pass p, int expert, Tensor x, ReadOnlySpan<int> chosen, Tensor parts)
    {
        int count = chosen.Count(expert);
        if (count == 0)
            return;
        p.ThrowIfCancelled();
        Tensor some = p.Rent(count, x.Columns);                        // [n, D]
        int row = 0;
        for (int slot = 0; slot < chosen.Length; slot++)
        {
            if (chosen[slot] == expert)
                x.Row(slot / Used).CopyTo(some.Row(row++));
        }

        Tensor result = p.Linear(Hidden(p, expert, some), Expert(Down, expert));                 // [n, D]
        row = 0;
        for (int slot = 0; slot < chosen.Length; slot++)
        {
            if (chosen[slot] == expert)
                result.Row(row++).CopyTo(parts.Row(slot));
        }
    }

    /// <summary>f(gate(x)) × up(x), or f(up(x)), of one expert: [n, F].</summary>
    private Tensor Hidden(Pass p, int expert, Tensor x)
    {
        if (Gate.Weight.IsEmpty)
            return p.Activate(Activation, p.Linear(x, Expert(Up, expert)));
        (Tensor gate, Tensor up) = p.Linear(x, Expert(Gate, expert), Expert(Up, expert));        // [n, F] each
        return p.Gate(Activation, gate, up);
    }

    private Linear Expert(Linear all, int expert)
    {
        int rows = all.Weight.Rows / Experts;
        return new Linear(all.Weight.Slice(expert * rows, rows), all.Bias.IsEmpty ? default : all.Bias.Slice(expert, 1))
        {
            Name = all.Name,
            Expert = expert,
            IsFinite = all.IsFinite,
            Interleaved = all.Interleaved.IsEmpty ? default : all.Interleaved.Slice(expert * rows, rows),
        };
    }

    private void Route(Tensor logits, Tensor weights, Span<int> chosen)
    {
        for (int t = 0; t < logits.Rows; t++)
        {
            Span<float> scores = logits.Row(t), w = weights.Row(t);
            Span<int> best = chosen.Slice(t * Used, Used);
            if (Gating == Gating.Softmax)
                Softmax.Run(scores);
            Choose(scores, best);
            for (int i = 0; i < best.Length; i++)
                w[i] = scores[best[i]];
            if (Gating == Gating.SoftmaxOfChosen)
                Softmax.Run(w);
            Weigh(w);
        }
    }

    /// <summary>The best experts, best first; of equals, and where scores are no numbers, the first.</summary>
    private static void Choose(ReadOnlySpan<float> scores, Span<int> best)
    {
        int count = 0;
        for (int e = 0; e < scores.Length; e++)
        {
            int at = count;
            while (at > 0 && scores[e] > scores[best[at - 1]])
                at--;
            if (at == best.Length)
                continue;
            int end = Math.Min(count, best.Length - 1);
            best[at..end].CopyTo(best[(at + 1)..]);
            best[at] = e;
            count = end + 1;
        }
    }

    private void Weigh(Span<float> weights)
    {
        const float Least = 6.103515625e-5f;   // the smallest normal F16: what the reference divides by at least
        float sum = 0;
        foreach (float weight in weights)
            sum += weight;
        float factor = Normalize ? Scale / Math.Max(sum, Least) : Scale;
        foreach (ref float weight in weights)
            weight *= factor;
    }
}

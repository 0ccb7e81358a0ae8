using Polymath.Files;
using Polymath.Tensors;
using Polymath.Text;

namespace Polymath.Models;

/// <summary>A decoder's states, as Qwen 3 Embedding uses them: one text after the other, in an F32 cache.</summary>
internal sealed class DecoderStates(Model model) : HiddenStates
{
    private const int FewestTokens = 512;

    private Session? _session;

    /// <inheritdoc/>
    public override ModelSettings Settings => model.Settings;

    /// <inheritdoc/>
    public override WeightSource Source => model.Source;

    /// <inheritdoc/>
    public override ThreadTeam Team => model.Team;

    /// <inheritdoc/>
    public override Tokenizer Tokenizer => model.Tokenizer;

    /// <inheritdoc/>
    public override int MaxTokens => Math.Min(Settings.ContextLength, model.Decoder.MaxContext);

    /// <inheritdoc/>
    public override bool IsCausal => true;

    /// <inheritdoc/>
    public override void Run(IReadOnlyList<int[]> texts, TakeStates take, CancellationToken cancellation)
    {
        for (int i = 0; i < texts.Count; i++)
        {
            Session session = SessionFor(texts[i].Length);
            session.Rewind(0);
            int batch = Math.Min(model.BatchSize, session.Capacity);
            for (int done = 0; done < texts[i].Length;)
            {
                int count = Math.Min(batch, texts[i].Length - done);
                take(i, done, session.ForwardHidden(texts[i].AsSpan(done, count), cancellation));
                done += count;
            }
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _session?.Dispose();
        model.Dispose();
    }

    /// <summary>A session for a text of so many tokens. Its rotations depend on the text's length alone, never on other texts.</summary>
    private Session SessionFor(int tokens)
    {
        bool isLong = model.Decoder.IsLong(tokens);
        if (_session is { } open && open.Capacity >= tokens && model.Decoder.IsLong(open.Capacity) == isLong)
            return open;
        _session?.Dispose();
        _session = null;
        int roomy = (int)Math.Min(MaxTokens, System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(tokens, FewestTokens)));
        int capacity = model.Decoder.IsLong(roomy) == isLong ? roomy : tokens;
        return _session = model.NewSession(new SessionOptions
        {
            ContextLength = capacity,
            KeyFormat = TensorFormat.F32,
            ValueFormat = TensorFormat.F32,
        });
    }
}

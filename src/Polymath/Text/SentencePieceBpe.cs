using System.Runtime.CompilerServices;
using Polymath.Files;

namespace Polymath.Text;

/// <summary>
/// SentencePiece's BPE (Kudo and Richardson 2018): neighbours join where the result is a token, the highest score first
/// and the leftmost among equals, until none is left.
/// </summary>
internal sealed class SentencePieceBpe : MetaspaceBpe
{
    private const int ShortLength = 32;

    private readonly int[] _orders; // [V] 0 for the highest score; equal scores share a number

    /// <summary>Builds the tokenizer.</summary>
    /// <param name="vocabulary">The checked tables.</param>
    /// <param name="scores">[V].</param>
    /// <param name="prefix">Where a space is put in front.</param>
    public SentencePieceBpe(Vocabulary vocabulary, float[] scores, SpacePrefix prefix)
        : base(vocabulary, prefix, fusesUnknown: false) => _orders = Rank(vocabulary, scores);

    /// <summary>Reads tokenizer.ggml.* of the model kind llama.</summary>
    public static SentencePieceBpe Read(Metadata metadata, string name)
    {
        Vocabulary vocabulary = Vocabulary.FromMetadata(metadata, name, (1, 2, 0));
        vocabulary.AddsBegin = metadata.GetBool("tokenizer.ggml.add_bos_token", true)!.Value;
        vocabulary.AddsEnd = metadata.GetBool("tokenizer.ggml.add_eos_token", false)!.Value;
        bool prefix = metadata.GetBool("tokenizer.ggml.add_space_prefix", true)!.Value;
        return new SentencePieceBpe(vocabulary, ReadScores(metadata, vocabulary), prefix ? SpacePrefix.Always : SpacePrefix.None);
    }

    /// <inheritdoc/>
    protected override void MergePiece(ReadOnlySpan<byte> piece, int before, Workspace space)
    {
        Span<int> starts = space.Symbols(piece.Length + 1);
        int count = 0;
        for (int at = 0; at < piece.Length; at += CharacterLength(piece[at]))
            starts[count++] = at;
        starts[count] = piece.Length;
        if (count <= ShortLength)
        {
            count = MergeShort(piece, starts, count);
            for (int i = 0; i < count; i++)
                EmitSymbol(piece[starts[i]..starts[i + 1]], before, space.Ids);
            return;
        }

        var rule = new Rule(this, piece, starts);
        space.Queue.Run(ref rule, count);
        for (int node = 0; node < count; node = space.Queue.Next(node))
            EmitSymbol(piece[starts[node]..starts[space.Queue.Next(node)]], before, space.Ids);
    }

    private void EmitSymbol(ReadOnlySpan<byte> symbol, int before, IntList ids)
    {
        int id = Table.Find(symbol);
        if (id >= 0)
            ids.Add(id);
        else
            EmitWithoutToken(symbol, before, ids);
    }

    private int Order(ReadOnlySpan<byte> joined)
    {
        int id = joined.Length <= Table.LongestIndexed ? Table.Find(joined) : -1;
        return id < 0 ? MergeTable.Never : _orders[id];
    }

    /// <summary>Joins by looking through all pairs each time; returns how many symbols are left.</summary>
    [SkipLocalsInit]
    private int MergeShort(ReadOnlySpan<byte> piece, Span<int> starts, int count)
    {
        Span<int> orders = stackalloc int[ShortLength];
        for (int i = 0; i + 1 < count; i++)
            orders[i] = Order(piece[starts[i]..starts[i + 2]]);
        while (count > 1)
        {
            int best = MergeTable.Never;
            int at = 0;
            for (int i = 0; i + 1 < count; i++)
            {
                if (orders[i] < best)
                {
                    best = orders[i];
                    at = i;
                }
            }

            if (best == MergeTable.Never)
                break;
            for (int i = at + 1; i < count; i++)
            {
                starts[i] = starts[i + 1];
                if (i + 1 < count)
                    orders[i] = orders[i + 1];
            }

            count--;
            if (at > 0)
                orders[at - 1] = Order(piece[starts[at - 1]..starts[at + 1]]);
            if (at + 1 < count)
                orders[at] = Order(piece[starts[at]..starts[at + 2]]);
        }

        return count;
    }

    /// <summary>The scores of a GGUF file; zeros where it has none.</summary>
    public static float[] ReadScores(Metadata metadata, Vocabulary vocabulary)
    {
        const string Key = "tokenizer.ggml.scores";
        if (!metadata.TryGet(Key, out MetadataValue? stored))
            return new float[vocabulary.Count];
        float[] scores = stored.Value is int[] whole
            ? Array.ConvertAll(whole, value => (float)value)
            : metadata.GetArray<float>(Key)!;
        if (scores.Length != vocabulary.Count)
            throw new ModelFormatException($"{vocabulary.Name}: {Key} has {scores.Length} entries for {vocabulary.Count} tokens");
        return scores;
    }

    private static int[] Rank(Vocabulary vocabulary, float[] scores)
    {
        int bad = Array.FindIndex(scores, float.IsNaN);
        if (bad >= 0)
            throw new ModelFormatException($"{vocabulary.Name}: the score of token {bad} is not a number");
        float[] sorted = [.. scores.Distinct().OrderDescending()];
        var ranks = new Dictionary<float, int>(sorted.Length);
        for (int i = 0; i < sorted.Length; i++)
            ranks[sorted[i]] = i;
        return Array.ConvertAll(scores, score => ranks[score]);
    }

    private readonly ref struct Rule(SentencePieceBpe tokenizer, ReadOnlySpan<byte> piece, ReadOnlySpan<int> starts) : IMergeRule
    {
        private readonly ReadOnlySpan<byte> _piece = piece;
        private readonly ReadOnlySpan<int> _starts = starts;

        public int Order(int left, int right, int end) => tokenizer.Order(_piece[_starts[left].._starts[end]]);

        public void Join(int left, int right)
        {
        }
    }
}

namespace Polymath.Text;

/// <summary>
/// BPE with a list of merges over characters, spaces written as U+2581 and nothing cut beforehand, as Hugging Face files
/// store SentencePiece vocabularies.
/// </summary>
internal sealed class RankedBpe : MetaspaceBpe
{
    private readonly MergeTable _merges;

    /// <summary>Builds the tokenizer.</summary>
    /// <param name="vocabulary">The checked tables.</param>
    /// <param name="merges">Pairs of token texts in the order in which they join.</param>
    /// <param name="prefix">Where a space is put in front.</param>
    /// <param name="fusesUnknown">Several characters without a token in a row become one unknown token.</param>
    public RankedBpe(
        Vocabulary vocabulary, IReadOnlyList<(string Left, string Right)> merges, SpacePrefix prefix, bool fusesUnknown)
        : base(vocabulary, prefix, fusesUnknown) => _merges = MergeList.Build(vocabulary, merges);

    /// <inheritdoc/>
    protected override void MergePiece(ReadOnlySpan<byte> piece, int before, Workspace space)
    {
        Span<int> symbols = space.Symbols(piece.Length);
        int count = 0;
        for (int at = 0; at < piece.Length;)
        {
            ReadOnlySpan<byte> character = piece.Slice(at, CharacterLength(piece[at]));
            at += character.Length;
            int id = Table.Find(character);
            if (id >= 0 || !HasBytes(character))
            {
                symbols[count++] = id;
                continue;
            }

            foreach (byte value in character)
                symbols[count++] = ByteId(value);
        }

        symbols = symbols[.._merges.Merge(symbols[..count], space.Queue)];
        foreach (int id in symbols)
        {
            if (id >= 0)
                space.Ids.Add(id);
            else
                EmitUnknown(before, space.Ids);
        }
    }
}

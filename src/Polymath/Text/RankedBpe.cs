using Polymath.Files;

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
    /// <param name="cuts">Where nothing joins over.</param>
    /// <param name="normalizer">Changes the text before all else, or null.</param>
    public RankedBpe(
        Vocabulary vocabulary, IReadOnlyList<(string Left, string Right)> merges, SpacePrefix prefix, bool fusesUnknown,
        MetaspaceCuts cuts = MetaspaceCuts.None, Func<string, string>? normalizer = null)
        : base(vocabulary, prefix, fusesUnknown, cuts, normalizer) => _merges = MergeList.Build(vocabulary, merges);

    /// <summary>Reads tokenizer.ggml.* of Gemma 4 and others whose pieces are characters, cut at line feeds only.</summary>
    public static RankedBpe Read(Metadata metadata, string name, MetaspaceCuts cuts)
    {
        Vocabulary vocabulary = Vocabulary.FromMetadata(metadata, name, (null, null, null));
        for (int id = 0; id < vocabulary.Count; id++)
        {
            if (vocabulary.Kinds[id] == TokenKind.Normal && IsByteText(vocabulary.Texts[id]))
                vocabulary.Kinds[id] = TokenKind.Byte;
        }

        bool begins = cuts == MetaspaceCuts.WholeLineFeeds || metadata.GetBool("tokenizer.ggml.add_bos_token", false)!.Value;
        vocabulary.AddsBegin = begins;
        vocabulary.AddsEnd = metadata.GetBool("tokenizer.ggml.add_eos_token", false)!.Value;
        return new RankedBpe(vocabulary, MergeList.Read(metadata, name), SpacePrefix.None, fusesUnknown: false, cuts);
    }

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

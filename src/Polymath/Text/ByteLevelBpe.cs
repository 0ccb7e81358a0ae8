using System.Text;
using Polymath.Files;
using Polymath.Text.PreTokenizers;

namespace Polymath.Text;

/// <summary>
/// Byte-pair encoding over the bytes of UTF-8 text, as GPT-2 introduced it (Radford et al. 2019): the text is cut into
/// pieces, each piece starts as its bytes, and neighbours join in the order in which the vocabulary learnt them.
/// </summary>
internal sealed class ByteLevelBpe : TableTokenizer
{
    private readonly PreTokenizer _splitter;
    private readonly bool _wholeTokensFirst;
    private readonly bool _spaceInFront;
    private readonly MergeTable _merges;
    private readonly int[] _byteIds; // [256], -1 where a byte has no token

    /// <summary>
    /// What joining the bytes of a token gives: 0 not known yet, 1 the token itself, 2 something else. Filled as tokens
    /// are met; threads that race write the same values.
    /// </summary>
    private readonly byte[] _whole;

    /// <summary>Builds the tokenizer.</summary>
    /// <param name="vocabulary">The checked tables.</param>
    /// <param name="merges">Pairs of token texts in the order in which they join.</param>
    /// <param name="splitter">Cuts texts into pieces, and how pieces that are tokens are treated.</param>
    /// <param name="normalizer">Changes the text before all else, or null.</param>
    /// <exception cref="ModelFormatException">A merge of absent tokens, or bytes without a token.</exception>
    public ByteLevelBpe(
        Vocabulary vocabulary, IReadOnlyList<(string Left, string Right)> merges, PreTokenizerEntry splitter,
        Func<string, string>? normalizer = null)
        : base(vocabulary, MakeTable(vocabulary), normalizer)
    {
        _spaceInFront = splitter.SpaceInFront;
        _splitter = splitter.Splitter;
        _wholeTokensFirst = splitter.WholeTokensFirst;
        _merges = MergeList.Build(vocabulary, merges);
        _byteIds = MakeByteIds(vocabulary);
        _whole = new byte[vocabulary.Count];
    }

    /// <summary>Reads tokenizer.ggml.* of the model kind gpt2; some of its names are for another kind of BPE.</summary>
    public static Tokenizer Read(Metadata metadata, string name)
    {
        string pre = metadata.GetString("tokenizer.ggml.model") == "gemma4" ? "gemma4" : metadata.GetString("tokenizer.ggml.pre", "default");
        if (pre is "gemma4" or "granite-embed-multi-311m")
            return RankedBpe.Read(metadata, name, MetaspaceBpe.MetaspaceCuts.WholeLineFeeds);
        if (pre == "sarvam-moe")
            return RankedBpe.Read(metadata, name, MetaspaceBpe.MetaspaceCuts.LineFeeds);
        PreTokenizerEntry splitter = PreTokenizerTable.Find(pre) ?? throw new ModelFormatException(
            $"{name}: the pre-tokenizer '{pre}' is not supported; supported are {string.Join(", ", PreTokenizerTable.AllNames)}");
        Vocabulary vocabulary = Vocabulary.FromMetadata(metadata, name, (null, null, null));
        vocabulary.AddsBegin = metadata.GetBool("tokenizer.ggml.add_bos_token", splitter.AddsBegin)!.Value;
        vocabulary.AddsEnd = metadata.GetBool("tokenizer.ggml.add_eos_token", false)!.Value;
        return new ByteLevelBpe(vocabulary, MergeList.Read(metadata, name), splitter);
    }

    /// <inheritdoc/>
    protected override void EncodePlain(ReadOnlySpan<char> text, bool first, Workspace space)
    {
        if (_spaceInFront && text[0] != ' ')
            text = " " + text.ToString();
        space.Ends.Clear();
        _splitter.Split(text, space.Ends);
        int start = 0;
        foreach (int end in space.Ends.Span)
        {
            EncodePiece(text[start..end], space);
            start = end;
        }
    }

    private void EncodePiece(ReadOnlySpan<char> piece, Workspace space)
    {
        byte[] buffer = space.Bytes(checked(piece.Length * 3));
        ReadOnlySpan<byte> bytes = buffer.AsSpan(0, ToUtf8(piece, buffer));
        int whole = bytes.Length <= Table.LongestIndexed ? Table.Find(bytes) : -1;
        if (whole >= 0 && (_wholeTokensFirst || _whole[whole] == 1))
        {
            space.Ids.Add(whole);
            return;
        }

        Span<int> symbols = space.Symbols(bytes.Length);
        for (int i = 0; i < bytes.Length; i++)
            symbols[i] = _byteIds[bytes[i]];
        symbols = symbols[.._merges.Merge(symbols, space.Queue)];
        if (whole >= 0)
            _whole[whole] = (byte)(symbols is [int only] && only == whole ? 1 : 2);
        if (!symbols.Contains(-1))
        {
            space.Ids.Add(symbols);
            return;
        }

        foreach (int id in symbols)
            space.Ids.Add(id >= 0 ? id : Vocabulary.UnknownId!.Value);
    }

    /// <summary>UTF-8 of a piece; most are short and ASCII.</summary>
    private static int ToUtf8(ReadOnlySpan<char> piece, byte[] buffer)
    {
        for (int i = 0; i < piece.Length; i++)
        {
            if (piece[i] > 0x7F)
                return Encoding.UTF8.GetBytes(piece, buffer);
            buffer[i] = (byte)piece[i];
        }

        return piece.Length;
    }

    private static TokenTable MakeTable(Vocabulary vocabulary)
    {
        var bytes = new byte[vocabulary.Count][];
        for (int id = 0; id < bytes.Length; id++)
        {
            bytes[id] = vocabulary.Kinds[id] switch
            {
                TokenKind.Control or TokenKind.Unknown => [],
                TokenKind.UserDefined => Encoding.UTF8.GetBytes(vocabulary.Texts[id]),
                _ => ByteAlphabet.Decode(vocabulary.Texts[id]),
            };
        }

        return new TokenTable(bytes, id => vocabulary.Kinds[id] == TokenKind.Normal);
    }

    private static int[] MakeByteIds(Vocabulary vocabulary)
    {
        var ids = new int[256];
        for (int value = 0; value < 256; value++)
        {
            string text = ByteAlphabet.ToChar((byte)value).ToString();
            ids[value] = vocabulary.Ids.TryGetValue(text, out int id) && !vocabulary.IsSpecial(id) ? id : -1;
            bool occurs = value is not (0xC0 or 0xC1 or >= 0xF5); // never in UTF-8
            if (ids[value] < 0 && occurs && vocabulary.UnknownId is null)
                throw new ModelFormatException($"{vocabulary.Name}: no token for the byte 0x{value:X2}, and no unknown token");
        }

        return ids;
    }
}

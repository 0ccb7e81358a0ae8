using System.Text;
using Polymath.Files;

namespace Polymath.Text;

/// <summary>
/// What tokenizers share that write a space as U+2581 and join characters across a whole text: the space in front, the
/// cut into pieces that nothing can join over, bytes for characters without a token. Inside, U+2581 is a space
/// again: the two mean the same to such a vocabulary.
/// </summary>
internal abstract class MetaspaceBpe : TableTokenizer
{
    private const int NeighbourBits = 19;

    private static readonly byte[] Metaspace = [0xE2, 0x96, 0x81];

    private readonly SpacePrefix _prefix;
    private readonly MetaspaceCuts _cuts;
    private readonly bool _fusesUnknown;
    private readonly int[] _byteIds; // [256], -1 where there is no token <0xXX>

    /// <summary>Pairs of characters that stand together in some token, as a hashed bit set: between others nothing joins.</summary>
    private readonly ulong[] _neighbours = new ulong[1 << (NeighbourBits - 6)];

    /// <summary>What joining the characters of a token gives: 0 not known yet, 1 the token itself, 2 something else.</summary>
    private readonly byte[] _whole;

    /// <summary>Makes the shared part.</summary>
    /// <param name="vocabulary">The checked tables.</param>
    /// <param name="prefix">Where a space is put in front.</param>
    /// <param name="fusesUnknown">Several characters without a token in a row become one unknown token.</param>
    /// <param name="cuts">Where nothing joins over.</param>
    /// <param name="normalizer">Changes the text before all else, or null.</param>
    /// <exception cref="ModelFormatException">Neither byte tokens nor an unknown token.</exception>
    protected MetaspaceBpe(
        Vocabulary vocabulary, SpacePrefix prefix, bool fusesUnknown, MetaspaceCuts cuts = MetaspaceCuts.None,
        Func<string, string>? normalizer = null)
        : base(vocabulary, MakeTable(vocabulary), normalizer)
    {
        _prefix = prefix;
        _cuts = cuts;
        _fusesUnknown = fusesUnknown;
        _byteIds = MakeByteIds(vocabulary);
        _whole = new byte[vocabulary.Count];
        for (int id = 0; id < vocabulary.Count; id++)
        {
            if (vocabulary.Kinds[id] is TokenKind.Normal or TokenKind.UserDefined)
                AddNeighbours(Table[id]);
        }
    }

    /// <summary>When a space is put in front of a text.</summary>
    internal enum SpacePrefix
    {
        /// <summary>Never.</summary>
        None,

        /// <summary>Before the text and after every special token.</summary>
        Always,

        /// <summary>Before the text, unless it starts with a space or a special token.</summary>
        FirstUnlessSpace,

        /// <summary>Before the text and after every special token, unless a space is there.</summary>
        AlwaysUnlessSpace,
    }

    /// <summary>Where nothing joins over.</summary>
    [Flags]
    internal enum MetaspaceCuts
    {
        None = 0,

        /// <summary>Before each space.</summary>
        Spaces = 1,

        /// <summary>Between line feeds and all else.</summary>
        LineFeeds = 2,

        /// <summary>The same, and a run of line feeds that is a token is that token.</summary>
        WholeLineFeeds = 6,
    }

    /// <inheritdoc/>
    internal sealed override bool DropsLeadingSpace => _prefix != SpacePrefix.None;

    /// <inheritdoc/>
    protected sealed override void EncodePlain(ReadOnlySpan<char> text, bool first, Workspace space)
    {
        byte[] buffer = space.Bytes(checked((text.Length * 3) + 1));
        int prefix = TakesPrefix(_prefix, text, first) ? 1 : 0;
        buffer[0] = (byte)' ';
        int length = prefix + Encoding.UTF8.GetBytes(text, buffer.AsSpan(prefix));
        ReadOnlySpan<byte> bytes = buffer.AsSpan(0, ToSpaces(buffer.AsSpan(0, length)));
        int before = space.Ids.Count;
        int start = 0;
        int previous = -1;
        for (int at = 0; at < bytes.Length;)
        {
            Rune.DecodeFromUtf8(bytes[at..], out Rune rune, out int width);
            if (previous >= 0 && (!AreNeighbours(previous, rune.Value) || CutsBetween(previous, rune.Value)))
            {
                EncodePiece(bytes[start..at], before, space);
                start = at;
            }

            previous = rune.Value;
            at += width;
        }

        EncodePiece(bytes[start..], before, space);
    }

    /// <summary>Joins the characters of a piece and adds the ids of what is left.</summary>
    /// <param name="piece">UTF-8, not empty.</param>
    /// <param name="before">Number of ids before the running text.</param>
    /// <param name="space">Work space.</param>
    protected abstract void MergePiece(ReadOnlySpan<byte> piece, int before, Workspace space);

    /// <summary>Adds a symbol without a token: its bytes, else the unknown token.</summary>
    protected void EmitWithoutToken(ReadOnlySpan<byte> symbol, int before, IntList ids)
    {
        if (!HasBytes(symbol))
        {
            EmitUnknown(before, ids);
            return;
        }

        foreach (byte value in symbol)
            ids.Add(_byteIds[value]);
    }

    /// <summary>Adds the unknown token, once for several in a row where the vocabulary wants that.</summary>
    /// <param name="before">Number of ids before the running text.</param>
    /// <param name="ids">Gets the id.</param>
    protected void EmitUnknown(int before, IntList ids)
    {
        int unknown = Vocabulary.UnknownId!.Value;
        if (!_fusesUnknown || ids.Count == before || ids.Span[^1] != unknown)
            ids.Add(unknown);
    }

    /// <summary>The id of the byte token of <paramref name="value"/>, or -1.</summary>
    protected int ByteId(byte value) => _byteIds[value];

    /// <summary>True when every byte has a token of its own.</summary>
    protected bool HasBytes(ReadOnlySpan<byte> bytes)
    {
        foreach (byte value in bytes)
        {
            if (_byteIds[value] < 0)
                return false;
        }

        return true;
    }

    /// <summary>Bytes of the character that starts with <paramref name="lead"/> in valid UTF-8.</summary>
    public static int CharacterLength(byte lead) => lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;

    private void EncodePiece(ReadOnlySpan<byte> piece, int before, Workspace space)
    {
        int whole = piece.Length <= Table.LongestIndexed ? Table.Find(piece) : -1;
        bool lines = (_cuts & MetaspaceCuts.WholeLineFeeds) == MetaspaceCuts.WholeLineFeeds && piece[0] == (byte)'\n';
        if (whole >= 0 && (_whole[whole] == 1 || lines))
        {
            space.Ids.Add(whole);
            return;
        }

        int count = space.Ids.Count;
        MergePiece(piece, before, space);
        if (whole >= 0)
            _whole[whole] = (byte)(space.Ids.Count == count + 1 && space.Ids.Span[count] == whole ? 1 : 2);
    }

    private bool CutsBetween(int left, int right) => _cuts != MetaspaceCuts.None
        && ((right == ' ' && (_cuts & MetaspaceCuts.Spaces) != 0)
            || ((left == '\n') != (right == '\n') && (_cuts & MetaspaceCuts.LineFeeds) != 0));

    /// <summary>True when a space is put in front of a text, which is not empty.</summary>
    public static bool TakesPrefix(SpacePrefix prefix, ReadOnlySpan<char> text, bool first) => prefix switch
    {
        SpacePrefix.Always => true,
        SpacePrefix.FirstUnlessSpace => first && text[0] is not (' ' or '\u2581'),
        SpacePrefix.AlwaysUnlessSpace => text[0] is not (' ' or '\u2581'),
        _ => false,
    };

    /// <summary>Makes U+2581 a space; returns the new length.</summary>
    public static int ToSpaces(Span<byte> bytes)
    {
        int written = 0;
        for (int read = 0; ;)
        {
            int step = bytes[read..].IndexOf(Metaspace);
            ReadOnlySpan<byte> keep = step < 0 ? bytes[read..] : bytes.Slice(read, step);
            keep.CopyTo(bytes[written..]);
            written += keep.Length;
            if (step < 0)
                return written;
            bytes[written++] = (byte)' ';
            read += step + Metaspace.Length;
        }
    }

    private void AddNeighbours(ReadOnlySpan<byte> token)
    {
        int previous = -1;
        foreach (Rune rune in Encoding.UTF8.GetString(token).EnumerateRunes())
        {
            int bit = Bit(previous, rune.Value);
            if (previous >= 0)
                _neighbours[bit >> 6] |= 1UL << (bit & 63);
            previous = rune.Value;
        }
    }

    private bool AreNeighbours(int left, int right)
    {
        int bit = Bit(left, right);
        return (_neighbours[bit >> 6] & (1UL << (bit & 63))) != 0;
    }

    private static int Bit(int left, int right) =>
        (int)(((((uint)left * 0x9E3779B1u) ^ (uint)right) * 0x85EBCA6Bu) >> (32 - NeighbourBits));

    /// <summary>Bytes of the tokens, spaces as spaces.</summary>
    public static TokenTable MakeTable(Vocabulary vocabulary)
    {
        var bytes = new byte[vocabulary.Count][];
        for (int id = 0; id < bytes.Length; id++)
        {
            string text = vocabulary.Texts[id];
            bytes[id] = vocabulary.Kinds[id] switch
            {
                TokenKind.Control or TokenKind.Unknown => [],
                TokenKind.Byte => [ByteOf(vocabulary, id)],
                _ => Encoding.UTF8.GetBytes(text.Replace('\u2581', ' ')),
            };
        }

        return new TokenTable(bytes, id => vocabulary.Kinds[id] == TokenKind.Normal
            && !vocabulary.Texts[id].Contains(' ', StringComparison.Ordinal));
    }

    private static int[] MakeByteIds(Vocabulary vocabulary)
    {
        int[] ids = FindByteIds(vocabulary);
        if (ids.Contains(-1) && vocabulary.UnknownId is null)
            throw new ModelFormatException($"{vocabulary.Name}: neither tokens for all bytes nor an unknown token");
        return ids;
    }

    /// <summary>The token of each byte, or -1.</summary>
    public static int[] FindByteIds(Vocabulary vocabulary)
    {
        var ids = new int[256];
        Array.Fill(ids, -1);
        for (int id = 0; id < vocabulary.Count; id++)
        {
            if (vocabulary.Kinds[id] == TokenKind.Byte)
                ids[ByteOf(vocabulary, id)] = id;
        }

        return ids;
    }

    private static byte ByteOf(Vocabulary vocabulary, int id)
    {
        string text = vocabulary.Texts[id];
        return IsByteText(text)
            ? Convert.ToByte(text[3..5], 16)
            : throw new ModelFormatException($"{vocabulary.Name}: token {id} is of the byte kind, but its text is not <0xXX>");
    }

    /// <summary>True for the text of a byte token, such as &lt;0x0A&gt;.</summary>
    public static bool IsByteText(string text) => text is ['<', '0', 'x', char high, char low, '>']
        && char.IsAsciiHexDigit(high) && char.IsAsciiHexDigit(low);
}

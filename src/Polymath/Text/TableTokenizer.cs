using System.Buffers;
using System.Text;

namespace Polymath.Text;

/// <summary>What all tokenizers over a vocabulary table share: special tokens in texts, ids, and the way back to text.</summary>
internal abstract class TableTokenizer : Tokenizer
{
    private readonly Func<string, string>? _normalizer;

    // What is found in texts as they stand, and in those that the normalizer has changed: always, and when asked for.
    private readonly (SpecialTokens Stands, SpecialTokens Changed) _always;
    private readonly (SpecialTokens Stands, SpecialTokens Changed) _whenAsked;
    private Workspace? _spare;

    /// <summary>Makes the shared part.</summary>
    /// <param name="vocabulary">The checked tables.</param>
    /// <param name="table">Bytes of the tokens in the middle of a text; empty for special ones.</param>
    /// <param name="normalizer">Changes a text before it is encoded, or null.</param>
    protected TableTokenizer(Vocabulary vocabulary, TokenTable table, Func<string, string>? normalizer = null)
    {
        _normalizer = normalizer;
        vocabulary.CheckAdded();
        Vocabulary = vocabulary;
        Table = table;
        _always = Find(kind => kind == TokenKind.UserDefined);
        _whenAsked = Find(kind => kind is TokenKind.UserDefined or TokenKind.Control or TokenKind.Unknown);
    }

    /// <inheritdoc/>
    public sealed override int VocabularySize => Vocabulary.Count;

    /// <inheritdoc/>
    public sealed override int? BeginId => Vocabulary.BeginId;

    /// <inheritdoc/>
    public sealed override int? EndId => Vocabulary.EndId;

    /// <inheritdoc/>
    public sealed override bool AddsBegin => Vocabulary.AddsBegin;

    /// <inheritdoc/>
    public sealed override bool AddsEnd => Vocabulary.AddsEnd;

    /// <summary>The checked tables.</summary>
    protected Vocabulary Vocabulary { get; }

    /// <summary>Bytes of the tokens, and back.</summary>
    protected TokenTable Table { get; }

    /// <inheritdoc/>
    public sealed override int[] Encode(ReadOnlySpan<char> text, bool addSpecial = true, bool parseSpecial = false)
    {
        Workspace space = Interlocked.Exchange(ref _spare, null) ?? new Workspace();
        IntList ids = space.Ids;
        if (addSpecial && AddsBegin)
            ids.Add(BeginId!.Value);
        EncodeBetweenSpecials(text, parseSpecial ? _whenAsked : _always, space);
        if (addSpecial && AddsEnd)
            ids.Add(EndId!.Value);
        int[] result = ids.Span.ToArray();
        space.Clear();
        _spare = space;
        return result;
    }

    /// <inheritdoc/>
    public sealed override ReadOnlySpan<byte> TokenBytes(int id) => Table[Checked(id)];

    /// <inheritdoc/>
    public sealed override string TokenText(int id) => Vocabulary.Texts[Checked(id)];

    /// <inheritdoc/>
    public sealed override bool IsSpecial(int id) => Vocabulary.IsSpecial(Checked(id));

    /// <inheritdoc/>
    public sealed override bool IsEndOfGeneration(int id) => Vocabulary.IsEnd(Checked(id));

    /// <inheritdoc/>
    public sealed override string Decode(ReadOnlySpan<int> ids)
    {
        long total = 0;
        foreach (int id in ids)
            total += TokenBytes(id).Length;
        byte[] bytes = ArrayPool<byte>.Shared.Rent(checked((int)total));
        int length = 0;
        foreach (int id in ids)
        {
            ReadOnlySpan<byte> token = TokenBytes(id);
            token.CopyTo(bytes.AsSpan(length));
            length += token.Length;
        }

        ReadOnlySpan<byte> text = bytes.AsSpan(0, length);
        if (DropsLeadingSpace && text is [(byte)' ', ..])
            text = text[1..];
        string result = Encoding.UTF8.GetString(text);
        ArrayPool<byte>.Shared.Return(bytes);
        return result;
    }

    /// <summary>Adds the ids of a text in which no token stands as it is.</summary>
    /// <param name="text">Not empty.</param>
    /// <param name="first">True at the start of the whole text; false after a special token.</param>
    /// <param name="space">Work space; ids go to <see cref="Workspace.Ids"/>.</param>
    protected abstract void EncodePlain(ReadOnlySpan<char> text, bool first, Workspace space);

    private (SpecialTokens Stands, SpecialTokens Changed) Find(Func<TokenKind, bool> chosen)
    {
        bool Changes(int id) => _normalizer is not null && (Vocabulary.Traits.GetValueOrDefault(id) & AddedTraits.Normalized) != 0;
        return (new SpecialTokens(Vocabulary, id => chosen(Vocabulary.Kinds[id]) && !Changes(id)),
            new SpecialTokens(Vocabulary, id => chosen(Vocabulary.Kinds[id]) && Changes(id), _normalizer));
    }

    private void EncodeBetweenSpecials(
        ReadOnlySpan<char> text, (SpecialTokens Stands, SpecialTokens Changed) specials, Workspace space)
    {
        bool first = true;
        for (int at = 0; at < text.Length;)
        {
            int id = specials.Stands.Find(text, at, out int begin, out int end);
            if (begin > at)
                EncodeChanged(text[at..begin], first, specials.Changed, space);
            if (id >= 0)
                space.Ids.Add(id);
            first = false;
            at = end;
        }
    }

    private void EncodeChanged(ReadOnlySpan<char> plain, bool first, SpecialTokens specials, Workspace space)
    {
        if (_normalizer is null)
        {
            EncodePlain(plain, first, space);
            return;
        }

        ReadOnlySpan<char> text = _normalizer(plain.ToString());
        for (int at = 0; at < text.Length;)
        {
            int id = specials.Find(text, at, out int begin, out int end);
            if (begin > at)
                EncodePlain(text[at..begin], first, space);
            if (id >= 0)
                space.Ids.Add(id);
            first = false;
            at = end;
        }
    }

    private int Checked(int id)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(id);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(id, Vocabulary.Count);
        return id;
    }

    /// <summary>Buffers of one encoding; a tokenizer keeps one for the next.</summary>
    protected sealed class Workspace
    {
        private const int KeptBytes = 1 << 18;

        private byte[] _bytes = new byte[512];
        private int[] _symbols = new int[512];

        /// <summary>The ids so far.</summary>
        public IntList Ids { get; } = new();

        /// <summary>Where the pieces of a text end.</summary>
        public IntList Ends { get; } = new();

        /// <summary>Finds the best way.</summary>
        public ViterbiPath Path { get; } = new();

        /// <summary>Orders the joins.</summary>
        public MergeQueue Queue { get; } = new();

        /// <summary>At least <paramref name="count"/> bytes of any content.</summary>
        public byte[] Bytes(int count)
        {
            if (_bytes.Length < count)
                _bytes = new byte[Math.Max(count, 512)];
            return _bytes;
        }

        /// <summary>Exactly <paramref name="count"/> integers of any content.</summary>
        public Span<int> Symbols(int count)
        {
            if (_symbols.Length < count)
                _symbols = new int[Math.Max(count, 512)];
            return _symbols.AsSpan(0, count);
        }

        /// <summary>Makes ready for the next text; keeps no large memory.</summary>
        public void Clear()
        {
            Ids.Clear();
            Ends.Clear();
            Queue.Release();
            if (_bytes.Length > KeptBytes)
                _bytes = new byte[512];
            if (_symbols.Length > KeptBytes)
                _symbols = new int[512];
        }
    }
}

using System.Text;
using Polymath.Files;
using Polymath.Text.Normalizers;
using Polymath.Text.PreTokenizers;

namespace Polymath.Text;

/// <summary>
/// Unigram language model (Kudo 2018): of all ways to write a text with tokens the one with the highest sum of scores, found
/// by Viterbi's algorithm. A character without a token costs ten more than the worst token.
/// </summary>
internal sealed class Unigram : TableTokenizer
{
    /// <summary>Longer tokens in bytes are never found: bounds the work at each place of a text.</summary>
    private const int LongestToken = 1024;
    private const double UnknownPenalty = 10;

    private readonly double[] _scores; // [V]
    private readonly double _unknownScore;
    private readonly SortedTokens _tokens;
    private readonly UnigramSteps _steps;
    private readonly int[] _byteIds; // [256], -1 where there is no token <0xXX>

    /// <summary>Builds the tokenizer.</summary>
    /// <param name="vocabulary">The checked tables; with an unknown token.</param>
    /// <param name="scores">[V] logarithms of probabilities.</param>
    /// <param name="steps">What happens to a text before.</param>
    /// <exception cref="ModelFormatException">No unknown token, or a score that is not a number.</exception>
    public Unigram(Vocabulary vocabulary, double[] scores, UnigramSteps steps)
        : base(vocabulary, MetaspaceBpe.MakeTable(vocabulary), steps.Normalizer)
    {
        if (vocabulary.UnknownId is null)
            throw new ModelFormatException($"{vocabulary.Name}: no unknown token");
        if (Array.FindIndex(scores, double.IsNaN) is >= 0 and int bad)
            throw new ModelFormatException($"{vocabulary.Name}: the score of token {bad} is not a number");
        _scores = scores;
        _steps = steps;
        double worst = double.MaxValue;
        for (int id = 0; id < scores.Length; id++)
        {
            if (vocabulary.Kinds[id] == TokenKind.Normal || steps.WorstOfAll)
                worst = Math.Min(worst, scores[id]);
        }

        _unknownScore = steps.Reference ? (float)((float)worst - UnknownPenalty) : worst - UnknownPenalty;
        _tokens = new SortedTokens(Table, vocabulary.Count, id => Table[id].Length <= LongestToken
            && vocabulary.Kinds[id] is TokenKind.Normal or TokenKind.UserDefined or TokenKind.Unused
            && !vocabulary.Texts[id].Contains(' ', StringComparison.Ordinal));
        _byteIds = MetaspaceBpe.FindByteIds(vocabulary);
    }

    /// <inheritdoc/>
    internal override bool DropsLeadingSpace => _steps.Prefix != MetaspaceBpe.SpacePrefix.None || _steps.GgufSpaces is { AddsPrefix: true } or { MergesSpaces: true };

    /// <summary>Reads tokenizer.ggml.* of the model kind t5.</summary>
    public static Unigram Read(Metadata metadata, string name)
    {
        Vocabulary vocabulary = Vocabulary.FromMetadata(metadata, name, (null, 1, 2));
        vocabulary.AddsBegin = metadata.GetBool("tokenizer.ggml.add_bos_token", false)!.Value;
        vocabulary.AddsEnd = metadata.GetBool("tokenizer.ggml.add_eos_token", true)!.Value;
        float[] scores = SentencePieceBpe.ReadScores(metadata, vocabulary);
        double[] wide = Array.ConvertAll(scores, score => (double)score);
        for (int id = 0; id < wide.Length; id++)
        {
            if (vocabulary.Kinds[id] == TokenKind.UserDefined)
                wide[id] = 0;
        }

        const string MapKey = "tokenizer.ggml.precompiled_charsmap";
        byte[] map = !metadata.TryGet(MapKey, out MetadataValue? stored) ? []
            : stored.Value as byte[] ?? (stored.Value is sbyte[] signed ? Array.ConvertAll(signed, value => (byte)value)
            : throw new ModelFormatException($"{name}: {MapKey} is not an array of bytes"));
        return new Unigram(vocabulary, wide, new UnigramSteps
        {
            Reference = true,
            GgufSpaces = new GgufSpaces(
                CharacterMap.Make(map, $"{name}: {MapKey}"), metadata.GetBool("tokenizer.ggml.add_space_prefix", false)!.Value,
                metadata.GetBool("tokenizer.ggml.remove_extra_whitespaces", false)!.Value),
        });
    }

    /// <inheritdoc/>
    protected override void EncodePlain(ReadOnlySpan<char> text, bool first, Workspace space)
    {
        if (_steps.GgufSpaces is { } spaces)
        {
            byte[] normalized = spaces.Apply(text, out int length);
            EncodePiece(normalized.AsSpan(0, length), space);
            return;
        }

        space.Ends.Clear();
        if (_steps.Splitter is { } splitter)
            splitter.Split(text, space.Ends);
        else
            space.Ends.Add(text.Length);
        int start = 0;
        foreach (int end in space.Ends.Span)
        {
            ReadOnlySpan<char> piece = text[start..end];
            if (!(_steps.DropsSpaces && char.IsWhiteSpace(piece[0])))
                EncodeWords(piece, first && start == 0, space);
            start = end;
        }
    }

    /// <summary>Writes spaces, puts one in front and cuts before each where that is wanted.</summary>
    private void EncodeWords(ReadOnlySpan<char> piece, bool first, Workspace space)
    {
        byte[] buffer = space.Bytes(checked((piece.Length * 3) + 1));
        int prefix = MetaspaceBpe.TakesPrefix(_steps.Prefix, piece, first) ? 1 : 0;
        buffer[0] = (byte)' ';
        int length = prefix + Encoding.UTF8.GetBytes(piece, buffer.AsSpan(prefix));
        ReadOnlySpan<byte> bytes = buffer.AsSpan(0, MetaspaceBpe.ToSpaces(buffer.AsSpan(0, length)));
        while (_steps.CutsAtSpaces && bytes.Length > 1 && bytes[1..].IndexOf((byte)' ') is >= 0 and int at)
        {
            EncodePiece(bytes[..(at + 1)], space);
            bytes = bytes[(at + 1)..];
        }

        EncodePiece(bytes, space);
    }

    /// <summary>The best way through a piece. Where no token reaches over a place, the way up to it is final.</summary>
    private void EncodePiece(ReadOnlySpan<byte> piece, Workspace space)
    {
        ViterbiPath path = space.Path;
        int from = 0; // what lies before is written
        int reach = 0;
        bool unknown = false; // what is written ends with unknown characters
        path.Start(0);
        for (int at = 0; at < piece.Length;)
        {
            if (at == reach && at - from >= ViterbiPath.Worthwhile)
            {
                unknown = Emit(piece[from..at], unknown, space);
                path.Start(path.Score(at - from));
                from = at;
            }

            double before = path.Score(at - from);
            int width = Math.Min(MetaspaceBpe.CharacterLength(piece[at]), piece.Length - at);
            bool single = false;
            SortedTokens.Prefixes prefixes = _tokens.Search(piece[at..]);
            while (prefixes.MoveNext())
            {
                single |= prefixes.Length == width;
                path.Offer(at - from, prefixes.Length, prefixes.Id, before + _scores[prefixes.Id]);
                reach = Math.Max(reach, at + prefixes.Length);
            }

            if (!single)
            {
                path.Offer(at - from, width, Vocabulary.UnknownId!.Value, before + _unknownScore);
                reach = Math.Max(reach, at + width);
            }

            at += width;
        }

        Emit(piece[from..], unknown, space);
    }

    /// <summary>Writes the tokens of a finished stretch; tells whether it ends with unknown characters, which are one token.</summary>
    private bool Emit(ReadOnlySpan<byte> stretch, bool unknown, Workspace space)
    {
        foreach ((int length, int id) in space.Path.Steps(stretch.Length))
        {
            bool known = id != Vocabulary.UnknownId!.Value;
            if (!known && _steps.BytesForUnknown && HasBytes(stretch[..length]))
            {
                foreach (byte value in stretch[..length])
                    space.Ids.Add(_byteIds[value]);
            }
            else if (known || !unknown)
            {
                space.Ids.Add(id);
            }

            unknown = !known;
            stretch = stretch[length..];
        }

        return unknown;
    }

    private bool HasBytes(ReadOnlySpan<byte> bytes)
    {
        foreach (byte value in bytes)
        {
            if (_byteIds[value] < 0)
                return false;
        }

        return true;
    }
}

/// <summary>What happens to a text before a unigram model sees it.</summary>
internal sealed record UnigramSteps
{
    /// <summary>Changes the text, or null.</summary>
    public Func<string, string>? Normalizer { get; init; }

    /// <summary>Cuts it, or null.</summary>
    public PreTokenizer? Splitter { get; init; }

    /// <summary>Spaces between the pieces are dropped.</summary>
    public bool DropsSpaces { get; init; }

    /// <summary>Where a space is put in front.</summary>
    public MetaspaceBpe.SpacePrefix Prefix { get; init; }

    /// <summary>Nothing joins over the start of a word.</summary>
    public bool CutsAtSpaces { get; init; }

    /// <summary>Unknown characters become byte tokens.</summary>
    public bool BytesForUnknown { get; init; }

    /// <summary>All tokens count for the worst score, not only the normal ones.</summary>
    public bool WorstOfAll { get; init; }

    /// <summary>Arithmetic of the reference engine of GGUF files.</summary>
    public bool Reference { get; init; }

    /// <summary>The steps of a GGUF file, in place of all others.</summary>
    public GgufSpaces? GgufSpaces { get; init; }
}

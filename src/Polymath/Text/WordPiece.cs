using System.Text;
using Polymath.Files;
using Polymath.Text.Normalizers;
using Polymath.Text.PreTokenizers;

namespace Polymath.Text;

/// <summary>
/// WordPiece as BERT uses it (Devlin et al. 2018): each word is cut from left to right into the longest tokens there are; a
/// word that cannot be cut is one unknown token. Inside, the start of a word is written as a space.
/// </summary>
internal sealed class WordPiece : TableTokenizer
{
    private readonly PreTokenizer _splitter;
    private readonly SortedTokens _tokens;
    private readonly int _mostCharacters;
    private readonly bool _marksAreStarts;

    /// <summary>Builds the tokenizer.</summary>
    /// <param name="vocabulary">The checked tables, the start of a word written as U+2581.</param>
    /// <param name="splitter">Cuts the text into words and the spaces between them.</param>
    /// <param name="mostCharacters">A longer word is unknown.</param>
    /// <param name="normalizer">Changes the text before, or null.</param>
    /// <param name="marksAreStarts">U+2581 in a text is what it is in the vocabulary: the start of a word.</param>
    /// <exception cref="ModelFormatException">No unknown token.</exception>
    public WordPiece(
        Vocabulary vocabulary, PreTokenizer splitter, int mostCharacters, Func<string, string>? normalizer, bool marksAreStarts = false)
        : base(vocabulary, MetaspaceBpe.MakeTable(vocabulary), normalizer)
    {
        if (vocabulary.UnknownId is null)
            throw new ModelFormatException($"{vocabulary.Name}: no unknown token");
        _splitter = splitter;
        _mostCharacters = mostCharacters;
        _marksAreStarts = marksAreStarts;
        _tokens = new SortedTokens(Table, vocabulary.Count, id =>
            vocabulary.Kinds[id] == TokenKind.Normal && Table[id].Length <= Vocabulary.LongestSpecial);
    }

    /// <inheritdoc/>
    internal override bool DropsLeadingSpace => true;

    /// <summary>Reads tokenizer.ggml.* of the model kind bert.</summary>
    public static WordPiece Read(Metadata metadata, string name)
    {
        Vocabulary vocabulary = Vocabulary.FromMetadata(metadata, name, (101, null, 100));
        vocabulary.EndId = Vocabulary.ReadId(metadata, vocabulary, "seperator_token_id", 102) ?? vocabulary.EndId;
        (vocabulary.AddsBegin, vocabulary.AddsEnd) = (vocabulary.BeginId is not null, vocabulary.EndId is not null);
        bool lowercase = metadata.GetBool("tokenizer.ggml.normalizer.lowercase", true)!.Value;
        bool strip = metadata.GetBool("tokenizer.ggml.normalizer.strip_accents", lowercase)!.Value;
        return new WordPiece(
            vocabulary, new Runs<ScalarSets.NoSpaces>(), int.MaxValue, text => TextCleaning.BertOfGguf(text, strip, lowercase),
            marksAreStarts: true);
    }

    /// <inheritdoc/>
    protected override void EncodePlain(ReadOnlySpan<char> text, bool first, Workspace space)
    {
        space.Ends.Clear();
        _splitter.Split(text, space.Ends);
        int start = 0;
        foreach (int end in space.Ends.Span)
        {
            if (!char.IsWhiteSpace(text[start]))
                EncodeWord(text[start..end], space);
            start = end;
        }
    }

    private void EncodeWord(ReadOnlySpan<char> word, Workspace space)
    {
        byte[] buffer = space.Bytes(checked((word.Length * 3) + 1));
        buffer[0] = (byte)' ';
        int length = 1 + Encoding.UTF8.GetBytes(word, buffer.AsSpan(1));
        if (_marksAreStarts)
            length = MetaspaceBpe.ToSpaces(buffer.AsSpan(0, length));
        ReadOnlySpan<byte> bytes = buffer.AsSpan(0, length);
        int before = space.Ids.Count;
        bool tooLong = word.Length > _mostCharacters && Count(word) > _mostCharacters;
        while (!bytes.IsEmpty && !tooLong)
        {
            int longest = 0;
            int id = -1;
            SortedTokens.Prefixes prefixes = _tokens.Search(bytes);
            while (prefixes.MoveNext())
                (longest, id) = (prefixes.Length, prefixes.Id);
            if (id < 0)
                break;
            space.Ids.Add(id);
            bytes = bytes[longest..];
        }

        if (!bytes.IsEmpty)
        {
            space.Ids.Truncate(before);
            space.Ids.Add(Vocabulary.UnknownId!.Value);
        }
    }

    private static int Count(ReadOnlySpan<char> word)
    {
        int count = 0;
        foreach (Rune _ in word.EnumerateRunes())
            count++;
        return count;
    }
}

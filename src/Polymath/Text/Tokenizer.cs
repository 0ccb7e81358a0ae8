using Polymath.Files;

namespace Polymath.Text;

/// <summary>Splits text into tokens of a model's vocabulary and puts it together again. Immutable; safe to share between threads.</summary>
public abstract class Tokenizer
{
    /// <summary>Number of ids; every id is below it.</summary>
    public abstract int VocabularySize { get; }

    /// <summary>Id put before a text, or null.</summary>
    public abstract int? BeginId { get; }

    /// <summary>Id that ends a text, or null.</summary>
    public abstract int? EndId { get; }

    /// <summary>True when a text gets <see cref="BeginId"/> in front by default.</summary>
    public abstract bool AddsBegin { get; }

    /// <summary>True when a text gets <see cref="EndId"/> behind by default.</summary>
    public abstract bool AddsEnd { get; }

    /// <summary>Loads the vocabulary that belongs to a model.</summary>
    /// <exception cref="ModelFormatException">No vocabulary, a kind not supported, or a damaged one.</exception>
    public static Tokenizer Load(WeightSource source) => TokenizerLoader.Load(source);

    /// <summary>True when the first space of a text was put there by <see cref="Encode"/> and is taken away by <see cref="Decode"/>.</summary>
    internal virtual bool DropsLeadingSpace => false;

    /// <summary>The vocabulary under tokenizer.ggml.* keys.</summary>
    /// <param name="metadata">Settings of a model.</param>
    /// <param name="name">File or model they come from, for messages.</param>
    /// <exception cref="ModelFormatException">No vocabulary, a kind not supported, or a damaged one.</exception>
    public static Tokenizer FromMetadata(Metadata metadata, string name) => TokenizerLoader.FromMetadata(metadata, name);

    /// <summary>Ids of <paramref name="text"/>.</summary>
    /// <param name="text">Any text; unpaired surrogates become U+FFFD.</param>
    /// <param name="addSpecial">Put the begin and end ids where the model wants them.</param>
    /// <param name="parseSpecial">Read special tokens written in the text as such; never for text from outside.</param>
    public abstract int[] Encode(ReadOnlySpan<char> text, bool addSpecial = true, bool parseSpecial = false);

    /// <summary>
    /// The bytes a token stands for in the middle of a text; empty for control tokens.
    /// A token may end inside a UTF-8 character.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">No such id.</exception>
    public abstract ReadOnlySpan<byte> TokenBytes(int id);

    /// <summary>The token as it is written in the vocabulary, for display and for specials such as &lt;s&gt;.</summary>
    public abstract string TokenText(int id);

    /// <summary>True for control tokens (begin, end, chat markers).</summary>
    public abstract bool IsSpecial(int id);

    /// <summary>True for tokens that end a generation.</summary>
    public abstract bool IsEndOfGeneration(int id);

    /// <summary>Text of <paramref name="ids"/>; specials are left out, invalid UTF-8 becomes U+FFFD.</summary>
    public abstract string Decode(ReadOnlySpan<int> ids);
}

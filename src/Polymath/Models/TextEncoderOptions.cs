namespace Polymath.Models;

/// <summary>How the vectors of a text's tokens become one, numbered as pooling_type in GGUF files.</summary>
public enum Pooling
{
    /// <summary>Not at all: a vector for each token.</summary>
    None = 0,

    /// <summary>Their mean.</summary>
    Mean = 1,

    /// <summary>The first one, that of [CLS] or &lt;s&gt;.</summary>
    Cls = 2,

    /// <summary>The last one.</summary>
    Last = 3,

    /// <summary>The vector of the first token, or the last in decoders, goes through the model's ranking head.</summary>
    Rank = 4,
}

/// <summary>What to do with a text that is longer than the model's context.</summary>
public enum LongText
{
    /// <summary>An error that says how long it is.</summary>
    Refuse,

    /// <summary>Its end is cut off; <see cref="EncodedText.Dropped"/> says how much.</summary>
    Cut,
}

/// <summary>How a text encoder is loaded.</summary>
public sealed record TextEncoderOptions
{
    /// <summary>Threads to compute with; 0 for one per processor.</summary>
    public int Threads { get; init; }

    /// <summary>Pooling instead of the one the file names; null for that one.</summary>
    public Pooling? Pooling { get; init; }

    /// <summary>Vectors are scaled to length one.</summary>
    public bool Normalize { get; init; } = true;

    /// <summary>
    /// Numbers of a vector that are kept, the first ones, before it is scaled; 0 for all. For models trained so that a cut
    /// vector still serves (Matryoshka, arXiv:2205.13147).
    /// </summary>
    public int Dimensions { get; init; }

    /// <summary>What happens to texts longer than <see cref="TextEncoder.MaxTokens"/>.</summary>
    public LongText LongText { get; init; }

    /// <summary>Most tokens of a text, where fewer are wanted than the model allows; 0 for what it allows.</summary>
    public int MaxTokens { get; init; }

    /// <summary>Tokens that go through the layers together: short texts until they have so many, or one long text.</summary>
    public int BatchTokens { get; init; } = 1024;
}

/// <summary>A text, or a query and a document, as ids with the special tokens the model wants.</summary>
/// <param name="Ids">The ids.</param>
/// <param name="Dropped">Tokens cut off the end because the model's context holds no more.</param>
public readonly record struct EncodedText(int[] Ids, int Dropped);

namespace Polymath.Text.Templates;

/// <summary>What one rendering may use; a template comes from a file, so it is not trusted.</summary>
public sealed record TemplateLimits
{
    /// <summary>The limits used where none are given.</summary>
    public static TemplateLimits Default { get; } = new();

    /// <summary>Statements and expressions evaluated, long texts counting as several.</summary>
    public long Steps { get; init; } = 1_000_000;

    /// <summary>Bytes of the rendered text in UTF-8.</summary>
    public int OutputBytes { get; init; } = 8 << 20;

    /// <summary>Bytes of all texts, lists and maps made while rendering.</summary>
    public long ValueBytes { get; init; } = 64L << 20;

    /// <summary>Macros inside macros, and values inside values.</summary>
    public int Nesting { get; init; } = 128;

    /// <summary>Time by the clock given to the rendering.</summary>
    public TimeSpan Time { get; init; } = TimeSpan.FromMilliseconds(250);
}

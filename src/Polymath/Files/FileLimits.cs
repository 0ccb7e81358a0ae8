using System.Text;

namespace Polymath.Files;

/// <summary>Bounds that every model file must keep, on the way in and on the way out.</summary>
internal static class FileLimits
{
    public const int KeyBytes = 65_535;
    public const int TensorNameBytes = 127;
    public const int Keys = 65_536;
    public const int Tensors = 65_536;
    public const int ArrayLength = 16_777_216;
    public const int StringBytes = 64 << 20;
    public const int ArrayNesting = 8;
    public const int Alignment = 65_536;
    public const int DefaultAlignment = 32;
    public const int Dimensions = 4;
    public const long DimensionSize = 1L << 40;
    public const int Layers = 1_024;

    /// <summary>
    /// Managed memory that reading a file may take besides twice its size. Many short strings and nested arrays
    /// need several times their stored bytes: a budget stops files made of them.
    /// </summary>
    public const long MemoryBesidesFile = 56L << 20;

    /// <summary>UTF-8 that throws on invalid bytes and on unpaired surrogates.</summary>
    public static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static bool IsAlignment(long value) => value is >= 1 and <= Alignment && (value & (value - 1)) == 0;

    /// <summary>A name from a file as it may appear in a message: no control characters for the terminal, not endless.</summary>
    public static string Printable(string name)
    {
        string cut = name.Length > 160 ? name[..160] + "..." : name;
        return string.Create(cut.Length, cut, static (span, text) =>
        {
            for (int i = 0; i < span.Length; i++)
                span[i] = char.IsControl(text[i]) || char.IsSurrogate(text[i]) ? '?' : text[i];
        });
    }
}

using System.Buffers;
using System.Text;

namespace Polymath.Text.Unicode;

/// <summary>The four normalisation forms of Unicode (UAX #15), from the project's own tables: the framework has none without ICU.</summary>
internal enum UnicodeForm
{
    C,
    D,
    KC,
    KD,
}

/// <summary>Brings text into a normalisation form. An unpaired surrogate stays as it is.</summary>
internal static class UnicodeNormalization
{
    private const int HangulFirst = 0xAC00;
    private const int LeadFirst = 0x1100;
    private const int VowelFirst = 0x1161;
    private const int TailFirst = 0x11A7;
    private const int Leads = 19;
    private const int Vowels = 21;
    private const int Tails = 28;

    /// <summary>The text in the form; the same string where nothing changes.</summary>
    public static string Apply(string text, UnicodeForm form)
    {
        NormalizationTables tables = NormalizationTables.Instance;
        if (tables.IsPlain(text, form))
            return text;
        bool compatible = form is UnicodeForm.KC or UnicodeForm.KD;
        var scalars = new List<int>(text.Length + 16);
        for (int at = 0; at < text.Length;)
        {
            int width = char.IsSurrogatePair(text, at) ? 2 : 1;
            Decompose(width == 2 ? char.ConvertToUtf32(text[at], text[at + 1]) : text[at], compatible, scalars);
            at += width;
        }

        Order(scalars, tables);
        if (form is UnicodeForm.C or UnicodeForm.KC)
            Compose(scalars, tables);
        return ToText(scalars);
    }

    /// <summary>The first scalar of the canonical decomposition.</summary>
    public static int FirstOfDecomposition(int scalar) =>
        scalar - HangulFirst is >= 0 and < Leads * Vowels * Tails and int index ? LeadFirst + (index / (Vowels * Tails))
        : NormalizationTables.Instance.Decompose(scalar, compatible: false) is [int first, ..] ? first : scalar;

    private static void Decompose(int scalar, bool compatible, List<int> to)
    {
        if (scalar - HangulFirst is >= 0 and < Leads * Vowels * Tails and int index)
        {
            to.Add(LeadFirst + (index / (Vowels * Tails)));
            to.Add(VowelFirst + (index / Tails % Vowels));
            if (index % Tails != 0)
                to.Add(TailFirst + (index % Tails));
            return;
        }

        ReadOnlySpan<int> parts = NormalizationTables.Instance.Decompose(scalar, compatible);
        if (parts.IsEmpty)
            to.Add(scalar);
        foreach (int part in parts)
            to.Add(part);
    }

    /// <summary>Sorts each run of marks by class, keeping the order of equals; any run in n log n.</summary>
    private static void Order(List<int> scalars, NormalizationTables tables)
    {
        for (int start = 0; start < scalars.Count; start++)
        {
            int end = start;
            bool sorted = true;
            for (int before = 0; end < scalars.Count && tables.Class(scalars[end]) is > 0 and int own; end++)
            {
                sorted &= own >= before;
                before = own;
            }

            if (!sorted)
            {
                int[] run = [.. scalars.Slice(start, end - start).OrderBy(tables.Class)];
                for (int i = 0; i < run.Length; i++)
                    scalars[start + i] = run[i];
            }

            start = Math.Max(start, end - 1);
        }
    }

    private static void Compose(List<int> scalars, NormalizationTables tables)
    {
        int starter = -1; // place in what is written
        int written = 0;
        int before = 0; // class of the last one written behind the starter; 0 when there is none
        foreach (int scalar in scalars.ToArray())
        {
            int own = tables.Class(scalar);
            bool reaches = starter >= 0 && (written - starter == 1 || before < own);
            if (reaches && Pair(scalars[starter], scalar, tables) is > 0 and int joined)
            {
                scalars[starter] = joined;
                continue;
            }

            if (own == 0)
                starter = written;
            before = own;
            scalars[written++] = scalar;
        }

        scalars.RemoveRange(written, scalars.Count - written);
    }

    private static int Pair(int first, int second, NormalizationTables tables)
    {
        if (first - LeadFirst is >= 0 and < Leads and int lead && second - VowelFirst is >= 0 and < Vowels and int vowel)
            return HangulFirst + (((lead * Vowels) + vowel) * Tails);
        if (first - HangulFirst is >= 0 and < Leads * Vowels * Tails and int index && index % Tails == 0
            && second - TailFirst is > 0 and < Tails and int tail)
        {
            return first + tail;
        }

        return tables.Compose(first, second);
    }

    private static string ToText(List<int> scalars)
    {
        char[] chars = ArrayPool<char>.Shared.Rent(scalars.Count * 2);
        int length = 0;
        foreach (int scalar in scalars)
        {
            if (Rune.TryCreate(scalar, out Rune rune))
                length += rune.EncodeToUtf16(chars.AsSpan(length));
            else
                chars[length++] = (char)scalar;
        }

        string text = new(chars, 0, length);
        ArrayPool<char>.Shared.Return(chars);
        return text;
    }
}

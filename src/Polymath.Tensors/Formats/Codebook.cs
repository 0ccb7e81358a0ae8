using System.Globalization;
using System.Runtime.InteropServices;

namespace Polymath.Tensors;

/// <summary>
/// The codebooks of the IQ formats: a few bits of a block name an entry, and an entry holds 8 (or 4) integers. A table
/// has as many entries as its format's indices can name, so no block can point beside it.
/// </summary>
internal static unsafe partial class Codebook
{
    // Magnitudes; the signs are stored apart.
    private static readonly sbyte[] s_twoBits = [8, 25, 43];
    private static readonly sbyte[] s_threeBits = [4, 12, 20, 28, 36, 44, 52, 62];
    private static readonly sbyte[] s_odd = [1, 3, 5, 7, 9, 11, 13, 15];

    // −1, 0, 1 in eighths, because an eighth is then added or taken off.
    private static readonly sbyte[] s_eighths = [-8, 0, 8];

    /// <summary>256 entries of 8.</summary>
    public static readonly sbyte* Iq2Xxs = Build(Iq2XxsEntries, s_twoBits, 8);

    /// <summary>512 entries of 8.</summary>
    public static readonly sbyte* Iq2Xs = Build(Iq2XsEntries, s_twoBits, 8);

    /// <summary>1,024 entries of 8.</summary>
    public static readonly sbyte* Iq2S = Build(Iq2SEntries, s_twoBits, 8);

    /// <summary>256 entries of 4.</summary>
    public static readonly sbyte* Iq3Xxs = Build(Iq3XxsEntries, s_threeBits, 4);

    /// <summary>512 entries of 4.</summary>
    public static readonly sbyte* Iq3S = Build(Iq3SEntries, s_odd, 4);

    /// <summary>2,048 entries of 8, in eighths.</summary>
    public static readonly sbyte* Iq1 = Build(Iq1Entries, s_eighths, 8);

    /// <summary>The signs of eight elements, of which seven bits are stored: the number of negative ones is even.</summary>
    public static int EvenSigns(uint seven) => (int)(seven & 127) | ((System.Numerics.BitOperations.PopCount(seven & 127) & 1) << 7);

    /// <summary>Eight elements of <paramref name="entry"/>, negative where the bit of <paramref name="signs"/> is set.</summary>
    public static void CopyEight(sbyte* entry, int signs, sbyte* target)
    {
        CopyFour(entry, signs, target);
        CopyFour(entry + 4, signs >> 4, target + 4);
    }

    /// <summary>The same of four elements.</summary>
    public static void CopyFour(sbyte* entry, int signs, sbyte* target)
    {
        for (int i = 0; i < 4; i++)
            target[i] = (signs & (1 << i)) == 0 ? entry[i] : (sbyte)-entry[i];
    }

    private static sbyte* Build(string entries, sbyte[] levels, int length)
    {
        int digits = length == 8 ? 4 : 3, bits = length == 8 ? 2 : 3;
        int count = entries.Length / digits;
        var table = (sbyte*)NativeMemory.AlignedAlloc((nuint)(count * length), NativeBuffer.Alignment);
        for (int i = 0; i < count; i++)
        {
            int packed = int.Parse(entries.AsSpan(i * digits, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            for (int k = 0; k < length; k++)
                table[(i * length) + k] = levels[(packed >> (bits * k)) & ((1 << bits) - 1)];
        }

        return table;
    }
}

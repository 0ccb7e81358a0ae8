using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>
/// Weight rows unpacked side by side for the tiles of many tokens: of each block 8 steps, in each step 4 consecutive
/// integers of every row, so that one register holds the rows' parts and its 32-bit lanes are the rows.
/// </summary>
internal static unsafe class Int8Panel
{
    /// <summary>Blocks of a row that a panel holds; with 8 rows it fills half of a first-level cache.</summary>
    public const int Blocks = 48;

    /// <summary>Tokens from which unpacking pays.</summary>
    public const int FewestTokens = 4;

    /// <summary>
    /// Unpacks <paramref name="count"/> blocks of the rows n, n + 1, … to [block][step][row][4] and their scales to
    /// [block][row]; rows not before <paramref name="to"/> repeat the last one.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pack<TFormat>(
        MatMul.Part* part, int n, int to, int rows, int firstBlock, int count, sbyte* weights, float* scales)
        where TFormat : struct, IInt8Vector
    {
        for (int r = 0; r < rows; r++)
        {
            byte* block = part->Weight + (Math.Min(n + r, to - 1) * part->WeightStride) + ((nint)firstBlock * TFormat.BlockBytes);
            var target = (uint*)weights + r;
            for (nint b = 0; b < count; b++)
            {
                Vector256<uint> w = TFormat.Unpack(block).AsUInt32();
                target[0] = w[0];
                target[rows] = w[1];
                target[2 * rows] = w[2];
                target[3 * rows] = w[3];
                target[4 * rows] = w[4];
                target[5 * rows] = w[5];
                target[6 * rows] = w[6];
                target[7 * rows] = w[7];
                target += 8 * rows;
                scales[(b * rows) + r] = TFormat.Scale(block);
                block += TFormat.BlockBytes;
            }
        }
    }
}

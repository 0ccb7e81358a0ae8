using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Polymath.Tensors;

/// <summary>
/// F32 values of all 65,536 F16 bit patterns. .NET converts a Half in some twenty instructions that spill vector
/// registers; the scales of a tensor lie close together, so their part of the table stays in the first cache.
/// </summary>
internal static unsafe class HalfTable
{
    private static readonly float* s_values = Build();

    /// <summary>First of the 65,536 values.</summary>
    public static float* Values => s_values;

    /// <summary>The value of the F16 stored at <paramref name="source"/> (any alignment).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(byte* source) => s_values[Unsafe.ReadUnaligned<ushort>(source)];

    private static float* Build()
    {
        const int Count = 1 << 16;
        var values = (float*)NativeMemory.AlignedAlloc(Count * sizeof(float), NativeBuffer.Alignment);
        for (int i = 0; i < Count; i++)
            values[i] = (float)BitConverter.UInt16BitsToHalf((ushort)i);
        return values;
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>
/// The unsigned halves of the bytes, 0 to 15, meet the signed activations as they are. Sixteen such products, at most
/// 16 · 15 · 127 = 30,480, add up in 16 bits.
/// </summary>
internal readonly unsafe partial struct Q4_0 : IInt8Vector
{
    /// <inheritdoc/>
    public static int Offset => 8;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<sbyte> Unpack(byte* block) => Simd.LoadNibbles(block + sizeof(ushort)).AsSByte();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> FourDots(byte* b0, byte* b1, byte* b2, byte* b3, Vector256<sbyte> a)
    {
        Vector256<short> s01 = Simd.AddPairs(Products(b0, a), Products(b1, a));   // sums of 4 products
        Vector256<short> s23 = Simd.AddPairs(Products(b2, a), Products(b3, a));
        Vector256<short> s = Simd.AddPairs(s01, s23);                             // of 8
        return Simd.MultiplyAddPairs(s.GetLower() + s.GetUpper(), Vector128<short>.One);
    }

    /// <summary>
    /// The rows' bytes are turned so that a register holds four bytes of each row: its 32-bit lanes are then the rows and
    /// nothing is left to add across them, which makes it half as fast again as twice four.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> EightDots(byte* first, nint stride, sbyte* a)
    {
        byte* fifth = first + (4 * stride);
        Vector256<int> r0 = Pair(first, fifth), r1 = Pair(first + stride, fifth + stride);
        Vector256<int> r2 = Pair(first + (2 * stride), fifth + (2 * stride)), r3 = Pair(first + (3 * stride), fifth + (3 * stride));
        Simd.Transpose(ref r0, ref r1, ref r2, ref r3);
        var x = (int*)a;
        Vector256<int> low = AddFours(Low(r0), Fours(x), Vector256<int>.Zero), high = AddFours(High(r0), Fours(x + 4), Vector256<int>.Zero);
        low = AddFours(Low(r1), Fours(x + 1), low);
        high = AddFours(High(r1), Fours(x + 5), high);
        low = AddFours(Low(r2), Fours(x + 2), low);
        high = AddFours(High(r2), Fours(x + 6), high);
        low = AddFours(Low(r3), Fours(x + 3), low);
        high = AddFours(High(r3), Fours(x + 7), high);
        return Finish((low.AsInt16() + high.AsInt16()).AsInt32());
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> FourDots(byte* b0, byte* b1, byte* b2, byte* b3, Vector128<sbyte> low, Vector128<sbyte> high) =>
        Simd.AddPairs(
            Simd.AddPairs(Products(b0, low, high), Products(b1, low, high)),
            Simd.AddPairs(Products(b2, low, high), Products(b3, low, high)));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddFours(Vector256<sbyte> weights, Vector256<sbyte> activations, Vector256<int> sum) =>
        (sum.AsInt16() + Simd.MultiplyAddPairs(weights.AsByte(), activations)).AsInt32();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Finish(Vector256<int> sum) => Simd.MultiplyAddPairs(sum.AsInt16(), Vector256<short>.One);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> AddFours(Vector512<sbyte> weights, Vector512<sbyte> activations, Vector512<int> sum) =>
        (sum.AsInt16() + Simd.MultiplyAddPairs(weights.AsByte(), activations)).AsInt32();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Finish(Vector512<int> sum) => Simd.MultiplyAddPairs(sum.AsInt16(), Vector512<short>.One);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Pair(byte* lower, byte* upper) =>
        Vector256.Create(Vector128.Load((int*)(lower + sizeof(ushort))), Vector128.Load((int*)(upper + sizeof(ushort))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<sbyte> Low(Vector256<int> q) => q.AsSByte() & Vector256.Create((sbyte)15);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<sbyte> High(Vector256<int> q) => (q.AsInt16() >>> 4).AsSByte() & Vector256.Create((sbyte)15);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<sbyte> Fours(int* activations) => Vector256.Create(*activations).AsSByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<short> Products(byte* block, Vector256<sbyte> a) =>
        Simd.MultiplyAddPairs(Simd.LoadNibbles(block + sizeof(ushort)), a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Products(byte* block, Vector128<sbyte> low, Vector128<sbyte> high)
    {
        Vector128<byte> q = Vector128.Load(block + sizeof(ushort));
        Vector128<int> sum = Simd.AddDotFours(Vector128<int>.Zero, (q & Vector128.Create((byte)15)).AsSByte(), low);
        return Simd.AddDotFours(sum, (q >> 4).AsSByte(), high);
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>e^x for eight floats at a time, within 2 units in the last place.</summary>
internal static class VectorExp
{
    private const float Lowest = -87.33654f;   // below, the result would be no normal number: it becomes 0
    private const float Highest = 88.37626f;

    /// <summary>e^x; 0 below −87.34, and x is held to 88.37 above.</summary>
    /// <remarks>x = n · ln 2 + r with |r| ≤ ln 2 / 2; e^r by its Taylor series of degree 7; 2^n through the exponent bits.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Exp(Vector256<float> x)
    {
        Vector256<float> normal = Vector256.GreaterThanOrEqual(x, Vector256.Create(Lowest));
        x = Vector256.Min(Vector256.Max(x, Vector256.Create(Lowest)), Vector256.Create(Highest));
        Vector256<float> n = Vector256.Round(x * 1.44269504f);
        Vector256<float> r = Vector256.FusedMultiplyAdd(n, Vector256.Create(-0.693359375f), x);
        r = Vector256.FusedMultiplyAdd(n, Vector256.Create(2.12194440e-4f), r);
        Vector256<float> p = Vector256.Create(1f / 5040);
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(1f / 720));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(1f / 120));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(1f / 24));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(1f / 6));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(0.5f));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256<float>.One);
        p = Vector256.FusedMultiplyAdd(p, r, Vector256<float>.One);
        Vector256<int> power = Vector256.ConvertToInt32Native(n) + Vector256.Create(127);
        return p * Vector256.ShiftLeft(power, 23).AsSingle() & normal;
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Polymath.Tensors;

/// <summary>Sums of equal shapes.</summary>
public static unsafe partial class Elementwise
{
    /// <summary><paramref name="into"/> = <paramref name="x"/> + <paramref name="y"/>, element by element; it may be either of them.</summary>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    public static void Add(Tensor x, Tensor y, Tensor into)
    {
        x.RequireF32();
        y.RequireF32(x.Rows, x.Columns, "Elementwise.Add");
        into.RequireF32(x.Rows, x.Columns, "Elementwise.Add");
        Add(x.Floats, y.Floats, into.Floats, (nint)x.ElementCount);
        GC.KeepAlive(x.Owner);
        GC.KeepAlive(y.Owner);
        GC.KeepAlive(into.Owner);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Add(float* x, float* y, float* into, nint count)
    {
        nint i = 0;
        for (; i <= count - VectorMath.Lanes; i += VectorMath.Lanes)
            (Vector256.Load(x + i) + Vector256.Load(y + i)).Store(into + i);
        for (; i < count; i++)
            into[i] = x[i] + y[i];
    }
}

namespace Polymath.Tensors;

public static partial class Gemm
{
    /// <summary>
    /// Copies <paramref name="count"/> rows of op(A) (or columns of op(B)) over <paramref name="steps"/> steps of K into a panel:
    /// target[k * width + i] = source[i * outer + k * depth], zeros where i reaches beyond <paramref name="count"/>.
    /// </summary>
    private static unsafe void Pack(float* source, nint outer, nint depth, int count, int width, int steps, float* target)
    {
        for (int k = 0; k < steps; k++)
        {
            for (int i = 0; i < width; i++)
                target[i] = i < count ? source[i * outer] : 0;
            source += depth;
            target += width;
        }
    }
}

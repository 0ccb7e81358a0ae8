namespace Polymath.Tensors;

/// <summary>A tile of 2 × 4 without vectors: the truth the others are tested against. It multiplies and adds, unfused.</summary>
internal readonly unsafe struct GemmScalar : IGemmKernel
{
    public static int Rows => 2;

    public static int Columns => 4;

    public static int Depth => 256;

    public static void Multiply(int depth, float* a, float* b, float* c, nint stride, float alpha, bool accumulate)
    {
        float c00 = 0, c01 = 0, c02 = 0, c03 = 0;
        float c10 = 0, c11 = 0, c12 = 0, c13 = 0;
        for (; depth > 0; depth--)
        {
            float x = a[0], y = a[1];
            c00 += x * b[0];
            c01 += x * b[1];
            c02 += x * b[2];
            c03 += x * b[3];
            c10 += y * b[0];
            c11 += y * b[1];
            c12 += y * b[2];
            c13 += y * b[3];
            a += 2;
            b += 4;
        }

        Store(c, c00, c01, c02, c03, alpha, accumulate);
        Store(c + stride, c10, c11, c12, c13, alpha, accumulate);
    }

    private static void Store(float* c, float x0, float x1, float x2, float x3, float alpha, bool accumulate)
    {
        c[0] = (accumulate ? c[0] : 0) + (x0 * alpha);
        c[1] = (accumulate ? c[1] : 0) + (x1 * alpha);
        c[2] = (accumulate ? c[2] : 0) + (x2 * alpha);
        c[3] = (accumulate ? c[3] : 0) + (x3 * alpha);
    }
}

namespace Polymath.Tensors;

/// <summary>The matmul in plain loops: right everywhere, the truth for the other variants.</summary>
internal static unsafe class MatMulScalar
{
    /// <summary>Computes the outputs of the weight rows [<paramref name="from"/>, <paramref name="to"/>).</summary>
    public static void Rows(MatMul.Part* part, int from, int to)
    {
        switch (part->Format)
        {
            case TensorFormat.F32: Float<F32>(part, from, to); break;
            case TensorFormat.F16: Float<F16>(part, from, to); break;
            case TensorFormat.BF16: Float<BF16>(part, from, to); break;
            default: throw BlockFormat.Unknown(part->Format);
        }
    }

    private static void Float<TFormat>(MatMul.Part* part, int from, int to)
        where TFormat : struct, IFloatFormat
    {
        for (int n = from; n < to; n++)
        {
            byte* row = part->Weight + (n * part->WeightStride);
            for (int t = 0; t < part->Tokens; t++)
            {
                float* x = part->X + ((nint)t * part->Columns);
                float sum = 0;
                for (nint k = 0; k < part->Columns; k++)
                    sum += TFormat.Load(row + (k * TFormat.BlockBytes)) * x[k];
                part->Y[((nint)t * part->Rows) + n] = sum;
            }
        }
    }

    /// <summary>A format of integers, group by group: scale · (q · a) − minimum · a.</summary>
    public static void Integers<TFormat>(MatMul.Part* part, int from, int to)
        where TFormat : struct, IGroupFormat
    {
        int length = TFormat.GroupLength;
        sbyte* q = stackalloc sbyte[Groups.MostElements];
        float* scales = stackalloc float[Groups.MostGroups], minima = stackalloc float[Groups.MostGroups];
        new Span<float>(minima, Groups.MostGroups).Clear();
        for (int n = from; n < to; n++)
        {
            for (int t = 0; t < part->Tokens; t++)
                *MatMul.Output(part, n, t) = 0;
            byte* block = part->Weight + (n * part->WeightStride);
            for (int k = 0; k < part->Columns; k += TFormat.BlockLength, block += TFormat.BlockBytes)
            {
                TFormat.Unpack(block, q, scales, minima);
                for (int t = 0; t < part->Tokens; t++)
                {
                    float* y = MatMul.Output(part, n, t);
                    for (int g = 0; g < TFormat.BlockLength; g += length)
                        *y = AddGroup(part, t, k + g, q + g, length, scales[g / length], minima[g / length], *y);
                }
            }
        }
    }

    private static float AddGroup(MatMul.Part* part, int t, int k, sbyte* q, int length, float scale, float minimum, float sum)
    {
        byte* row = part->Quantized + (t * part->QuantizedStride);
        var x = (sbyte*)row + k;
        float xScale = ((float*)(row + Int8Activations.ScalesStart(part->Columns)))[k / Int8Activations.BlockLength];
        float xSum = ((float*)(row + Int8Activations.SumsStart(part->Columns, length)))[k / length];
        int dot = 0;
        for (int i = 0; i < length; i++)
            dot += q[i] * x[i];
        sum += scale * xScale * dot;
        return minimum == 0 ? sum : sum - (minimum * xSum);
    }
}
